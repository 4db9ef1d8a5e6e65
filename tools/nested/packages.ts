/**
 * The Debian packages that run inside: the cloud kernel, BusyBox and Memtest86+. They are downloaded
 * and unpacked, never installed: installing a kernel builds an initramfs and puts an entry into the
 * machine's boot menu, for a kernel that has no drivers for real hardware.
 *
 * @module
 */

import { basename, join } from "node:path";
import { unpackDebs } from "../support/apt.ts";
import { cached, hash } from "../support/cache.ts";
import { fromApt, type Source } from "./apt.ts";
import { NestedError } from "./error.ts";
import { findModules, type KernelModule } from "./modules.ts";

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

/** Where the packages are from: a folder, another suite of Debian, or else apt's own choice. */
export interface Origin {
  readonly debs: string | undefined;
  readonly suite: string | undefined;
}

/** Downloads and unpacks, or finds it done. */
export async function packages(
  folder: string,
  { debs, suite }: Origin,
  signal?: AbortSignal,
): Promise<Unpacked> {
  const source = debs === undefined ? await fromApt(folder, suite, signal) : await fromFolder(debs);
  const name = `packages-${await hash([MODULES, Object.keys(guestFiles), source.inputs])}`;
  const path = await cached(folder, name, async (path) => {
    const downloads = `${path}.debs`;
    const files = `${path}.files`;
    await Deno.mkdir(downloads);
    await source.fetch(downloads);
    await unpackDebs(downloads, files, signal);
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

async function fromFolder(folder: string): Promise<Source> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    throw new NestedError(`--debs ${folder}: ${error instanceof Error ? error.message : error}`);
  }
  const all = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix) && name.endsWith("_amd64.deb"));
  const single = (prefix: string) => {
    const [name, another] = all(prefix);
    if (name !== undefined && another === undefined) return name;
    const count = name === undefined ? "no" : "more than one";
    throw new NestedError(`There is ${count} ${prefix}*_amd64.deb in ${folder}`);
  };
  // Newer kernels come in parts, and their linux-image- is empty.
  const parts = all("linux-binary-").length > 0
    ? [single("linux-binary-"), single("linux-modules-")]
    : [single("linux-image-")];
  const chosen = [...parts, single("busybox"), single("memtest86+")].map((name) =>
    join(folder, name)
  );
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
