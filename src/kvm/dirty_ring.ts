/**
 * The ring in which KVM puts the pages that a vCPU wrote to (api.rst 8.29).
 *
 * @module
 */

import type { Mapping } from "../../ffi/mod.ts";
import { offsetOf, sizeOf } from "../../ffi/mod.ts";
import { DirtyGfnFlag, kvmDirtyGfn } from "../../ffi/uapi/mod.ts";

const ENTRY = sizeOf(kvmDirtyGfn);
const FLAGS = offsetOf(kvmDirtyGfn, "flags");
const SLOT = offsetOf(kvmDirtyGfn, "slot");
const OFFSET = offsetOf(kvmDirtyGfn, "offset");

/** One vCPU's ring. */
export class DirtyRing {
  readonly #mapping: Mapping;
  readonly #entries: number;
  readonly #view: DataView<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;
  #next = 0;

  /** The ring that is mapped there. */
  constructor(mapping: Mapping) {
    this.#mapping = mapping;
    this.#entries = mapping.size / ENTRY;
    this.#view = new DataView(mapping.buffer);
    this.#words = new Int32Array(mapping.buffer);
  }

  /**
   * Takes the entries there are, in order; KVM gets them back with the next KVM_RESET_DIRTY_RINGS.
   *
   * @param page Called with the slot (and address space) and the page's number in it.
   */
  collect(page: (slot: number, page: number) => void): void {
    // Another thread's vCPU may go on filling it: once around is enough.
    for (let count = 0; count < this.#entries; count++) {
      const at = this.#next * ENTRY;
      const flags = (at + FLAGS) / Int32Array.BYTES_PER_ELEMENT;
      // A load with acquire order, and below a store with release order.
      if ((Atomics.load(this.#words, flags) & DirtyGfnFlag.MASK) !== DirtyGfnFlag.DIRTY) return;
      page(
        this.#view.getUint32(at + SLOT, true),
        Number(this.#view.getBigUint64(at + OFFSET, true)),
      );
      Atomics.store(this.#words, flags, DirtyGfnFlag.RESET);
      this.#next = (this.#next + 1) % this.#entries;
    }
  }

  /** Unmaps the ring. */
  close(): void {
    this.#mapping.close();
  }
}
