/**
 * Debian's packages by way of apt: downloaded and unpacked, never installed. They are of the suites
 * that the machine has, or of others.
 *
 * @module
 */

import { join } from "node:path";
import { use } from "./cache.ts";
import { ToolError } from "./error.ts";
import { locked } from "./lock.ts";
import { missingPrograms, requirePrograms, run } from "./process.ts";

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

/** What apt knows of some suites. */
export interface Apt {
  /** The packages that it would install; without those that it doesn't know. */
  show(...names: readonly string[]): Promise<AptPackage[]>;
  /** Puts the .deb file of each `name=version` into a folder. */
  download(wanted: readonly string[], folder: string): Promise<void>;
}

/**
 * Has apt learn what there is now, unless it is asked for what the machine has.
 *
 * @param folder Where it keeps what it learns.
 * @param suites Suites of Debian, the one that is meant first; the machine's own if there are none.
 */
export async function openApt(
  folder: string,
  suites: readonly string[],
  signal?: AbortSignal,
): Promise<Apt> {
  const { options, lock } = suites.length === 0
    ? { options: [], lock: undefined }
    : await suiteState(folder, suites, signal);
  const reading = <T>(task: () => Promise<T>) =>
    lock === undefined ? task() : locked(lock, { alone: false, signal }, task);
  return {
    async show(...names) {
      const args = [...options, "show", "--no-all-versions", ...names];
      const shown = missingPrograms(["apt-cache", "apt-get"]).length > 0
        ? new Uint8Array()
        : await reading(() => run("apt-cache", args, { signal })).catch(emptyIfFailed);
      return parseAptShow(new TextDecoder().decode(shown));
    },
    async download(wanted, cwd) {
      // The sandbox's user may not write to a user's cache, and apt would warn of it.
      const args = [...options, "-qq", "-o", "APT::Sandbox::User=root", "download", ...wanted];
      await reading(() => run("apt-get", args, { cwd, signal }));
    },
  };
}

/** Unpacks all .deb files of a folder into another. */
export async function unpackDebs(
  debs: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  for await (const { name } of Deno.readDir(debs)) {
    await run("dpkg-deb", ["-x", join(debs, name), target], { signal });
  }
}

function emptyIfFailed(error: unknown): Uint8Array<ArrayBuffer> {
  if (error instanceof ToolError) return new Uint8Array();
  throw error;
}

/** An archive as `apt-get indextargets` lists it. */
const ARCHIVE = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
/** The keys of all of Debian's releases; apt itself may have but those of its own. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A sources.list for other suites of the Debian that apt has already. */
export function suiteSources(archives: string, suites: readonly string[]): string {
  for (const line of archives.split("\n")) {
    const [origin, label, uri] = line.split("|");
    if (origin !== "Debian" || label !== "Debian" || !uri) continue;
    return suites.map((suite) => `deb [signed-by=${KEYRING}] ${uri} ${suite} main\n`).join("");
  }
  throw new ToolError("apt has no archive of Debian's, of which --suite could be one");
}

/** What apt keeps of some suites. */
interface SuiteState {
  /** Options that have apt see these suites alone. */
  readonly options: readonly string[];
  /** The file to lock while apt reads or writes it: apt itself doesn't wait for its own lock. */
  readonly lock: string;
}

/** Has apt keep what it learns in a folder of its own: the machine's lists stay as they are. */
async function suiteState(
  folder: string,
  suites: readonly string[],
  signal?: AbortSignal,
): Promise<SuiteState> {
  const [chosen] = suites;
  const wrong = suites.find((suite) => !/^[a-z][a-z-]*$/.test(suite));
  if (wrong !== undefined) throw new ToolError(`There is no suite "${wrong}"`);
  requirePrograms(["apt-get", "apt-cache"]);
  const listed = await run("apt-get", ["indextargets", "--format", ARCHIVE], { signal });
  const state = join(folder, `apt-${chosen}`);
  for (const part of ["lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(join(state, part), { recursive: true });
  }
  // What is in it changes, but that doesn't make it new.
  await use(state);
  const sources = join(state, "sources.list");
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(state, "lists")}`,
    `Dir::Cache=${join(state, "cache")}`,
    // It would rather keep what is installed, if that is newer than the suite's.
    "Dir::State::Status=/dev/null",
    // A suite that is not chosen by default would not be asked otherwise.
    `APT::Default-Release=${chosen}`,
    "APT::Sandbox::User=root",
  ];
  const options = settings.flatMap((setting) => ["-o", setting]);
  const lock = join(state, "lock");
  await locked(lock, { alone: true, signal }, async () => {
    await Deno.writeTextFile(sources, suiteSources(new TextDecoder().decode(listed), suites));
    await run("apt-get", [...options, "-qq", "update"], { signal });
  });
  return { options, lock };
}
