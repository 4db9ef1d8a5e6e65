/**
 * Port 0x92, system control port A of the PS/2: a quick reset, and address line 20 without the
 * keyboard controller.
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { lowByte, openBus } from "./bytewise.ts";
import type { Device } from "./device.ts";

/** All that a {@linkcode Port92} remembers. */
export const port92State = {
  /** What was written last. */
  value: "u8",
} as const;

/** Its bits. */
export const PORT_92 = {
  /** From 0 to 1: the processor is reset. */
  RESET: 1 << 0,
  /** Address line 20 is let through. */
  A20: 1 << 1,
} as const;

/** What a {@linkcode Port92} is connected to. */
export interface Port92Wires {
  /** The guest wants the processor to be reset. */
  reset(): void;
  /** The guest lets address line 20 through, or holds it at zero. */
  a20?(enabled: boolean): void;
}

/**
 * The port.
 *
 * @example
 * ```ts
 * import { Port92, PORT_92 } from "@deno-kvm/kvm/devices";
 *
 * const port = new Port92({ reset: () => console.log("reset") });
 * port.write(0, 1, PORT_92.A20 | PORT_92.RESET); // reset
 * ```
 */
export class Port92 implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof port92State>;
  readonly #wires: Port92Wires;

  /** With a state it goes on from there; without, from power-on. */
  constructor(wires: Port92Wires, state?: StructOf<typeof port92State>) {
    this.#wires = wires;
    this.state = state ?? create(port92State);
    if (state === undefined) this.state.value = PORT_92.A20;
  }

  /** Back to power-on, which a firmware leaves with address line 20 let through. */
  reset(): void {
    this.#set(PORT_92.A20);
  }

  /** What was written last. */
  read(offset: number, size: number): number {
    return offset === 0 ? lowByte(size, this.state.value) : openBus(size);
  }

  /** Sets the bits. */
  write(offset: number, _size: number, value: number): void {
    if (offset !== 0) return;
    const risen = this.#set(value & 0xff);
    if ((risen & PORT_92.RESET) !== 0) this.#wires.reset();
  }

  #set(value: number): number {
    const { state } = this;
    const before = state.value;
    state.value = value;
    if (((value ^ before) & PORT_92.A20) !== 0) this.#wires.a20?.((value & PORT_92.A20) !== 0);
    return value & ~before;
  }
}
