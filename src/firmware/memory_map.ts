/**
 * Which addresses are RAM, and what a kernel is told of them.
 *
 * @module
 */

import { Errno, KvmError, PAGE_SIZE, show } from "../../ffi/mod.ts";
import { PHYSICAL_END } from "../arch/x86/mod.ts";
import type { Range } from "../memory/mod.ts";
import { ACPI_TABLES, EBDA, HIGH_MEMORY, HIGH_RAM, LEGACY_HOLE, MMIO_HOLE } from "./layout/mod.ts";

/** The types of an e820 entry (ACPI 6.5, table 15.3 "Address Range Types"). */
export const E820Type = {
  /** RAM to use. */
  USABLE: 1,
  /** Not to be used. */
  RESERVED: 2,
  /** ACPI tables: RAM once they are read. */
  ACPI: 3,
  /** ACPI memory to be kept over sleep. */
  NVS: 4,
} as const;

/** A type of an e820 entry, by number. */
export type E820TypeNumber = typeof E820Type[keyof typeof E820Type];

/** An entry of the list that a PC's BIOS gives of its memory. */
export interface E820Entry {
  /** The first guest-physical address. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** What it is, see {@linkcode E820Type}. */
  readonly type: E820TypeNumber;
}

/** A machine's memory. */
export interface MemoryMap {
  /** Bytes of RAM in all. */
  readonly ramBytes: number;
  /** Where the RAM is, by ascending address: one slot of guest memory each. */
  readonly slots: readonly Range[];
  /** What a kernel is told, by ascending address; no two overlap. */
  readonly e820: readonly E820Entry[];
}

/** The hole for devices takes its share of the addresses. */
const MOST = PHYSICAL_END - (HIGH_RAM - MMIO_HOLE);
const GIB = 2 ** 30;

/**
 * The memory map of a machine: RAM from 0 to the hole for devices below 4 GiB, the rest from 4 GiB.
 *
 * @param ramBytes Bytes of RAM: a multiple of 4096, more than 1 MiB.
 * @throws {KvmError} EINVAL for another size.
 *
 * @example
 * ```ts
 * import { memoryMap } from "@deno-kvm/kvm/firmware";
 *
 * const { slots } = memoryMap(4 * 2 ** 30);
 * console.log(slots.map(({ guestPhysAddr }) => guestPhysAddr)); // [0, 4294967296]
 * ```
 */
export function memoryMap(ramBytes: number): MemoryMap {
  const right = Number.isSafeInteger(ramBytes) && ramBytes % PAGE_SIZE === 0 &&
    ramBytes > HIGH_MEMORY && ramBytes <= MOST;
  if (!right) {
    const hint =
      `Memory is a multiple of ${PAGE_SIZE} bytes, more than ${HIGH_MEMORY}, and at most ` +
      `${MOST / GIB}G, not ${show(ramBytes)}`;
    throw new KvmError({ operation: "map the machine's memory", errno: Errno.EINVAL, hint });
  }
  const low = Math.min(ramBytes, MMIO_HOLE);
  const high = ramBytes - low;
  const { USABLE, RESERVED } = E820Type;
  const slots: Range[] = [{ guestPhysAddr: 0, size: low }];
  const e820: E820Entry[] = [
    { start: 0, size: EBDA, type: USABLE },
    { start: EBDA, size: LEGACY_HOLE - EBDA, type: RESERVED },
    { start: ACPI_TABLES, size: HIGH_MEMORY - ACPI_TABLES, type: RESERVED },
    { start: HIGH_MEMORY, size: low - HIGH_MEMORY, type: USABLE },
  ];
  if (high > 0) {
    slots.push({ guestPhysAddr: HIGH_RAM, size: high });
    e820.push({ start: HIGH_RAM, size: high, type: USABLE });
  }
  return { ramBytes, slots, e820 };
}
