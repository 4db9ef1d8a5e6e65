/**
 * Guests that use devices: their ports led to devices, as a machine's bus would.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import type { Device, InterruptLine } from "../../src/devices/mod.ts";
import type { IoExit, Vm } from "../../src/kvm/mod.ts";
import { CELLS, type Machine, startLong } from "../support/machine.ts";

/** A device at its first port, and how many it has. */
export type Place = readonly [port: number, count: number, device: Device];

/** Where the guests say that they wait, and that they are done. */
const WAITS = 0xf5;
const DONE = 0xf4;
const SCRIPT = 0x4000;
/** Milliseconds. */
const LIMIT = 10_000;

/** An interrupt line of the kernel's interrupt controllers. */
export function lineOf(vm: () => Vm, irq: number): InterruptLine {
  return { set: (level) => vm().setIrqLine(irq, level) };
}

/** Has the device at a port do what the guest wants. */
export function dispatch(exit: IoExit, places: readonly Place[]): void {
  const { direction, port, size, data } = exit;
  const place = places.find(([start, count]) => port >= start && port < start + count);
  if (place === undefined) throw new Error(`No device at ${direction} 0x${port.toString(16)}`);
  const [start, , device] = place;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < data.length; at += size) {
    if (direction === "in") {
      const value = device.read(port - start, size);
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    } else {
      const value = size === 1
        ? view.getUint8(at)
        : size === 2
        ? view.getUint16(at, true)
        : view.getUint32(at, true);
      device.write(port - start, size, value);
    }
  }
}

/** Runs a guest until it waits for an interrupt or is done; whether it waits. */
export function runToWait({ vcpu }: Machine, places: readonly Place[]): boolean {
  using _limit = vcpu.interruptAfter(LIMIT);
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason !== "io") throw new Error(`Port I/O expected, not ${Deno.inspect(exit)}`);
    if (exit.port === WAITS) return true;
    if (exit.port === DONE) return false;
    dispatch(exit, places);
  }
}

/** What `guests.portScript` is to do. */
export type Entry = readonly [what: number, port: number, value: number];

/** Writes a byte. */
export const out1 = (port: number, value: number): Entry => [1, port, value];
/** Writes two. */
export const out2 = (port: number, value: number): Entry => [2, port, value];
/** Writes four. */
export const out4 = (port: number, value: number): Entry => [3, port, value];
/** Reads a byte. */
export const in1 = (port: number): Entry => [4, port, 0];
/** Reads four. */
export const in4 = (port: number): Entry => [5, port, 0];
/** Reads a byte until its bits of a mask are these. */
export const until = (
  port: number,
  mask: number,
  bits: number,
): Entry => [6, port, bits << 8 | mask];
/** Waits for an interrupt. */
export const interrupt: Entry = [7, 0, 0];

/** Sets the PICs up, with a single line that is not masked. */
export function picWithLine(irq: number): Entry[] {
  const mask = 0xffff & ~(1 << irq) & ~(irq > 7 ? 1 << 2 : 0);
  return [
    ...[out1(0x20, 0x11), out1(0xa0, 0x11), out1(0x21, 0x20), out1(0xa1, 0x28)],
    ...[out1(0x21, 4), out1(0xa1, 2), out1(0x21, 1), out1(0xa1, 1)],
    ...[out1(0x21, mask & 0xff), out1(0xa1, mask >> 8)],
  ];
}

/** A machine that will do a script; it has an irqchip. */
export function startScript(entries: readonly Entry[]): Machine {
  const machine = startLong(guests.portScript, {}, (vm) => vm.createIrqchip());
  let at = SCRIPT;
  for (const [what, port, value] of entries) {
    machine.memory.writeU16(at, what);
    machine.memory.writeU16(at + 2, port);
    machine.memory.writeU32(at + 4, value);
    at += 8;
  }
  return machine;
}

/** What the script has read. */
export function readBy(machine: Machine, count: number): number[] {
  return [...machine.memory.array(Uint32Array, CELLS, count)];
}

/** Does a script that waits for nothing; what it has read. */
export function runScript(entries: readonly Entry[], places: readonly Place[]): number[] {
  using machine = startScript(entries);
  assertEquals(runToWait(machine, places), false, "it should not wait");
  return readBy(machine, entries.filter(([what]) => what >= 4 && what <= 6).length);
}
