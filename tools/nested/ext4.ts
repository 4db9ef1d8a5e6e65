/**
 * Disk images, made without root: mke2fs copies a folder into one.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "./process.ts";

const BLOCK = 4096;

/**
 * Makes an image of a folder.
 *
 * @param free Bytes to leave free; they take no space on the host until they are written.
 */
export async function makeImage(
  folder: string,
  image: string,
  free: number,
  signal?: AbortSignal,
): Promise<void> {
  // Every file is taken to waste a block and every 4 KiB to have an inode: no image is too small.
  const size = usage(folder) * 1.1 + free;
  const options = ["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-i", `${BLOCK}`];
  const root = ["-E", "root_owner=0:0", "-d", folder];
  await run("mke2fs", [...options, ...root, image, `${Math.ceil(size / 1024)}k`], { signal });
}

function usage(folder: string): number {
  let bytes = BLOCK;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? usage(path) : Deno.lstatSync(path).size + BLOCK;
  }
  return bytes;
}
