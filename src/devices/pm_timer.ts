/**
 * ACPI's power management timer: a counter that the guest can rely on whatever else stands still
 * (ACPI specification, 4.8.2.1 "Power management timer").
 *
 * It remembers nothing: the count follows from the clock, so every thread's instance shows the same.
 *
 * @module
 */

import { openBus } from "./bytewise.ts";
import { monotonicTime } from "./clock.ts";
import type { Device } from "./device.ts";

/** Ticks in a second. */
export const PM_TIMER_HZ = 3_579_545;

/** What a {@linkcode PmTimer} is connected to. */
export interface PmTimerWires {
  /** Milliseconds with fractions, never backwards; those since 1970 by default. */
  readonly clock?: (() => number) | undefined;
  /** Bits of the counter, 32 by default; the FADT's TMR_VAL_EXT says so to the guest. */
  readonly bits?: 24 | 32 | undefined;
}

const SIZE = 4;

/**
 * The timer.
 *
 * @example
 * ```ts
 * import { PmTimer } from "@deno-kvm/kvm/devices";
 *
 * const timer = new PmTimer({ clock: () => 1000 });
 * console.log(timer.read(0, 4)); // 3579545
 * ```
 */
export class PmTimer implements Device {
  readonly #clock: () => number;
  readonly #modulus: number;

  /** Connects it. */
  constructor({ clock = monotonicTime, bits = 32 }: PmTimerWires = {}) {
    this.#clock = clock;
    this.#modulus = 2 ** bits;
  }

  /** The counter, or bytes of it; beyond it all ones. */
  read(offset: number, size: number): number {
    if (!(offset >= 0 && offset < SIZE)) return openBus(size);
    const ticks = Math.floor(this.#clock() * (PM_TIMER_HZ / 1000)) % this.#modulus;
    if (offset === 0 && size === SIZE) return ticks;
    const whole = openBus(Math.min(size, SIZE - offset));
    // What lies beyond the counter's last byte.
    const beyond = openBus(size) - whole;
    return (ticks >>> 8 * offset & whole) + beyond >>> 0;
  }

  /** It can't be written. */
  write(_offset: number, _size: number, _value: number): void {}
}
