/**
 * Port 0xcf9, the reset control register of Intel's chipsets (82371SB PIIX3 data sheet, "Reset
 * control register").
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { lowByte, openBus } from "./bytewise.ts";
import type { Device } from "./device.ts";

/** All that a {@linkcode ResetControl} remembers. */
export const resetControlState = {
  /** What was written last, without the bit that resets. */
  value: "u8",
} as const;

/** Its bits. */
export const RESET_CONTROL = {
  /** The kind of the next reset: 1 for all of the machine, 0 for the processor alone. */
  HARD: 1 << 1,
  /** Resets. */
  RESET: 1 << 2,
  /** A hard reset also takes the power away and brings it back. */
  FULL: 1 << 3,
} as const;

/** What a reset is to reach: the processor alone, the machine, or the machine without power. */
export type ResetKind = "soft" | "hard" | "full";

/** What a {@linkcode ResetControl} is connected to. */
export interface ResetControlWires {
  /** The guest resets. */
  reset(kind: ResetKind): void;
}

/**
 * The register.
 *
 * @example
 * ```ts
 * import { RESET_CONTROL, ResetControl } from "@deno-kvm/kvm/devices";
 *
 * const register = new ResetControl({ reset: (kind) => console.log(kind) });
 * register.write(0, 1, RESET_CONTROL.HARD);
 * register.write(0, 1, RESET_CONTROL.HARD | RESET_CONTROL.RESET); // hard
 * ```
 */
export class ResetControl implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof resetControlState>;
  readonly #wires: ResetControlWires;

  /** With a state it goes on from there; without, from power-on. */
  constructor(wires: ResetControlWires, state?: StructOf<typeof resetControlState>) {
    this.#wires = wires;
    this.state = state ?? create(resetControlState);
  }

  /** Back to power-on. */
  reset(): void {
    this.state.value = 0;
  }

  /** What was written last; the bit that resets reads 0. */
  read(offset: number, size: number): number {
    return offset === 0 ? lowByte(size, this.state.value) : openBus(size);
  }

  /** Sets the kind of reset, and resets. Wider writes are for the register of PCI that lies here. */
  write(offset: number, size: number, value: number): void {
    if (offset !== 0 || size !== 1) return;
    this.state.value = value & (RESET_CONTROL.HARD | RESET_CONTROL.FULL);
    if ((value & RESET_CONTROL.RESET) === 0) return;
    const hard = (value & RESET_CONTROL.HARD) !== 0;
    const full = hard && (value & RESET_CONTROL.FULL) !== 0;
    this.#wires.reset(full ? "full" : hard ? "hard" : "soft");
  }
}
