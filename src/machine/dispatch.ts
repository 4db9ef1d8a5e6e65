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
 * Has a device handle a port exit that is its own: all elements of a string instruction, one after
 * the other.
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

/**
 * Has a device handle an MMIO exit that is its own: accesses wider than 4 bytes go in parts, the lower
 * one first.
 */
export function handleMmio(exit: MmioExit, { device, base }: Region): void {
  const { len, data, isWrite } = exit;
  // A small number: one of 2^31 and more would be put on the heap at the call.
  const offset = exit.physAddr - base;
  for (let at = 0; at < len && isThere(data);) {
    const size = partOf(len - at);
    access(device, offset + at, data, at, size, isWrite);
    at += size;
  }
}

/**
 * Handles an exit that no device has all of, as a PC's bus splits it: each byte is its device's, the
 * lower ones first; where there is none, a read gives ones and a write is lost.
 *
 * @param onPart Called after each device's part.
 */
export function handleParts(
  exit: IoExit | MmioExit,
  bus: Bus,
  onPart: (region: Region) => void = () => {},
): void {
  if (exit.reason === "mmio") {
    accessParts(bus, exit.physAddr, exit.data, 0, exit.len, exit.isWrite, onPart);
    return;
  }
  const { port, size, data } = exit;
  const isOut = exit.direction === "out";
  for (let at = 0; at < data.length; at += size) {
    accessParts(bus, port, data, at, size, isOut, onPart);
  }
}

/** There is nothing behind the last port: addresses do not begin anew. */
function accessParts(
  bus: Bus,
  address: number,
  data: Uint8Array,
  from: number,
  size: number,
  isWrite: boolean,
  onPart: (region: Region) => void,
): void {
  for (let at = 0; at < size && isThere(data);) {
    const region = bus.find(address + at);
    if (region === undefined) {
      if (!isWrite) data[from + at] = OPEN_BUS;
      at++;
      continue;
    }
    const part = partOf(Math.min(size, bus.partEnd(region) - address) - at);
    access(region.device, address + at - region.base, data, from + at, part, isWrite);
    onPart(region);
    at += part;
  }
}

/** A device may have closed the VM or the vCPU: then the rest of the exit is nobody's. */
function isThere(data: Uint8Array): boolean {
  return data.length > 0;
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
  if (!Number.isSafeInteger(value)) refuse(value);
  for (let byte = 0; byte < size; byte++) data[at + byte] = value >>> (byte * 8);
}

function refuse(value: unknown): never {
  const hint = "A device's read() returns a whole number, and no promise of one";
  throw new KvmError({ operation: `answer a read with ${show(value)}`, errno: Errno.EINVAL, hint });
}
