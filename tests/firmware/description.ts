/**
 * Machines for the tests.
 *
 * @module
 */

import { type FirmwareDescription, Irq, Port } from "../../src/firmware/mod.ts";

/** The least that a machine has. */
export const least: FirmwareDescription = { apicIds: [0], pm: { sleepTypeS5: 5 } };

/** A machine with one of everything, and so many processors. */
export function machine(cpus: number): FirmwareDescription {
  return {
    apicIds: Array.from({ length: cpus }, (_, index) => index),
    processor: { signature: 0x306c3, features: 0x1fc9_fbff },
    serialPorts: [
      { port: Port.COM1, irq: Irq.COM1 },
      { port: Port.COM2, irq: Irq.COM2 },
      { port: Port.COM3, irq: Irq.COM1 },
      { port: Port.COM4, irq: Irq.COM2 },
    ],
    i8042: { mouse: true },
    rtc: {},
    fwCfg: {},
    pm: { sleepTypeS5: 5, timerBits: 24 },
    virtioMmio: [
      { address: 0xd001_0000, size: 0x1000, irq: 5 },
      { address: 0xd001_1000, size: 0x1000, irq: 16, trigger: "edge" },
      { address: 0xd001_2000, size: 0x1000, irq: 23, trigger: "level" },
    ],
  };
}

/** The sum of all bytes, as a checksum has it. */
export function sum(bytes: Uint8Array): number {
  return bytes.reduce((all, byte) => all + byte, 0) & 0xff;
}

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
