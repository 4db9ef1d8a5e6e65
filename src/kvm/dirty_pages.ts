/**
 * Pages that a guest wrote to, as ranges.
 *
 * @module
 */

import { PAGE_SIZE } from "../../ffi/mod.ts";
import type { MemorySlot, Range } from "../memory/mod.ts";

/** Consecutive pages of a slot that the guest wrote to. */
export interface DirtyRange extends Range {
  /** The slot's number. */
  readonly slot: number;
}

/** How many bytes a slot's dirty bitmap has: a bit per page, in whole u64. */
export function bitmapBytes(size: number): number {
  return Math.ceil(size / PAGE_SIZE / 64) * 8;
}

/** The ranges of a bitmap's set bits. */
export function rangesOf(
  { slot, guestPhysAddr }: MemorySlot,
  bitmap: Uint8Array<ArrayBuffer>,
): DirtyRange[] {
  const { buffer, byteOffset, length } = bitmap;
  const words = new DataView(buffer, byteOffset, length);
  const ranges: DirtyRange[] = [];
  let first = -1;
  const end = (page: number) => {
    const start = guestPhysAddr + first * PAGE_SIZE;
    ranges.push({ slot, guestPhysAddr: start, size: (page - first) * PAGE_SIZE });
    first = -1;
  };
  for (let at = 0; at < length; at += 4) {
    const word = words.getUint32(at, true);
    // Most words are all clean, or as dirty as the range that goes on.
    if (word === 0 && first < 0) continue;
    if (word === 0xffff_ffff && first >= 0) continue;
    for (let bit = 0; bit < 32; bit++) {
      const dirty = (word >>> bit & 1) === 1;
      if (dirty === first >= 0) continue;
      const page = at * 8 + bit;
      if (dirty) first = page;
      else end(page);
    }
  }
  if (first >= 0) end(length * 8);
  return ranges;
}
