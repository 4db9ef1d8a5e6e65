/**
 * Page tables that map each address to itself (SDM volume 3, "32-Bit Paging", "4-Level Paging
 * and 5-Level Paging").
 *
 * @module
 */

import { Errno, isName, KvmError, show } from "../../../ffi/mod.ts";

/** The bits of a page-table entry; those of 32-bit paging are the same, up to G. */
export const PageEntry = {
  /** Present. */
  P: 1n << 0n,
  /** Writable. */
  RW: 1n << 1n,
  /** Level 3 may use it. */
  US: 1n << 2n,
  /** Write-through. */
  PWT: 1n << 3n,
  /** Cache disable. */
  PCD: 1n << 4n,
  /** Accessed: the processor sets it. */
  A: 1n << 5n,
  /** Dirty: the processor sets it. */
  D: 1n << 6n,
  /** In a directory or a pointer table: this is a page and not a table. */
  PS: 1n << 7n,
  /** Global: it survives a change of CR3. */
  G: 1n << 8n,
  /** Execution forbidden; needs EFER.NXE. */
  NX: 1n << 63n,
} as const;

/** The sizes of a page in long mode. */
export type PageSize = "4K" | "2M" | "1G";

/** Bytes of a page, by its size's name. */
export const PAGE_BYTES = { "4K": 2 ** 12, "2M": 2 ** 21, "1G": 2 ** 30 } as const;

/** Bytes of a table, of any level. */
export const TABLE_BYTES = 4096;

/**
 * Addresses from here on are no longer canonical in the lower half (SDM volume 1, "Canonical
 * Addressing").
 */
export const CANONICAL_END: number = 2 ** 47;

/**
 * No processor has physical addresses from here on: they have 52 bits at most (SDM volume 3,
 * "Enumeration of Paging Features by CPUID").
 */
export const PHYSICAL_END: number = 2 ** 52;

const ENTRIES = 512;
const LEVELS = 4;
const ADDRESS_MASK = 0x000f_ffff_ffff_f000n;
const { P, RW, US, PS } = PageEntry;

/** The bytes that an entry of a level covers: 4 KiB, 2 MiB, 1 GiB, 512 GiB. */
function spanOf(level: number): number {
  return 2 ** (12 + 9 * (level - 1));
}

/**
 * Four levels of page tables, built up range by range and then placed in memory as one block. The
 * first table is the one for CR3.
 *
 * @example
 * ```ts
 * import { IdentityMap, PageEntry } from "@deno-kvm/kvm";
 *
 * const map = new IdentityMap("2M");
 * map.add(0, 2 ** 32, PageEntry.RW | PageEntry.US);
 * console.log(map.size); // 24576: a PML4, a pointer table and four directories
 * const bytes = map.encode(0x10000); // for guest-physical 0x10000, and so CR3
 * ```
 */
export class IdentityMap {
  readonly #largest: number;
  /** A table's entry is a page, or another table's index * 4096 until {@linkcode encode}. */
  readonly #tables: BigUint64Array[] = [new BigUint64Array(ENTRIES)];
  /** Where the entries for other tables are: table * 512 + index. */
  readonly #links: number[] = [];

  /**
   * A map of nothing yet, with pages up to a size where a range covers them whole.
   *
   * @throws {KvmError} EINVAL for what is no such size.
   */
  constructor(largest: PageSize = "2M") {
    if (!isName(PAGE_BYTES, largest)) {
      const operation = `map memory in pages of ${show(largest)}`;
      const hint = `A page's size is ${Object.keys(PAGE_BYTES).join(", ")}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.#largest = PAGE_BYTES[largest];
  }

  /** Bytes of all tables. */
  get size(): number {
    return this.#tables.length * TABLE_BYTES;
  }

  /**
   * Maps a range, or changes it where it was mapped. Pages that it covers in part are split.
   *
   * @param start The first address, a multiple of 4096.
   * @param end The first address behind it, a multiple of 4096 up to 2^47.
   * @param flags Of each page, `PageEntry` bits; P and PS are added.
   */
  add(start: number, end: number, flags: bigint): void {
    this.#add(0, LEVELS, start, end, flags | P);
  }

  /** The tables as bytes, for a guest-physical address that is a multiple of 4096. */
  encode(address: number): Uint8Array<ArrayBuffer> {
    const bytes = new BigUint64Array(this.#tables.length * ENTRIES);
    const base = BigInt(address);
    this.#tables.forEach((table, index) => bytes.set(table, index * ENTRIES));
    for (const link of this.#links) bytes[link]! += base;
    return new Uint8Array(bytes.buffer);
  }

  #add(table: number, level: number, start: number, end: number, flags: bigint): void {
    const span = spanOf(level);
    const entries = this.#tables[table]!;
    for (let at = start; at < end;) {
      const index = Math.floor(at / span) % ENTRIES;
      const next = Math.min(end, (Math.floor(at / span) + 1) * span);
      const whole = span <= this.#largest && next - at === span;
      if (whole && !isTable(entries[index]!, level)) {
        entries[index] = BigInt(at) | flags | (level > 1 ? PS : 0n);
      } else {
        this.#add(this.#below(table, index, level), level - 1, at, next, flags);
      }
      at = next;
    }
  }

  /** The table under an entry; a new one maps what the entry mapped as a page. */
  #below(table: number, index: number, level: number): number {
    const entries = this.#tables[table]!;
    const entry = entries[index]!;
    if (isTable(entry, level)) return Number((entry & ADDRESS_MASK) >> 12n);
    const below = new BigUint64Array(ENTRIES);
    if ((entry & P) !== 0n) {
      const span = BigInt(spanOf(level - 1));
      const first = level === 2 ? entry & ~PS : entry;
      for (let at = 0; at < ENTRIES; at++) below[at] = first + BigInt(at) * span;
    }
    const number = this.#tables.push(below) - 1;
    // The rights of a page are those of its own entry: the tables above allow everything.
    entries[index] = BigInt(number * TABLE_BYTES) | P | RW | US;
    this.#links.push(table * ENTRIES + index);
    return number;
  }
}

function isTable(entry: bigint, level: number): boolean {
  return level > 1 && (entry & (P | PS)) === P;
}

/**
 * A page directory of 32-bit paging that maps all 4 GiB to themselves in 4 MiB pages, open to
 * level 3; needs CR4.PSE (SDM volume 3, "32-Bit Paging").
 */
export function pageDirectory32(): Uint8Array<ArrayBuffer> {
  const flags = Number(P | RW | US | PS);
  const entries = Uint32Array.from({ length: 1024 }, (_, index) => index * 2 ** 22 + flags);
  return new Uint8Array(entries.buffer);
}
