/**
 * Loading that must fail, without a trace.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { KvmError } from "../../ffi/mod.ts";
import { type LoadedKernel, loadKernel, type LoadOptions } from "../../src/loader/mod.ts";
import { assertCode } from "../support/codes.ts";
import { LooseMemory, type SlotShape } from "../support/loose.ts";
import { fillPattern, firstChange } from "./pattern.ts";
import { map, MIB } from "./support.ts";

/** Memory that no VM has, filled with a pattern. */
export class Target implements Disposable {
  readonly #loose: LooseMemory;
  readonly memory: LooseMemory["memory"];

  constructor(slots: readonly SlotShape[] = map.slots) {
    this.#loose = new LooseMemory(slots);
    this.memory = this.#loose.memory;
    fillPattern(this.memory);
  }

  /** Loads an image; the map is that of 16 MiB unless the options have another. */
  load(image: Uint8Array, options: Partial<LoadOptions> = {}): LoadedKernel {
    return loadKernel(this.memory, image, { memoryMap: map.e820, ...options });
  }

  /** Where a region is. */
  place(image: Uint8Array, options: Partial<LoadOptions>, what: string): [number, number] {
    const region = this.load(image, options).regions.find((region) => region.what === what);
    if (region === undefined) throw new Error(`There is no ${what}`);
    return [region.guestPhysAddr, region.size];
  }

  /** The error of an image or options that are refused. */
  refuse(
    code: string,
    hint: string,
    image: Uint8Array,
    options: Partial<LoadOptions> = {},
  ): KvmError {
    fillPattern(this.memory);
    const error = assertCode(code, () => this.load(image, options), hint);
    assertStringIncludes(error.message, hint);
    this.assertUntouched();
    return error;
  }

  /** Nothing has been written. */
  assertUntouched(): void {
    assertEquals(firstChange(this.memory), undefined, "memory was written to");
  }

  [Symbol.dispose](): void {
    this.#loose[Symbol.dispose]();
  }
}

/** Cuts an image off at every byte: each time it is ENOEXEC, and nothing is written. */
export function assertNoneCutOff(
  image: Uint8Array,
  options: Partial<LoadOptions>,
  end: number = image.length,
): void {
  using target = new Target([{ guestPhysAddr: 0, size: 8 * MIB }]);
  for (let length = 0; length < end; length++) {
    assertCode("ENOEXEC", () => target.load(image.subarray(0, length), options), `${length} bytes`);
  }
  target.assertUntouched();
}
