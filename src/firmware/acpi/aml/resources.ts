/**
 * What a device occupies: the descriptors of its _CRS (ACPI 6.5, 6.4).
 *
 * @module
 */

import { checkInteger } from "../../../../ffi/mod.ts";
import { concat, dword, word } from "../../bytes.ts";
import { buffer } from "./data.ts";
import type { Aml } from "./encode.ts";

// A small descriptor's first byte has its type in bits 3 to 6 and its length in bits 0 to 2; a
// large one has bit 7 set, and its length in the next two bytes (6.4.2, 6.4.3).
const IRQ_NO_FLAGS = 0x22;
const IO_PORT = 0x47;
const END_TAG = 0x79;
const MEMORY32_FIXED = 0x86;
const EXTENDED_INTERRUPT = 0x89;

/** A descriptor of a resource. */
export type Resource = Uint8Array<ArrayBuffer>;

/** All of a device's resources, as the buffer that its _CRS is. */
export function resourceTemplate(...resources: readonly Resource[]): Aml {
  // A checksum of 0 says that there is none (6.4.2.9).
  return buffer(concat(...resources, [END_TAG, 0]));
}

/**
 * An ISA interrupt, edge-triggered, active high and not shared: IRQNoFlags (6.4.2.1).
 *
 * @throws {KvmError} EINVAL if it is none of 0 to 15.
 */
export function irqNoFlags(irq: number): Resource {
  checkInteger("describe an interrupt", "An ISA interrupt", irq, 0, 15);
  return concat([IRQ_NO_FLAGS], word(1 << irq));
}

/**
 * I/O ports, decoded in all 16 bits of their address (6.4.2.5).
 *
 * @throws {KvmError} EINVAL if there are no such ports, or more than 255 of them.
 */
export function io(port: number, count: number): Resource {
  const operation = "describe I/O ports";
  checkInteger(operation, "The number of ports", count, 1, 255);
  checkInteger(operation, "The first port", port, 0, 0x1_0000 - count);
  const decode16 = 1;
  const alignment = 1;
  return concat([IO_PORT, decode16], word(port), word(port), [alignment, count]);
}

/**
 * Memory that can be read and written (6.4.3.4).
 *
 * @throws {KvmError} EINVAL if it does not lie below 4 GiB.
 */
export function memory32Fixed(address: number, size: number): Resource {
  const operation = "describe a device's memory";
  checkInteger(operation, "The size", size, 1, 0xffff_ffff);
  checkInteger(operation, "The address", address, 0, 0x1_0000_0000 - size);
  const writable = 1;
  return concat([MEMORY32_FIXED], word(9), [writable], dword(address), dword(size));
}

/** How an interrupt comes; by default as a level, active high, not shared. */
export interface InterruptOptions {
  /** Whether the edge counts, and not the level. */
  readonly edge?: boolean | undefined;
  /** Whether the line is low when it is active. */
  readonly activeLow?: boolean | undefined;
  /** Whether other devices may have the same one. */
  readonly shared?: boolean | undefined;
}

/**
 * An interrupt by the number that ACPI has for all of them: an I/O APIC's pin (6.4.3.6).
 *
 * @throws {KvmError} EINVAL if it has more than 32 bits.
 */
export function interrupt(gsi: number, options: InterruptOptions = {}): Resource {
  checkInteger("describe an interrupt", "An interrupt", gsi, 0, 0xffff_ffff);
  const { edge = false, activeLow = false, shared = false } = options;
  const consumer = 1;
  const flags = consumer | Number(edge) << 1 | Number(activeLow) << 2 | Number(shared) << 3;
  const count = 1;
  return concat([EXTENDED_INTERRUPT], word(6), [flags, count], dword(gsi));
}
