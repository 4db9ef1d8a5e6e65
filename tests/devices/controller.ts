/**
 * A keyboard controller, and what a driver does with it.
 *
 * @module
 */

import { I8042, I8042_STATUS } from "../../src/devices/mod.ts";
import { Wires } from "./support.ts";

/** Where data is read and written. */
export const DATA = 0;
/** Where the status is read, and commands are written. */
export const STATUS = 4;

/** One on these wires. */
export function make(wires: Wires, state?: I8042["state"]): I8042 {
  const { interrupt } = wires;
  const reset = () => wires.note("reset");
  const a20 = (enabled: boolean) => wires.note("a20", enabled);
  return new I8042({ keyboardInterrupt: interrupt, reset, a20 }, state);
}

/** One with its driver. */
export interface Controller {
  /** What it is connected to. */
  readonly wires: Wires;
  /** The device. */
  readonly i8042: I8042;
  /** A command, and data for it. */
  command(command: number, ...data: number[]): void;
  /** A byte to the keyboard. */
  send(byte: number): void;
  /** What it says of itself. */
  status(): number;
  /** All that there is to read. */
  answers(): number[];
}

/** A new one on wires of its own. */
export function controller(): Controller {
  const wires = new Wires();
  const i8042 = make(wires);
  const send = (byte: number) => i8042.write(DATA, 1, byte);
  const status = () => i8042.read(STATUS, 1);
  return {
    wires,
    i8042,
    send,
    status,
    command(command, ...data) {
      i8042.write(STATUS, 1, command);
      for (const byte of data) send(byte);
    },
    answers() {
      const bytes: number[] = [];
      while ((status() & I8042_STATUS.OUTPUT_FULL) !== 0) bytes.push(i8042.read(DATA, 1));
      return bytes;
    },
  };
}
