/**
 * What a guest under test finds at its ports.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import type { IoExit } from "../kvm/mod.ts";

/**
 * What a guest reads from a port: always the same number, one number after another, or what a
 * function says.
 */
export type PortInput = number | Iterable<number> | ((exit: IoExit) => number);

/** What the guest reads from each port, by number. */
export type PortInputs = Readonly<Record<number, PortInput>>;

/** Collects what the guest writes, and answers what it reads. */
export class Ports {
  readonly #written = new Map<number, Uint8Array<ArrayBuffer>[]>();
  readonly #read = new Map<number, (exit: IoExit) => number>();

  /** Ports that answer as `inputs` say, and all ones elsewhere, as a PC does. */
  constructor(inputs: PortInputs = {}) {
    for (const [port, input] of Object.entries(inputs)) {
      this.#read.set(Number(port), reader(Number(port), input));
    }
  }

  /** Takes one exit. */
  handle(exit: IoExit): void {
    if (exit.direction === "out") {
      const chunks = this.#written.get(exit.port) ?? [];
      chunks.push(exit.data.slice());
      this.#written.set(exit.port, chunks);
      return;
    }
    const read = this.#read.get(exit.port);
    const { data, size } = exit;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < data.length; at += size) {
      const value = read?.(exit) ?? 0xffff_ffff;
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
  }

  /** All bytes that the guest wrote to a port. */
  written(port: number): Uint8Array<ArrayBuffer> {
    const chunks = this.#written.get(port) ?? [];
    const all = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

function reader(port: number, input: PortInput): (exit: IoExit) => number {
  if (typeof input === "number") return () => input;
  if (typeof input === "function") return input;
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
