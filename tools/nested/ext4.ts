/**
 * Disk images, made without root: mke2fs copies a folder into one.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "../support/process.ts";

const BLOCK = 4096;

/** Where the partition of a partitioned image begins. */
export const PARTITION = 1 << 20;
const SECTOR = 512;

export interface ImageOptions {
  /** Bytes to leave free; they take no space on the host until they are written. */
  readonly free: number;
  /** The disk's id: its file system is in a partition then. Otherwise it is the whole disk. */
  readonly id?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image of a folder. */
export async function makeImage(
  folder: string,
  image: string,
  { free, id, signal }: ImageOptions,
): Promise<void> {
  // Every file is taken to waste a block and every 4 KiB to have an inode: no image is too small.
  const size = usage(folder) * 1.1 + free;
  const options = ["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-i", `${BLOCK}`];
  const offset = id === undefined ? 0 : PARTITION;
  const root = ["-E", `root_owner=0:0,offset=${offset}`, "-d", folder];
  await run("mke2fs", [...options, ...root, image, `${Math.ceil(size / 1024)}k`], { signal });
  if (id !== undefined) await writePartitionTable(image, id);
}

/** A PC's, with one partition, which takes the rest of the disk (UEFI 2.10, 5.2.1). */
async function writePartitionTable(image: string, id: number): Promise<void> {
  using file = await Deno.open(image, { write: true });
  const { size } = await file.stat();
  const sector = new DataView(new ArrayBuffer(SECTOR));
  const LINUX = 0x83;
  sector.setUint32(440, id, true);
  sector.setUint8(446 + 4, LINUX);
  sector.setUint32(446 + 8, PARTITION / SECTOR, true);
  sector.setUint32(446 + 12, (size - PARTITION) / SECTOR, true);
  sector.setUint16(510, 0xaa55, true);
  await file.write(new Uint8Array(sector.buffer));
}

function usage(folder: string): number {
  let bytes = BLOCK;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? usage(path) : Deno.lstatSync(path).size + BLOCK;
  }
  return bytes;
}
