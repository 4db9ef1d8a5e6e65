/**
 * A device of the user's own.
 *
 * @module
 */

import type { Device } from "../devices/mod.ts";

/**
 * A user's device as it is put on a bus. Its methods may turn out to be asynchronous, though the
 * guest does not wait for them: what they reject with is an error like one that they throw.
 */
export class UserDevice implements Device {
  readonly #device: Device;
  readonly #watch: <T>(result: T) => T;

  /**
   * Puts itself before a device.
   *
   * @param watch Takes what a method has returned.
   */
  constructor(device: Device, watch: <T>(result: T) => T) {
    this.#device = device;
    this.#watch = watch;
  }

  /** The device's own. */
  read(offset: number, size: number): number {
    return this.#watch(this.#device.read(offset, size));
  }

  /** The device's own. */
  write(offset: number, size: number, value: number): void {
    this.#watch(this.#device.write(offset, size, value));
  }

  /** The device's own, if it has one. */
  reset(): void {
    this.#watch(this.#device.reset?.());
  }
}
