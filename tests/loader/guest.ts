/**
 * A VM for a kernel that prints on the debug console.
 *
 * @module
 */

import type { MemoryMap } from "../../src/firmware/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../src/kvm/mod.ts";
import {
  enterKernel,
  type LoadedKernel,
  loadKernel,
  type LoadOptions,
} from "../../src/loader/mod.ts";
import { map } from "./support.ts";

const DEBUGCON = 0xe9;

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
