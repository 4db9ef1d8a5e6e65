/**
 * Which file is behind a descriptor: the runtime tells that of its own files only, and not of standard
 * input and output.
 *
 * @module
 */

import { numbers } from "./syscall.ts";
import { shim } from "./shim.ts";

/** Where a file is. */
export interface FilePlace {
  /** The device that it is on. */
  readonly dev: number;
  /** Its number there. */
  readonly ino: number;
}

// struct stat of asm/stat.h, and a mode's type of file of linux/stat.h.
const SIZE = 144;
const DEV = 0;
const INO = 8;
const MODE = 24;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** The place of a regular file; undefined for whatever else a descriptor is, or if it is none. */
export function placeOfFile(fd: number): FilePlace | undefined {
  const bytes = new Uint8Array(SIZE);
  if (shim().transfer(numbers.fstat, BigInt(fd), bytes, 0n) !== 0n) return undefined;
  const stat = new DataView(bytes.buffer);
  if ((stat.getUint32(MODE, true) & S_IFMT) !== S_IFREG) return undefined;
  return {
    dev: Number(stat.getBigUint64(DEV, true)),
    ino: Number(stat.getBigUint64(INO, true)),
  };
}
