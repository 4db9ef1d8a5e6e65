/**
 * One way to ask which pages a guest wrote to, whichever way KVM tells.
 *
 * @module
 */

import { closedError } from "../../ffi/mod.ts";
import { MemFlag } from "../../ffi/uapi/mod.ts";
import type { MemorySlot } from "../memory/mod.ts";
import { bitmapBytes, type DirtyRange, rangesOf } from "./dirty_pages.ts";
import type { DirtyRing } from "./dirty_ring.ts";

/** A log that reading clears, one that is cleared by hand, or a ring per vCPU. */
export type DirtyTracking = "log" | "manual" | "ring";

/** What a tracker asks of its VM. */
interface DirtyVm {
  readonly closed: boolean;
  memoryOf(slot: MemorySlot): unknown;
  setDirtyLogging(slot: MemorySlot, enable: boolean): void;
  getDirtyLog(slot: MemorySlot, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  clearDirtyLog(slot: MemorySlot, bitmap: Uint8Array<ArrayBuffer>): void;
  resetDirtyRings(): number;
}

/** Tracks what a guest writes; made by `vm.trackDirty`. */
export class DirtyTracker implements Disposable {
  /** How the VM tracks. */
  readonly tracking: DirtyTracking;
  readonly #vm: DirtyVm;
  readonly #slots: readonly MemorySlot[];
  readonly #switchedOn: readonly MemorySlot[];
  readonly #bitmaps: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
  readonly #rings: readonly DirtyRing[];

  /** @internal */
  constructor(
    vm: DirtyVm,
    slots: readonly MemorySlot[],
    tracking: DirtyTracking,
    rings: readonly DirtyRing[],
  ) {
    this.#vm = vm;
    this.#slots = slots;
    this.tracking = tracking;
    this.#rings = rings;
    this.#bitmaps = new Map(slots.map(({ slot, size }) => [
      slot,
      new Uint8Array(new ArrayBuffer(bitmapBytes(size))),
    ]));
    this.#switchedOn = slots.filter(({ flags }) => (flags & MemFlag.LOG_DIRTY_PAGES) === 0);
    for (const slot of this.#switchedOn) vm.setDirtyLogging(slot, true);
    Object.freeze(this);
  }

  /**
   * The pages that the guest wrote to since the last call, by slot and address; pages side by side
   * are one range. They are watched again already: what is read of them now is not older than what
   * the next call will tell of.
   *
   * @throws {KvmError} EBADF once the VM is closed.
   */
  collect(): DirtyRange[] {
    if (this.#vm.closed) throw closedError("collect dirty pages", "VM");
    const slots = this.#slots.filter((slot) => this.#vm.memoryOf(slot) !== undefined);
    if (this.tracking === "ring") this.#collectRings(slots);
    return slots.flatMap((slot) => {
      const bitmap = this.#bitmaps.get(slot.slot)!;
      if (this.tracking !== "ring") this.#vm.getDirtyLog(slot, bitmap);
      const ranges = rangesOf(slot, bitmap);
      if (this.tracking === "manual" && ranges.length > 0) this.#vm.clearDirtyLog(slot, bitmap);
      return ranges;
    });
  }

  /** Turns off the logs that it turned on. */
  [Symbol.dispose](): void {
    if (this.#vm.closed) return;
    for (const slot of this.#switchedOn) {
      if (this.#vm.memoryOf(slot) !== undefined) this.#vm.setDirtyLogging(slot, false);
    }
  }

  #collectRings(slots: readonly MemorySlot[]): void {
    for (const { slot } of slots) this.#bitmaps.get(slot)!.fill(0);
    for (const ring of this.#rings) {
      // A page can be in it twice: KVM enters what it writes itself each time.
      ring.collect((slot, page) => {
        const bitmap = this.#bitmaps.get(slot);
        if (bitmap !== undefined) bitmap[page >>> 3]! |= 1 << (page & 7);
      });
    }
    this.#vm.resetDirtyRings();
  }
}
