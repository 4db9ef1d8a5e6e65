/**
 * Bytes as they are, at an address, in a mode.
 *
 * @module
 */

import { Errno } from "../../ffi/mod.ts";
import { endOf, FOUR_GIB } from "../boot/parts/mod.ts";
import { HIGH_MEMORY } from "../firmware/mod.ts";
import { formatRange, type Range } from "../memory/mod.ts";
import { claimStack, longEntry, protectedEntry, realEntry, withSse } from "./entry.ts";
import type { EntryPoint, LoadOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { ImageReader } from "./reader.ts";
import { hex } from "./text.ts";

/** Where a BIOS loads a boot sector, and below what its stack may be. */
const BOOT_SECTOR = 0x7c00;
/** Where an image goes whose `loadAddress` is left out, by its protocol. */
export const FLAT_ADDRESS: Readonly<Record<"flat16" | "flat32" | "flat64", number>> = {
  flat16: BOOT_SECTOR,
  flat32: HIGH_MEMORY,
  flat64: HIGH_MEMORY,
};
/** The first hard disk: a BIOS says in DL what it has booted. */
const FIRST_DISK = 0x80n;
/** Bytes that a stack in real mode has at least. */
const REAL_STACK = 1024;

/** Plans a boot sector, or other code for real mode. */
export function planFlat16(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const { range, entry } = place(plan, reader, options, FLAT_ADDRESS.flat16);
  if (endOf(range) > HIGH_MEMORY) {
    const hint = `Real mode reaches no further than 1 MiB, and the image goes to ` +
      `${formatRange(range)}: load it lower`;
    throw plan.error(Errno.EINVAL, hint);
  }
  plan.claim("stack", BOOT_SECTOR - REAL_STACK, REAL_STACK);
  return realEntry(entry, BOOT_SECTOR, { rdx: FIRST_DISK });
}

/** Plans 32-bit code. */
export function planFlat32(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const { range, entry } = place(plan, reader, options, FLAT_ADDRESS.flat32);
  if (endOf(range) > FOUR_GIB) {
    const hint = `32-bit code reaches no further than 4 GiB, and the image goes to ` +
      `${formatRange(range)}: load it lower`;
    throw plan.error(Errno.EINVAL, hint);
  }
  claimStack(plan);
  return protectedEntry(plan, entry, {}, withSse);
}

/** Plans 64-bit code. */
export function planFlat64(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const { entry } = place(plan, reader, options, FLAT_ADDRESS.flat64);
  claimStack(plan);
  return longEntry(plan, entry, {});
}

function place(
  plan: Plan,
  { image }: ImageReader,
  { loadAddress, entry }: LoadOptions,
  usual: number,
): { range: Range; entry: number } {
  const range = plan.put("image", loadAddress ?? usual, image);
  const first = entry ?? range.guestPhysAddr;
  if (first >= range.guestPhysAddr && first < endOf(range)) return { range, entry: first };
  const hint = `entry, ${hex(first)}, is not in the image, ${formatRange(range)}`;
  throw plan.error(Errno.EINVAL, hint);
}
