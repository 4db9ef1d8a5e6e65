/**
 * The debug console: a port whose bytes go to the host, at 0xe9 as in Bochs, or at 0x402 where
 * firmwares look for it.
 *
 * It remembers nothing.
 *
 * @module
 */

import { lowByte, openBus } from "./bytewise.ts";
import type { ByteSink, Device } from "./device.ts";

/** What a {@linkcode Debugcon} is connected to. */
export interface DebugconWires {
  /** What the guest writes. */
  readonly output: ByteSink;
}

/** What the port reads as: so a guest finds out that it is there. */
export const DEBUGCON_PRESENT = 0xe9;

/**
 * The port.
 *
 * @example
 * ```ts
 * import { Debugcon } from "@deno-kvm/kvm/devices";
 *
 * let text = "";
 * const port = new Debugcon({ output: { put: (byte) => text += String.fromCharCode(byte) } });
 * for (const byte of [72, 105]) port.write(0, 1, byte);
 * console.log(text); // Hi
 * ```
 */
export class Debugcon implements Device {
  readonly #output: ByteSink;

  /** Connects it. */
  constructor({ output }: DebugconWires) {
    this.#output = output;
  }

  /** {@linkcode DEBUGCON_PRESENT}. */
  read(offset: number, size: number): number {
    return offset === 0 ? lowByte(size, DEBUGCON_PRESENT) : openBus(size);
  }

  /** Hands the lowest byte on; further ones are for the ports behind it. */
  write(offset: number, _size: number, value: number): void {
    if (offset === 0) this.#output.put(value & 0xff);
  }
}
