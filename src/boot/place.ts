/**
 * Finds room for the structures that a guest starts with: none overlaps the guest's code or another
 * one.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import { MemFlag } from "../../ffi/uapi/mod.ts";
import { formatRange, GuestMemory, MemorySlot, type Range } from "../memory/mod.ts";

/** Something to find room for. */
export interface Want {
  /** What it is, for the error that says what did not fit. */
  readonly what: string;
  /** Bytes. */
  readonly size: number;
  /** What its address is a multiple of. */
  readonly align: number;
}

/**
 * Real-mode interrupt vectors (SDM volume 3, "Interrupt and Exception Handling" of real mode) and BIOS
 * data: structures keep out.
 */
export const LOW_END = 0x500;

/** What addresses structures may have. */
export interface Reach {
  /** None is at this address or above. */
  readonly limit: number;
  /** They are below this address if they fit there. */
  readonly prefer: number;
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Guest memory that nothing has claimed yet. */
export class Space {
  /** Ascending; none touches the next. */
  #free: Piece[];
  readonly #prefer: number;

  /** All of these pieces, in any order; those that touch count as one. */
  constructor(pieces: readonly Range[], { limit, prefer }: Reach) {
    this.#prefer = prefer;
    this.#free = joined(
      pieces
        .map((range) => ({
          start: Math.max(range.guestPhysAddr, LOW_END),
          end: Math.min(endOf(range), limit),
        }))
        .filter(({ start, end }) => start < end)
        .sort((a, b) => a.start - b.start),
    );
  }

  /** The memory that the guest can write to. */
  static of(memory: MemorySlot | GuestMemory, reach: Reach): Space {
    const writable = slotsOf(memory).filter(({ flags }) => (flags & MemFlag.READONLY) === 0);
    return new Space(writable, reach);
  }

  /** Takes a range out, as far as it was free. */
  exclude(range: Range): void {
    const { guestPhysAddr } = range;
    const end = endOf(range);
    this.#free = this.#free.flatMap((piece) => {
      if (end <= piece.start || guestPhysAddr >= piece.end) return [piece];
      const below = { start: piece.start, end: guestPhysAddr };
      const above = { start: end, end: piece.end };
      return [below, above].filter((part) => part.start < part.end);
    });
  }

  /** How many bytes just below an address are free. */
  below(address: number): number {
    const piece = this.#free.find(({ start, end }) => address > start && address <= end);
    return piece === undefined ? 0 : address - piece.start;
  }

  /**
   * Finds room for everything, each one as high as it goes.
   *
   * @throws {KvmError} ENOMEM, with the bytes needed.
   */
  place(operation: string, wants: readonly Want[]): Range[] {
    const before = this.#free;
    const places: Range[] = [];
    for (const want of wants) {
      const place = this.#take(want);
      if (place === undefined) {
        this.#free = before;
        throw this.#full(operation, wants);
      }
      places.push(place);
    }
    return places;
  }

  #take({ size, align }: Want): Range | undefined {
    for (const ceiling of [this.#prefer, Infinity]) {
      for (const { start, end } of this.#free.toReversed()) {
        const guestPhysAddr = Math.floor((Math.min(end, ceiling) - size) / align) * align;
        if (guestPhysAddr < start) continue;
        const range = { guestPhysAddr, size };
        this.exclude(range);
        return range;
      }
    }
    return undefined;
  }

  #full(operation: string, wants: readonly Want[]): KvmError {
    const bytes = wants.reduce((sum, { size, align }) => sum + roundUp(size, align), 0);
    const list = wants.map(({ what, size }) => `${size} for ${what}`).join(", ");
    const free = this.#free.length === 0
      ? "none is left"
      : `left is ${
        this.#free.map(({ start, end }) => formatRange({ guestPhysAddr: start, size: end - start }))
          .join(", ")
      }`;
    const hint =
      `Beside its code the guest needs ${bytes} bytes of memory (${list}) where it can ` +
      `reach and write it; ${free}: add memory, or load the code elsewhere`;
    return new KvmError({ operation, errno: Errno.ENOMEM, hint });
  }
}

/** Throws EINVAL unless there is guest memory. */
export function checkMemory(operation: string, memory: MemorySlot | GuestMemory): void {
  if (memory instanceof MemorySlot || memory instanceof GuestMemory) return;
  const hint = `The memory is a MemorySlot, or all of a VM's: vm.memory, not ${show(memory)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}

/** The slots of any guest memory. */
export function slotsOf(memory: MemorySlot | GuestMemory): readonly MemorySlot[] {
  return "slots" in memory ? memory.slots : [memory];
}

/** The first address behind a range. */
export function endOf({ guestPhysAddr, size }: Range): number {
  return guestPhysAddr + size;
}

/** The next multiple. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Ascending pieces, those that touch as one. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && piece.start <= last.end) {
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, piece.end) };
    } else result.push(piece);
  }
  return result;
}
