/**
 * Accesses that are wider than a register.
 *
 * @module
 */

import type { Device } from "./device.ts";

/** The widest access that a bus makes, in bytes. */
const WIDEST = 4;

/** What a byte reads as where nobody drives the bus. */
export const OPEN_BYTE = 0xff;

/**
 * A read of several bytes from a device whose registers are one byte wide: one after the other, as
 * ISA's bus controller splits it.
 */
export function readBytewise(device: Device, offset: number, size: number): number {
  let value = 0;
  for (let at = 0; at < size && at < WIDEST; at++) {
    value |= (device.read(offset + at, 1) & 0xff) << 8 * at;
  }
  return value >>> 0;
}

/** A write of several bytes to a device whose registers are one byte wide. */
export function writeBytewise(device: Device, offset: number, size: number, value: number): void {
  for (let at = 0; at < size && at < WIDEST; at++) {
    device.write(offset + at, 1, value >>> 8 * at & 0xff);
  }
}

/** What `size` bytes read as where nobody answers: all ones. */
export function openBus(size: number): number {
  return size >= WIDEST ? 0xffff_ffff : 2 ** (8 * size) - 1;
}

/** A register of one byte in a wider read: the byte, and all ones where nobody answers behind it. */
export function lowByte(size: number, byte: number): number {
  return (openBus(size) & ~0xff | byte) >>> 0;
}
