/**
 * An ELF file's segments at their physical addresses.
 *
 * @module
 */

import { Errno } from "../../../ffi/mod.ts";
import { roundUp } from "../../boot/parts/mod.ts";
import { HIGH_MEMORY } from "../../firmware/mod.ts";
import type { Plan } from "../plan.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import type { ElfImage } from "./parse.ts";

/** A file that was placed. */
export interface PlacedElf {
  /** What was added to all of its addresses. */
  readonly bias: number;
  /** The first address behind its last segment. */
  readonly end: number;
}

/**
 * Claims each segment's place and has it filled. A file that may be moved goes to `loadAddress`; by
 * default it stays where its addresses are if that is above 1 MiB, and goes to 1 MiB otherwise.
 */
export function placeElf(
  plan: Plan,
  { image }: ImageReader,
  { segments, relocatable, align }: ElfImage,
  loadAddress?: number,
): PlacedElf {
  const [{ physAddr: lowest }] = segments;
  if (loadAddress !== undefined) {
    if (!relocatable) {
      const hint = "It is linked for fixed addresses (type ET_EXEC): leave loadAddress out";
      throw plan.error(Errno.EINVAL, hint);
    }
    if ((loadAddress - lowest) % align !== 0) {
      const hint = `loadAddress, ${hex(loadAddress)}, is ${hex(lowest % align)} modulo the ` +
        `segments' alignment, ${hex(align)}`;
      throw plan.error(Errno.EINVAL, hint);
    }
  }
  const bias = loadAddress !== undefined
    ? loadAddress - lowest
    : relocatable && lowest < HIGH_MEMORY
    ? roundUp(HIGH_MEMORY, align)
    : 0;
  for (const { index, offset, fileSize, memorySize, physAddr } of segments) {
    const bytes = image.subarray(offset, offset + fileSize);
    plan.put(`segment ${index}`, physAddr + bias, bytes, memorySize);
  }
  const last = segments.at(-1)!;
  return { bias, end: last.physAddr + last.memorySize + bias };
}

/**
 * The physical address of the first instruction. Kernels' headers have it so; a program's may be
 * virtual, and is translated by the segment that has it.
 *
 * @param entry As in the header; what another source says is physical.
 */
export function entryOf(
  reader: ImageReader,
  { segments }: ElfImage,
  { bias }: PlacedElf,
  entry: bigint,
): number {
  const physical = segments.find(({ physAddr, memorySize }) =>
    entry >= BigInt(physAddr) && entry < BigInt(physAddr + memorySize)
  );
  if (physical !== undefined) return Number(entry) + bias;
  const virtual = segments.find(({ virtAddr, memorySize }) =>
    entry >= virtAddr && entry < virtAddr + BigInt(memorySize)
  );
  if (virtual !== undefined) return virtual.physAddr + Number(entry - virtual.virtAddr) + bias;
  const hint = `The entry, ${hex(entry)}, is in no segment: link with the entry in the code`;
  throw reader.error(Errno.ENOEXEC, hint);
}
