/**
 * Devices that act at a time of their own.
 *
 * @module
 */

import type { TimedDevice } from "../devices/mod.ts";
import { nextDeadline } from "./board.ts";
import type { SharedState } from "./shared/mod.ts";

/** In milliseconds. The host's clock may be set, and then what is due is due at another time. */
const LONGEST = 60_000;

/** Has the devices do what is due. */
export class DeviceTimer {
  readonly #shared: SharedState;
  readonly #devices: readonly TimedDevice[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** It does nothing until {@linkcode set}. */
  constructor(shared: SharedState, devices: readonly TimedDevice[]) {
    this.#shared = shared;
    this.#devices = devices;
    shared.deadline = Infinity;
  }

  /** Does what is due by now, and comes back for the rest. */
  set(): void {
    this.clear();
    const next = this.#shared.lock.hold(() => {
      // Those that have nothing to do yet learn what time it is: it may be earlier than before.
      for (const device of this.#devices) device.elapse();
      return this.#shared.deadline = nextDeadline(this.#devices);
    });
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.set(), Math.min(next - Date.now(), LONGEST));
  }

  /** Comes back no more. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
