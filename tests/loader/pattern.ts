/**
 * Memory filled with a pattern, in which every write shows.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { GuestMemory } from "../../src/memory/mod.ts";

/** The byte that memory is full of. */
export const PATTERN = 0xcc;

/** At least as much of it as any slot has. */
let pattern = new Uint8Array(0);

/** Fills all memory. */
export function fillPattern(memory: GuestMemory): void {
  for (const slot of memory.slots) slot.all.fill(PATTERN);
}

/** The address of the first byte that is something else; undefined if there is none. */
export function firstChange(memory: GuestMemory): number | undefined {
  for (const { all, guestPhysAddr } of memory.slots) {
    if (pattern.length < all.length) pattern = new Uint8Array(all.length).fill(PATTERN);
    // Some ten times faster than a loop.
    if (Buffer.compare(all, pattern.subarray(0, all.length)) === 0) continue;
    return guestPhysAddr + all.findIndex((byte) => byte !== PATTERN);
  }
  return undefined;
}
