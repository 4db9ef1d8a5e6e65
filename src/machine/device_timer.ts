/**
 * Devices that act at a time of their own.
 *
 * @module
 */

import type { TimedDevice } from "../devices/mod.ts";
import type { Lock } from "./shared/mod.ts";

/** setTimeout takes no more milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** Has the devices do what is due. */
export class DeviceTimer {
  readonly #lock: Lock;
  readonly #devices: readonly TimedDevice[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** It does nothing until {@linkcode set}. */
  constructor(lock: Lock, devices: readonly TimedDevice[]) {
    this.#lock = lock;
    this.#devices = devices;
  }

  /** Does what is due by now, and comes back for the rest. */
  set(): void {
    this.clear();
    const next = this.#lock.hold(() => {
      for (const device of this.#devices) if (device.deadline <= Date.now()) device.elapse();
      return Math.min(...this.#devices.map(({ deadline }) => deadline));
    });
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.set(), Math.min(next - Date.now(), LONGEST));
  }

  /** Comes back no more. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
