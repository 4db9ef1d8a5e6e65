/**
 * What goes where: found out in full before anything is written.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { endOf, FOUR_GIB, roundUp } from "../boot/parts/mod.ts";
import { EBDA, HIGH_MEMORY } from "../firmware/mod.ts";
import { formatRange, type GuestMemory, type Range } from "../memory/mod.ts";
import type { LoadedRegion, LoadOptions } from "./options.ts";
import { hex } from "./text.ts";
import { type Piece, usableRam, without } from "./ram.ts";

/** Bytes to be written, and how many zeroes behind them. */
interface Write {
  readonly guestPhysAddr: number;
  readonly bytes: Uint8Array;
  readonly zeroes: number;
}

/** Something to find room for. */
export interface Want {
  /** What it is, for people. */
  readonly what: string;
  /** Bytes, at least 1. */
  readonly size: number;
  /** What its address is a multiple of: a power of two. */
  readonly align: number;
}

/** Where there may be room. */
export interface Bounds {
  /** No lower than this; 1 MiB by default. */
  readonly from?: number | undefined;
  /** Below this; 4 GiB by default. */
  readonly to?: number | undefined;
}

/** A page, and what modules and the initial ramdisk begin with. */
export const PAGE = 4096;

/**
 * A plan to be made step by step. Each step claims memory that is usable and nobody else's, or
 * throws; {@linkcode Plan.carryOut} is the only one that writes.
 */
export class Plan {
  /** The end of a sentence that begins with "Cannot". */
  readonly operation: string;
  readonly #ram: readonly Piece[];
  #free: readonly Piece[];
  readonly #regions: LoadedRegion[] = [];
  readonly #writes: Write[] = [];

  /** Nothing is claimed yet. */
  constructor(operation: string, memory: GuestMemory, { memoryMap }: LoadOptions) {
    this.operation = operation;
    this.#ram = usableRam(memory, memoryMap);
    this.#free = this.#ram;
  }

  /** What is claimed, by ascending address. */
  get regions(): readonly LoadedRegion[] {
    return this.#regions.toSorted((a, b) => a.guestPhysAddr - b.guestPhysAddr);
  }

  /** KiB of RAM from 1 MiB to the first hole: what a PC's BIOS calls extended memory. */
  get extendedMemory(): number {
    const piece = this.#ram.find(({ start }) => start === HIGH_MEMORY);
    return piece === undefined
      ? 0
      : Math.floor((Math.min(piece.end, FOUR_GIB) - HIGH_MEMORY) / 1024);
  }

  /** KiB of RAM from 0: 639 on a PC with an extended BIOS data area. */
  get conventionalMemory(): number {
    const piece = this.#ram.find(({ start }) => start < EBDA);
    return piece === undefined ? 0 : Math.floor(piece.end / 1024);
  }

  /** An error of this plan. */
  error(errno: number, hint: string): KvmError {
    return new KvmError({ operation: this.operation, errno, hint });
  }

  /**
   * Claims a range.
   *
   * @throws {KvmError} ENOMEM if it is not all free RAM.
   */
  claim(what: string, guestPhysAddr: number, size: number): Range {
    const range = { guestPhysAddr, size };
    if (size === 0) return range;
    if (!this.#holds(this.#free, range)) throw this.#occupied(what, range);
    this.#free = without(this.#free, { start: guestPhysAddr, end: endOf(range) });
    this.#regions.push({ what, ...range });
    return range;
  }

  /** Claims a range for bytes; what the size leaves behind them is filled with zeroes. */
  put(what: string, guestPhysAddr: number, bytes: Uint8Array, size = bytes.length): Range {
    const range = this.claim(what, guestPhysAddr, size);
    this.fill(range, bytes, size - bytes.length);
    return range;
  }

  /** Has bytes written to a range that was claimed, and zeroes behind them. */
  fill({ guestPhysAddr }: Range, bytes: Uint8Array, zeroes = 0): void {
    this.#writes.push({ guestPhysAddr, bytes, zeroes });
  }

  /** Whether a range is free RAM. */
  isFree(guestPhysAddr: number, size: number): boolean {
    return this.#holds(this.#free, { guestPhysAddr, size });
  }

  /** Claims the highest room that there is. */
  claimHighest(want: Want, bounds: Bounds = {}): Range {
    const { size, align } = want;
    for (const { start, end } of this.#within(bounds).toReversed()) {
      const address = Math.floor((end - size) / align) * align;
      if (address >= start) return this.claim(want.what, address, size);
    }
    throw this.#full(want, bounds);
  }

  /** Claims the lowest room that there is. */
  claimLowest(want: Want, bounds: Bounds = {}): Range {
    const { size, align } = want;
    for (const { start, end } of this.#within(bounds)) {
      const address = roundUp(start, align);
      if (address + size <= end) return this.claim(want.what, address, size);
    }
    throw this.#full(want, bounds);
  }

  /** Writes everything. */
  carryOut(memory: GuestMemory): void {
    for (const { guestPhysAddr, bytes, zeroes } of this.#writes) {
      memory.writeBytes(guestPhysAddr, bytes);
      memory.fill(guestPhysAddr + bytes.length, zeroes);
    }
  }

  #within({ from = HIGH_MEMORY, to = FOUR_GIB }: Bounds): Piece[] {
    return this.#free
      .map(({ start, end }) => ({ start: Math.max(start, from), end: Math.min(end, to) }))
      .filter(({ start, end }) => start < end);
  }

  #holds(pieces: readonly Piece[], range: Range): boolean {
    return pieces.some(({ start, end }) => start <= range.guestPhysAddr && endOf(range) <= end);
  }

  #occupied(what: string, range: Range): KvmError {
    const wants = `The ${what} goes to ${formatRange(range)}`;
    const other = this.#regions.find((region) =>
      region.guestPhysAddr < endOf(range) && range.guestPhysAddr < endOf(region)
    );
    if (other !== undefined) {
      const hint = `${wants}, but ${formatRange(other)} holds the ${other.what}: link or load it ` +
        `elsewhere, best from 0x100000 on`;
      return this.error(Errno.ENOMEM, hint);
    }
    // Below 1 MiB there is never more.
    const advice = range.guestPhysAddr >= HIGH_MEMORY
      ? "add memory, or link or load it elsewhere"
      : `link or load it elsewhere, best from ${
        hex(HIGH_MEMORY)
      } on (ld puts an ELF file's headers ` +
        "before that, but for ld -n)";
    const hint = `${wants}, and not all of that is usable RAM, which is ${formatAll(this.#ram)}: ` +
      advice;
    return this.error(Errno.ENOMEM, hint);
  }

  #full({ what, size }: Want, { from = HIGH_MEMORY, to = FOUR_GIB }: Bounds): KvmError {
    const hint =
      `The ${what} needs ${size} bytes in one piece from ${hex(from)} up to ${hex(to)}; ` +
      `free RAM is ${formatAll(this.#free)}: add memory`;
    return this.error(Errno.ENOMEM, hint);
  }
}

/** As many as one reads. */
const SHOWN = 6;

function formatAll(pieces: readonly Piece[]): string {
  const shown = pieces.slice(0, SHOWN)
    .map(({ start, end }) => formatRange({ guestPhysAddr: start, size: end - start }));
  if (pieces.length > SHOWN) shown.push("more");
  return shown.join(", ") || "nowhere";
}
