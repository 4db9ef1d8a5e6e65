/**
 * How long a guest takes to boot: Firecracker's boot timer. A guest writes 123 to it when it has
 * booted, and the host takes the time.
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { openBus } from "./bytewise.ts";
import { monotonicTime } from "./clock.ts";
import type { Device } from "./device.ts";

/** All that a {@linkcode BootTimer} remembers. */
export const bootTimerState = {
  /** When the machine started, in microseconds of the clock. */
  start: "gpa",
} as const;

/** What a guest writes when it has booted. */
export const BOOT_TIMER_BOOTED = 123;

/** What a {@linkcode BootTimer} is connected to. */
export interface BootTimerWires {
  /**
   * The guest has come to a point.
   *
   * @param milliseconds Since the start.
   * @param point What it wrote: {@linkcode BOOT_TIMER_BOOTED}, or a number of its own, 0 to 255.
   */
  report(milliseconds: number, point: number): void;
  /** Milliseconds, never backwards; those since 1970 by default. */
  readonly clock?: (() => number) | undefined;
}

/**
 * The timer.
 *
 * @example
 * ```ts
 * import { BOOT_TIMER_BOOTED, BootTimer } from "@deno-kvm/kvm/devices";
 *
 * const report = (milliseconds: number) => console.log(`Booted after ${milliseconds} ms`);
 * const timer = new BootTimer({ report });
 * timer.write(0, 1, BOOT_TIMER_BOOTED);
 * ```
 */
export class BootTimer implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof bootTimerState>;
  readonly #wires: BootTimerWires;
  readonly #clock: () => number;

  /** With a state it goes on from there; without, it starts now. */
  constructor(wires: BootTimerWires, state?: StructOf<typeof bootTimerState>) {
    this.#wires = wires;
    this.#clock = wires.clock ?? monotonicTime;
    this.state = state ?? create(bootTimerState);
    if (state === undefined) this.reset();
  }

  /** The machine starts now. */
  reset(): void {
    this.state.start = Math.max(0, Math.floor(this.#clock() * 1000));
  }

  /** All ones. */
  read(_offset: number, size: number): number {
    return openBus(size);
  }

  /** Reports the time, with the lowest byte. */
  write(offset: number, _size: number, value: number): void {
    if (offset !== 0) return;
    const elapsed = this.#clock() - this.state.start / 1000;
    this.#wires.report(Math.max(0, elapsed), value & 0xff);
  }
}
