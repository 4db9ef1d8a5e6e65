/**
 * Port 0x80: a firmware's codes of how far its power-on self test is. Kernels write to it to let
 * some time pass, so nothing but a store happens.
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { lowByte, openBus } from "./bytewise.ts";
import type { ByteSink, Device } from "./device.ts";

/** All that a {@linkcode PostCode} remembers. */
export const postCodeState = {
  /** The last code. */
  code: "u8",
} as const;

/** What a {@linkcode PostCode} is connected to. */
export interface PostCodeWires {
  /** Each code; nowhere by default. */
  readonly output?: ByteSink | undefined;
}

/**
 * The port.
 *
 * @example
 * ```ts
 * import { PostCode } from "@deno-kvm/kvm/devices";
 *
 * const port = new PostCode();
 * port.write(0, 1, 0x55);
 * console.log(port.state.code.toString(16)); // 55
 * ```
 */
export class PostCode implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof postCodeState>;
  readonly #output: ByteSink | undefined;

  /** With a state it goes on from there; without, from power-on. */
  constructor({ output }: PostCodeWires = {}, state?: StructOf<typeof postCodeState>) {
    this.#output = output;
    this.state = state ?? create(postCodeState);
  }

  /** Back to no code: 0. */
  reset(): void {
    this.state.code = 0;
  }

  /** The last code: the register behind this port is one of the DMA pages', and can be read. */
  read(offset: number, size: number): number {
    return offset === 0 ? lowByte(size, this.state.code) : openBus(size);
  }

  /** Keeps the code. */
  write(offset: number, _size: number, value: number): void {
    if (offset !== 0) return;
    const code = value & 0xff;
    this.state.code = code;
    this.#output?.put(code);
  }
}
