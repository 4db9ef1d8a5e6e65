/**
 * Which device answers an address.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import type { Device } from "../devices/mod.ts";

/** A device's place on a bus. */
export interface Region {
  /** The first address. */
  readonly start: number;
  /** The first address behind it. */
  readonly end: number;
  /** Who answers. */
  readonly device: Device;
  /** The address of the device's offset 0. */
  readonly base: number;
  /**
   * The first address behind its registers. Beyond `end`, they are another device's where there is
   * one, and no access begins there.
   */
  readonly reach: number;
}

/** What nobody answers, as it is read: the bus floats high. */
export const OPEN_BUS = 0xffff_ffff;

/** What a device's place on a bus may have beside its addresses. */
export interface PlaceOptions {
  /** The address of the device's offset 0, for one whose registers have gaps; `start` by default. */
  readonly base?: number;
  /** See {@linkcode Region.reach}; the end by default. */
  readonly reach?: number;
}

/** The ports, or the memory-mapped registers, of a machine. */
export class Bus {
  readonly #what: string;
  readonly #limit: number;
  #regions: readonly Region[] = [];
  #last: Region | undefined;

  /**
   * An empty bus.
   *
   * @param what What its addresses are, for errors: "ports".
   * @param limit The first address that it does not have.
   */
  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
  }

  /** What is on it, by ascending address. */
  get regions(): readonly Region[] {
    return this.#regions;
  }

  /**
   * Puts a device at a range of addresses.
   *
   * @throws {KvmError} EINVAL for a range that can't be, EEXIST for one that another device has.
   */
  map(
    start: number,
    length: number,
    device: Device,
    { base = start, reach = start + length }: PlaceOptions = {},
  ): Region {
    this.check(start, length, device);
    const other = this.overlap(start, length);
    if (other !== undefined) {
      const operation = `${this.#operation} ${hex(start)} to ${hex(start + length - 1)}`;
      const hint = `Another device has ${hex(other.start)} to ${hex(other.end - 1)}`;
      throw new KvmError({ operation, errno: Errno.EEXIST, hint });
    }
    const region = { start, end: start + length, device, base, reach };
    this.#regions = [...this.#regions, region].sort((a, b) => a.start - b.start);
    return region;
  }

  /** Throws EINVAL for a range that can't be, and for what is no device. */
  check(start: number, length: number, device: Device): void {
    const refuse = (hint: string) =>
      new KvmError({ operation: this.#operation, errno: Errno.EINVAL, hint });
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(length);
    if (!whole || start < 0 || length < 1 || start + length > this.#limit) {
      const hint = `The first one and their number are whole numbers, all of them below ` +
        `${hex(this.#limit)}, not ${show(start)} and ${show(length)}`;
      throw refuse(hint);
    }
    if (typeof device?.read !== "function" || typeof device.write !== "function") {
      throw refuse("A device has the methods read(offset, size) and write(offset, size, value)");
    }
    const { reset } = device;
    if (reset !== undefined && typeof reset !== "function") {
      throw refuse(`A device's reset is a method, or is left out, and not ${show(reset)}`);
    }
  }

  /** Takes a device off again; whether it was there. */
  unmap(region: Region): boolean {
    const rest = this.#regions.filter((other) => other !== region);
    const found = rest.length < this.#regions.length;
    this.#regions = rest;
    this.#last = undefined;
    return found;
  }

  /** The first device in a range. */
  overlap(start: number, length: number): Region | undefined {
    return this.#regions.find((other) => start < other.end && start + length > other.start);
  }

  /** Who answers an address. */
  find(address: number): Region | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const regions = this.#regions;
    let low = 0;
    let high = regions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const region = regions[middle]!;
      if (address < region.start) high = middle;
      else if (address >= region.end) low = middle + 1;
      else return this.#last = region;
    }
    return undefined;
  }

  /** Where the part of an access ends that a device has: it begins in the device. */
  partEnd({ end, reach }: Region): number {
    return Math.min(reach, this.overlap(end, reach - end)?.start ?? reach);
  }

  get #operation(): string {
    return `map a device to ${this.#what}`;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
