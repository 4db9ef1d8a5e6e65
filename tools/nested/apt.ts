/**
 * Debian's packages by way of apt, of the suites that the machine has or of another one.
 *
 * @module
 */

import { join } from "node:path";
import { NestedError } from "./error.ts";
import { missingPrograms, run } from "./process.ts";

/** Depends on the package of the kernel proper, whose name has the kernel's version. */
const KERNEL = "linux-image-cloud-amd64";
const BUSYBOX = "busybox-static";
const MEMTEST = "memtest86+";

/** Where packages come from: a name for the cache, and putting the .deb files into a folder. */
export interface Source {
  readonly inputs: unknown;
  fetch(folder: string): Promise<void>;
}

/** A package as apt-cache shows it. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly depends: string;
}

/** Reads what `apt-cache show` prints. */
export function parseAptShow(text: string): AptPackage[] {
  return text.split(/\n\n+/).map((stanza) => ({
    name: /^Package: (.+)$/m.exec(stanza)?.[1] ?? "",
    version: /^Version: (.+)$/m.exec(stanza)?.[1] ?? "",
    depends: /^Depends: (.+)$/m.exec(stanza)?.[1] ?? "",
  })).filter(({ name }) => name !== "");
}

/** `name=version` of each package to download. */
export function wantedPackages(shown: readonly AptPackage[]): string[] {
  const others = [BUSYBOX, MEMTEST].map((name) => shown.find((each) => each.name === name));
  const kernel = shown.find(({ name }) => name === KERNEL)?.depends;
  const [, name, version] = /(linux-image-\S+) \(= ([^)]+)\)/.exec(kernel ?? "") ?? [];
  if (!name || !version || others.includes(undefined)) {
    throw new NestedError(
      `apt knows no ${KERNEL}, ${BUSYBOX} or ${MEMTEST}: run apt-get update as root, or, where the ` +
        `distribution has no such packages, download Debian's and name their folder with --debs`,
    );
  }
  return [{ name, version }, ...others].flatMap((wanted) =>
    wanted === undefined ? [] : [`${wanted.name}=${wanted.version}`]
  );
}

/** `name=version` of the packages that a newer kernel's own is made of; none of an older one's. */
export function kernelParts({ depends }: AptPackage): string[] {
  const parts = depends.matchAll(/(linux-(?:binary|modules)-\S+) \(= ([^)]+)\)/g);
  return Array.from(parts, ([, name, version]) => `${name}=${version}`);
}

/** What apt downloads. It fails later where it knows none of them. */
export async function fromApt(
  folder: string,
  suite: string | undefined,
  signal?: AbortSignal,
): Promise<Source> {
  const options = suite === undefined ? [] : await suiteOptions(folder, suite, signal);
  const show = async (...names: string[]) => {
    const args = [...options, "show", "--no-all-versions", ...names];
    const shown = missingPrograms(["apt-cache", "apt-get"]).length > 0
      ? new Uint8Array()
      : await run("apt-cache", args, { signal }).catch(emptyIfFailed);
    return parseAptShow(new TextDecoder().decode(shown));
  };
  const [kernel, ...others] = wantedPackages(await show(KERNEL, BUSYBOX, MEMTEST));
  const [shown] = await show(kernel!);
  const wanted = [kernel!, ...shown === undefined ? [] : kernelParts(shown), ...others];
  return {
    inputs: wanted,
    fetch: async (cwd) => {
      console.error(`nested: downloading ${wanted.join(", ")} into ${folder}`);
      // The sandbox's user may not write to a user's cache, and apt would warn of it.
      const args = [...options, "-qq", "-o", "APT::Sandbox::User=root", "download", ...wanted];
      await run("apt-get", args, { cwd, signal });
    },
  };
}

function emptyIfFailed(error: unknown): Uint8Array<ArrayBuffer> {
  if (error instanceof NestedError) return new Uint8Array();
  throw error;
}

/** An archive as `apt-get indextargets` lists it. */
const ARCHIVE = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
/** The keys of all of Debian's releases; apt itself may have but those of its own. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A sources.list for another suite of the Debian that apt has already. */
export function suiteSources(archives: string, suite: string): string {
  for (const line of archives.split("\n")) {
    const [origin, label, uri] = line.split("|");
    if (origin !== "Debian" || label !== "Debian" || !uri) continue;
    // Backports have no more than what they renew.
    const suites = new Set([suite, suite.replace(/-backports$/, "")]);
    return Array.from(suites, (suite) => `deb [signed-by=${KEYRING}] ${uri} ${suite} main\n`)
      .join("");
  }
  throw new NestedError("apt has no archive of Debian's, of which --suite could be one");
}

/**
 * Options that have apt see this suite alone, and keep what it learns in a folder of its own: the
 * machine's lists stay as they are.
 */
async function suiteOptions(
  folder: string,
  suite: string,
  signal?: AbortSignal,
): Promise<string[]> {
  if (!/^[a-z][a-z-]*$/.test(suite)) throw new NestedError(`There is no suite "${suite}"`);
  const listed = await run("apt-get", ["indextargets", "--format", ARCHIVE], { signal });
  const state = join(folder, `apt-${suite}`);
  for (const part of ["lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(join(state, part), { recursive: true });
  }
  const sources = join(state, "sources.list");
  await Deno.writeTextFile(sources, suiteSources(new TextDecoder().decode(listed), suite));
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(state, "lists")}`,
    `Dir::Cache=${join(state, "cache")}`,
    // A suite that is not chosen by default would not be asked otherwise.
    `APT::Default-Release=${suite}`,
    "APT::Sandbox::User=root",
  ];
  const options = settings.flatMap((setting) => ["-o", setting]);
  await run("apt-get", [...options, "-qq", "update"], { signal });
  return options;
}
