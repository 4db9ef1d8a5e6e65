/**
 * The Debian packages that run inside: the cloud kernel, BusyBox and Memtest86+. They are downloaded
 * and unpacked, never installed: installing a kernel builds an initramfs and puts an entry into the
 * machine's boot menu, for a kernel that has no drivers for real hardware.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cached, hash } from "./cache.ts";
import { NestedError } from "./error.ts";
import { findModules, type KernelModule } from "./modules.ts";
import { missingPrograms, run } from "./process.ts";

/** Depends on the package of the kernel proper, whose name has the kernel's version. */
const KERNEL = "linux-image-cloud-amd64";
const BUSYBOX = "busybox-static";
const MEMTEST = "memtest86+";
const MODULES = ["kvm-amd"];

/** What the packages hold, unpacked. */
export interface Unpacked {
  /** A folder of what tests boot as their guests, see {@linkcode guestFiles}. */
  readonly guests: string;
  /** The kernel's image; one of the guests. */
  readonly kernel: string;
  /** The program; one of the guests' files, too. */
  readonly busybox: string;
  /** Modules in the order of loading. */
  readonly modules: readonly string[];
}

/** The files that tests find in the folder that `KVM_TEST_GUESTS` names, and where they come from. */
const guestFiles: Readonly<Record<string, RegExp>> = {
  vmlinuz: /\/(boot\/vmlinuz[^/]*|modules\/[^/]*\/vmlinuz)$/,
  busybox: /\/bin\/busybox$/,
  "memtest86+x64.bin": /\/boot\/[^/]*x64(\.bin)?$/,
};

/** Where packages come from: a name for the cache, and putting the .deb files into a folder. */
interface Source {
  readonly inputs: unknown;
  fetch(folder: string): Promise<void>;
}

/** Downloads and unpacks, or finds it done. */
export async function packages(
  folder: string,
  debs: string | undefined,
  signal?: AbortSignal,
): Promise<Unpacked> {
  const source = debs === undefined ? await fromApt(folder, signal) : await fromFolder(debs);
  const name = `packages-${await hash([MODULES, Object.keys(guestFiles), source.inputs])}`;
  const path = await cached(folder, name, async (path) => {
    const downloads = `${path}.debs`;
    const files = `${path}.files`;
    await Deno.mkdir(downloads);
    await source.fetch(downloads);
    for await (const deb of Deno.readDir(downloads)) {
      await run("dpkg-deb", ["-x", join(downloads, deb.name), files], { signal });
    }
    await Deno.mkdir(path);
    await select(files, path, signal);
  });
  const modules = [...Deno.readDirSync(join(path, "modules"))].map(({ name }) => name).sort();
  const guests = join(path, "guests");
  return {
    guests,
    kernel: join(guests, "vmlinuz"),
    busybox: join(guests, "busybox"),
    modules: modules.map((name) => join(path, "modules", name)),
  };
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

async function fromApt(folder: string, signal?: AbortSignal): Promise<Source> {
  // It fails where it knows none of them.
  const shown = missingPrograms(["apt-cache", "apt-get"]).length > 0
    ? new Uint8Array()
    : await run("apt-cache", ["show", "--no-all-versions", KERNEL, BUSYBOX, MEMTEST], { signal })
      .catch(emptyIfFailed);
  const wanted = wantedPackages(parseAptShow(new TextDecoder().decode(shown)));
  return {
    inputs: wanted,
    fetch: async (cwd) => {
      console.error(`nested: downloading ${wanted.join(", ")} into ${folder}`);
      // The sandbox's user may not write to a user's cache, and apt would warn of it.
      const args = ["-qq", "-o", "APT::Sandbox::User=root", "download", ...wanted];
      await run("apt-get", args, { cwd, signal });
    },
  };
}

function emptyIfFailed(error: unknown): Uint8Array<ArrayBuffer> {
  if (error instanceof NestedError) return new Uint8Array();
  throw error;
}

async function fromFolder(folder: string): Promise<Source> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    throw new NestedError(`--debs ${folder}: ${error instanceof Error ? error.message : error}`);
  }
  const chosen = ["linux-image-", "busybox", "memtest86+"].map((prefix) => {
    const found = names.filter((name) => name.startsWith(prefix) && name.endsWith("_amd64.deb"));
    const [name, another] = found;
    if (name !== undefined && another === undefined) return join(folder, name);
    const count = name === undefined ? "no" : "more than one";
    throw new NestedError(`There is ${count} ${prefix}*_amd64.deb in ${folder}`);
  });
  return {
    inputs: await Promise.all(chosen.map(async (path) => {
      const { size, mtime } = await Deno.stat(path);
      return [basename(path), size, mtime?.getTime()];
    })),
    fetch: async (target) => {
      for (const path of chosen) await Deno.copyFile(path, join(target, basename(path)));
    },
  };
}

/** Keeps of the unpacked files what is needed, the modules numbered in the order of loading. */
async function select(files: string, path: string, signal?: AbortSignal): Promise<void> {
  const found = walk(files);
  await Deno.mkdir(join(path, "guests"));
  for (const [name, pattern] of Object.entries(guestFiles)) {
    const file = found.find((file) => pattern.test(file));
    if (file === undefined) throw new NestedError(`The packages have no ${name}`);
    await Deno.rename(file, join(path, "guests", name));
  }
  await Deno.mkdir(join(path, "modules"));
  const modules: readonly KernelModule[] = await findModules(found, MODULES, signal);
  for (const [index, { name, bytes }] of modules.entries()) {
    await Deno.writeFile(join(path, "modules", `${index}-${name}.ko`), bytes);
  }
}

function walk(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    return isDirectory ? walk(path) : isFile ? [path] : [];
  });
}
