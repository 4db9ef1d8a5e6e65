/**
 * The RAM that a kernel and what comes with it may be put into.
 *
 * @module
 */

import { MemFlag } from "../../ffi/uapi/mod.ts";
import { endOf } from "../boot/parts/mod.ts";
import { BOOT_GDT, type E820Entry, E820Type, EBDA, HIGH_MEMORY } from "../firmware/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";

/** A stretch of addresses. */
export interface Piece {
  /** The first address. */
  readonly start: number;
  /** The first address behind it. */
  readonly end: number;
}

/**
 * What the memory map calls usable and the guest can write to, by ascending address. Left out are
 * real mode's vectors and the BIOS's data below the GDT, and all from the extended BIOS data to
 * 1 MiB, whatever the map says: firmware tables and devices are there.
 */
export function usableRam(memory: GuestMemory, memoryMap: readonly E820Entry[]): Piece[] {
  const slots = joined(
    memory.slots
      .filter(({ flags }) => (flags & MemFlag.READONLY) === 0)
      .map((slot) => ({ start: slot.guestPhysAddr, end: endOf(slot) })),
  );
  const pieces = memoryMap.map(({ start, size, type }) => ({ start, end: start + size, type }));
  const usable = joined(pieces.filter(({ type }) => type === E820Type.USABLE));
  const reserved = [
    { start: 0, end: BOOT_GDT },
    { start: EBDA, end: HIGH_MEMORY },
    ...pieces.filter(({ type }) => type !== E820Type.USABLE),
  ];
  return reserved.reduce(without, intersection(slots, usable));
}

/** What is left of ascending pieces when a range is taken out. */
export function without(pieces: readonly Piece[], { start, end }: Piece): Piece[] {
  return pieces.flatMap((piece) => {
    if (start >= end || end <= piece.start || start >= piece.end) return [piece];
    const below = { start: piece.start, end: start };
    const above = { start: end, end: piece.end };
    return [below, above].filter((part) => part.start < part.end);
  });
}

function intersection(some: readonly Piece[], others: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let a = 0, b = 0; a < some.length && b < others.length;) {
    const [one, other] = [some[a]!, others[b]!];
    const start = Math.max(one.start, other.start);
    const end = Math.min(one.end, other.end);
    if (start < end) result.push({ start, end });
    if (one.end < other.end) a++;
    else b++;
  }
  return result;
}

/** Ascending pieces, those that touch as one. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  const filled = pieces.filter(({ start, end }) => start < end);
  for (const { start, end } of filled.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) {
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    } else result.push({ start, end });
  }
  return result;
}
