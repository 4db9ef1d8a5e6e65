/**
 * What the loader's tests share: images, machines, and what a guest printed.
 *
 * @module
 */

import { E820Type, type MemoryMap, memoryMap } from "../../src/firmware/mod.ts";
import { enterKernel, loadKernel, type LoadOptions } from "../../src/loader/mod.ts";
import type { LoadedKernel } from "../../src/loader/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../src/kvm/mod.ts";
import { images } from "./guests/bytes.ts";

/** 1 MiB. */
export const MIB: number = 2 ** 20;

/** The machine's memory unless a test has another one. */
export const map: MemoryMap = memoryMap(16 * MIB);

/** A fresh copy of an image that the tests assembled. */
export function imageOf(name: keyof typeof images): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(images[name]);
}

/** Bytes of text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A DataView of an image, to change fields by. */
export function fields(image: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(image.buffer, image.byteOffset, image.byteLength);
}

/** The same image with fields of 1, 2, 4 or 8 bytes changed. */
export function changed(
  image: Uint8Array,
  ...changes: readonly (readonly [offset: number, size: 1 | 2 | 4 | 8, value: number | bigint])[]
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(image);
  const view = fields(copy);
  for (const [offset, size, value] of changes) {
    if (size === 8) view.setBigUint64(offset, BigInt(value), true);
    else if (size === 4) view.setUint32(offset, Number(value), true);
    else if (size === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
  }
  return copy;
}

/** A VM with the map's memory, filled with a pattern, and a vCPU. */
export class Guest implements Disposable {
  readonly #kvm = Kvm.open();
  readonly vm: Vm = this.#kvm.createVm();
  readonly vcpu: Vcpu = this.vm.createVcpu(0);
  readonly #map: MemoryMap;

  constructor(memory: MemoryMap = map) {
    this.#map = memory;
    for (const slot of memory.slots) this.vm.addMemory(slot).all.fill(0xcc);
    this.vcpu.setCpuid(this.#kvm.getSupportedCpuid());
  }

  /** Loads an image and puts the vCPU there. */
  load(image: Uint8Array, options: Partial<LoadOptions> = {}): LoadedKernel {
    const loaded = loadKernel(this.vm.memory, image, { memoryMap: this.#map.e820, ...options });
    enterKernel(this.vcpu, structuredClone(loaded.entry));
    return loaded;
  }

  /** Runs to HLT; the lines that went to port 0xe9. */
  lines(): string[] {
    const decoder = new TextDecoder();
    let text = "";
    using _limit = this.vcpu.interruptAfter(30_000);
    for (;;) {
      const exit = this.vcpu.run();
      if (exit.reason === "hlt") return text.trimEnd().split("\n");
      if (exit.reason !== "io" || exit.direction !== "out" || exit.port !== DEBUGCON) {
        throw new Error(`${exit.reason} after ${text}: ${Deno.inspect(exit)}`);
      }
      text += decoder.decode(exit.data, { stream: true });
    }
  }

  [Symbol.dispose](): void {
    this.vm.close();
    this.#kvm.close();
  }
}

const DEBUGCON = 0xe9;

/** A memory map of plain RAM, in KiB of start and size. */
export function ram(...pieces: readonly [start: number, size: number][]): LoadOptions["memoryMap"] {
  return pieces.map(([start, size]) => ({
    start: start * 1024,
    size: size * 1024,
    type: E820Type.USABLE,
  }));
}

/** A number as the guests print it. */
export function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
