/**
 * From an exit to a device.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import type { Device } from "../devices/mod.ts";
import type { IoExit, MmioExit } from "../kvm/thread/mod.ts";
import { type Bus, OPEN_BUS, type Region } from "./bus.ts";

/**
 * Has a device handle a port exit: all elements of a string instruction, one after the other. It is
 * handed what reaches beyond its ports, too: the board's devices know what a wide access is to them.
 */
export function handleIo(exit: IoExit, { device, base }: Region): void {
  const { size, count } = exit;
  const offset = exit.port - base;
  if (count === 1) {
    if (exit.direction === "out") device.write(offset, size, exit.value);
    else exit.value = device.read(offset, size);
    return;
  }
  const { data } = exit;
  const isOut = exit.direction === "out";
  for (let at = 0; at < data.length; at += size) access(device, offset, data, at, size, isOut);
}

/** Has a device handle an MMIO exit: accesses wider than 4 bytes go in parts, the lower one first. */
export function handleMmio(exit: MmioExit, { device, base }: Region): void {
  const { len, data, isWrite } = exit;
  // A small number: one of 2^31 and more would be put on the heap at the call.
  const offset = exit.physAddr - base;
  for (let at = 0; at < len;) {
    const size = partOf(len - at);
    access(device, offset + at, data, at, size, isWrite);
    at += size;
  }
}

/** Handles an exit that no device has all of: each gets its part, and nobody the rest. */
export function handleParts(exit: IoExit | MmioExit, bus: Bus): void {
  const { data } = exit;
  if (exit.reason === "mmio") {
    return accessParts(bus, exit.physAddr, data, exit.isWrite);
  }
  const { port, size } = exit;
  for (let at = 0; at < data.length; at += size) {
    accessParts(bus, port, data.subarray(at, at + size), exit.direction === "out");
  }
}

function accessParts(bus: Bus, address: number, data: Uint8Array, isWrite: boolean): void {
  for (let at = 0; at < data.length;) {
    const region = bus.find(address + at);
    if (region === undefined) {
      if (!isWrite) data[at] = OPEN_BUS;
      at++;
      continue;
    }
    const { device, base, end } = region;
    const size = partOf(Math.min(data.length, end - address) - at);
    access(device, address + at - base, data, at, size, isWrite);
    at += size;
  }
}

function access(
  device: Device,
  offset: number,
  data: Uint8Array,
  at: number,
  size: number,
  isWrite: boolean,
): void {
  if (isWrite) device.write(offset, size, loadLittle(data, at, size));
  else storeLittle(data, at, size, device.read(offset, size));
}

/** What nobody answers: reads give ones, writes are lost. */
export function handleOpenBus(exit: IoExit | MmioExit): void {
  if (exit.reason === "io") {
    if (exit.direction === "in") exit.value = OPEN_BUS;
  } else if (!exit.isWrite) exit.data.fill(0xff);
}

function partOf(left: number): number {
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

function loadLittle(data: Uint8Array, at: number, size: number): number {
  if (size === 1) return data[at]!;
  if (size === 2) return data[at]! | data[at + 1]! << 8;
  return (data[at]! | data[at + 1]! << 8 | data[at + 2]! << 16 | data[at + 3]! << 24) >>> 0;
}

function storeLittle(data: Uint8Array, at: number, size: number, value: number): void {
  if (typeof value !== "number") refuse(value);
  for (let byte = 0; byte < size; byte++) data[at + byte] = value >>> (byte * 8);
}

function refuse(value: unknown): never {
  const hint = "A device's read() returns a number, and no promise of one";
  throw new KvmError({ operation: `answer a read with ${show(value)}`, errno: Errno.EINVAL, hint });
}
