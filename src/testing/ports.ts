/**
 * What a guest under test finds at its ports.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import type { ExitRecord, IoExit } from "../kvm/mod.ts";
import { type PortInput, type PortInputs, wrongOption } from "./options.ts";

/** Answers what the guest reads. */
export class Ports {
  readonly #read = new Map<number, (exit: IoExit) => number>();

  /** Ports that answer as `inputs` say, and all ones elsewhere, as a PC does. */
  constructor(inputs: PortInputs = {}) {
    for (const [port, input] of Object.entries(inputs)) {
      this.#read.set(Number(port), reader(Number(port), input));
    }
  }

  /** Takes one exit. */
  handle(exit: IoExit): void {
    if (exit.direction === "out") return;
    const read = this.#read.get(exit.port);
    const { size, data: { length } } = exit;
    for (let at = 0; at < length; at += size) {
      const value = read === undefined ? 0xffff_ffff : read(exit);
      if (!fits(value)) {
        throw wrongOption(`input[${exit.port}]`, value, "a whole number of 32 bits each time");
      }
      // A callback may have closed the VM: to read the exit is an error then.
      const { data } = exit;
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
  }
}

/** All bytes that a guest wrote to a port. */
export function writtenTo(port: number, exits: readonly ExitRecord[]): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  for (const exit of exits) {
    if (exit.reason !== "io" || exit.direction !== "out" || exit.port !== port) continue;
    chunks.push(exit.data);
  }
  const all = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function fits(value: unknown): boolean {
  const number = value as number;
  return Number.isInteger(value) && number >= -(2 ** 31) && number < 2 ** 32;
}

function reader(port: number, input: PortInput): (exit: IoExit) => number {
  if (typeof input === "number") return () => input;
  if (typeof input === "function") return input;
  if (typeof input !== "object" || input === null || !(Symbol.iterator in input)) {
    throw wrongOption(`input[${port}]`, input, "a number, several in a list, or a function");
  }
  const iterator = input[Symbol.iterator]();
  return () => {
    const { value, done } = iterator.next();
    if (!done) return value;
    throw new KvmError({
      operation: `answer an IN from port 0x${port.toString(16)}`,
      errno: Errno.ERANGE,
      hint: "The guest reads more than the input given for that port",
    });
  };
}
