/**
 * The root disk: BusyBox, Deno with its libraries, the kernel's modules, what tests boot as their
 * guests, QEMU if it is asked for, and the first process.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { cached, hash } from "../support/cache.ts";
import { findProgram, run } from "../support/process.ts";
import { makeImage } from "./ext4.ts";
import type { Unpacked } from "./packages.ts";

const FREE = 16 << 20;
/** By this the kernel finds the disk: which of them it names first is chance. */
export const ROOT_ID = 0x6b766d31;
const mountPoints = ["proc", "sys", "dev", "tmp", "job", "root"];
const etc = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/hosts": "127.0.0.1 localhost\n",
} as const;

/** A file's path on the disk and here. */
type Entry = readonly [to: string, from: string];

/**
 * The image's path; it is made when there is none of these very files.
 *
 * @param withQemu Whether QEMU is on it, the one that is installed here.
 */
export async function rootImage(
  folder: string,
  { busybox, guests, modules }: Unpacked,
  withQemu: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const init = await Deno.readTextFile(new URL("init.sh", import.meta.url));
  const deno = Deno.execPath();
  const libraryPaths = await libraries(deno, signal);
  const files: Entry[] = [
    ["bin/busybox", busybox],
    ["bin/deno", deno],
    ...modules.map((path): Entry => [join("modules", basename(path)), path]),
    ...[...Deno.readDirSync(guests)].map(({ name }): Entry => [
      join("usr/share/kvm-guests", name),
      join(guests, name),
    ]),
  ];
  if (withQemu) {
    const qemu = findProgram("qemu-system-x86_64");
    // It looks for its firmware where it was built to find it, relative to itself.
    libraryPaths.push(qemu, ...await libraries(qemu, signal), ...await firmware(qemu, signal));
  }
  files.push(...[...new Set(libraryPaths)].map((path): Entry => [path, path]));
  const inputs = files.map(([to, from]) => {
    const { size, mtime } = Deno.statSync(from);
    return [to, from, size, mtime?.getTime()];
  });
  const key = await hash([init, etc, mountPoints, FREE, ROOT_ID, Deno.version.deno, inputs]);
  return await cached(folder, `root-${key}.img`, async (image) => {
    const root = `${image}.files`;
    for (const path of [...mountPoints, "etc"]) {
      await Deno.mkdir(join(root, path), { recursive: true });
    }
    for (const [to, from] of files) {
      await Deno.mkdir(join(root, dirname(to)), { recursive: true });
      await Deno.copyFile(from, join(root, to));
    }
    for (const [to, text] of Object.entries(etc)) await Deno.writeTextFile(join(root, to), text);
    await Deno.writeTextFile(join(root, "init"), init, { mode: 0o755 });
    const applets = new TextDecoder().decode(await run(busybox, ["--list"], { signal }));
    for (const name of applets.trim().split("\n")) {
      if (name !== "busybox") await Deno.symlink("busybox", join(root, "bin", name));
    }
    await makeImage(root, image, { free: FREE, id: ROOT_ID, signal });
  });
}

/** QEMU's files of firmware for x86: it tells its folders, one to a line. */
async function firmware(qemu: string, signal?: AbortSignal): Promise<string[]> {
  const folders = new TextDecoder().decode(await run(qemu, ["-L", "help"], { signal }));
  return folders.split("\n").flatMap((folder) => {
    try {
      const files = [...Deno.readDirSync(folder.trim())].map(({ name }) => name);
      return files.filter((name) => /\.(bin|rom)$/.test(name)).map((name) => join(folder, name));
    } catch (error) {
      // It names folders that other builds of it have.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

/** The shared libraries that a program loads, the loader among them. */
async function libraries(program: string, signal?: AbortSignal): Promise<string[]> {
  const listed = new TextDecoder().decode(await run("ldd", [program], { signal }));
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}
