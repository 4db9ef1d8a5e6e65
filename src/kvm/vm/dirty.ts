/**
 * Which pages a guest has written to: logs and rings (api.rst 4.8, 4.117, 8.29).
 *
 * @module
 */

import {
  byteLengthOf,
  checkInstance,
  checkInteger,
  checkNames,
  create,
  Errno,
  type Fd,
  KvmError,
  listOf,
  Mapping,
  PAGE_SIZE,
  show,
  withPointer,
} from "../../../ffi/mod.ts";
import {
  Cap,
  DirtyLogMode,
  kvmClearDirtyLog,
  kvmDirtyLog,
  MemFlag,
  PageOffset,
} from "../../../ffi/uapi/mod.ts";
import { MemorySlot, slotOwner } from "../../memory/mod.ts";
import { bitmapBytes } from "../dirty_pages.ts";
import { DirtyRing } from "../dirty_ring.ts";
import { DirtyTracker, type DirtyTracking } from "../dirty_tracker.ts";
import { KVM } from "../ioctls.ts";
import { VmPrivateMemory } from "./private_memory.ts";

/** Which part of a log to clear. */
export interface ClearDirtyLogOptions {
  /** The first page: a multiple of 64. 0 by default. */
  readonly firstPage?: number | undefined;
  /** How many: a multiple of 64, or up to the slot's end, which is the default. */
  readonly numPages?: number | undefined;
}

/** More than both address spaces of a VM can have. */
const MOST_SLOTS = 1 << 17;

/** The part of {@linkcode Vm} that tracks what the guest writes. */
export abstract class VmDirty extends VmPrivateMemory {
  readonly #rings: DirtyRing[] = [];
  #ringBytes = 0;
  #manual = false;

  /** @internal */
  override enableCap(cap: Cap, ...args: (number | bigint)[]): void {
    super.enableCap(cap, ...args);
    if (cap === Cap.DIRTY_LOG_RING || cap === Cap.DIRTY_LOG_RING_ACQ_REL) {
      this.#ringBytes = Number(args[0]);
    } else if (cap === Cap.MANUAL_DIRTY_LOG_PROTECT2) {
      this.#manual = (Number(args[0]) & DirtyLogMode.MANUAL_PROTECT_ENABLE) !== 0;
    }
  }

  /**
   * Leaves a log as it is when it is read, until {@linkcode clearDirtyLog}: cheaper for large slots,
   * a part at a time (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2). At any time.
   *
   * @param mode `DirtyLogMode`: with `INITIALLY_SET`, every page begins as dirty.
   */
  manualDirtyLogProtect(mode: number = DirtyLogMode.MANUAL_PROTECT_ENABLE): void {
    this.enableCap(Cap.MANUAL_DIRTY_LOG_PROTECT2, mode);
  }

  /**
   * Gives each vCPU a ring of the pages that it wrote to, instead of a log per slot
   * (KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_DIRTY_LOG_RING): its cost goes with what is written, not
   * with the memory's size. Before the first vCPU, once. A full ring is a `"dirtyRingFull"` exit:
   * collect, and run on.
   *
   * @param bytes A power of two from 4096 to what `check(Cap.DIRTY_LOG_RING)` answers; a page takes
   * 16. The kernel keeps some hundred entries back: 16384 is the least that every host takes.
   * @throws {KvmError} EINVAL for another size, the second time, or after the first vCPU.
   */
  dirtyRing(bytes: number): void {
    const acquireRelease = this.check(Cap.DIRTY_LOG_RING_ACQ_REL);
    const cap = acquireRelease > 0 ? Cap.DIRTY_LOG_RING_ACQ_REL : Cap.DIRTY_LOG_RING;
    const operation = `give each vCPU a dirty ring of ${show(bytes)} bytes`;
    this.need(cap, operation);
    const most = this.check(cap);
    checkInteger(operation, "The size", bytes, PAGE_SIZE, most);
    if (!Number.isInteger(Math.log2(bytes))) {
      const hint = `The size is a power of two from ${PAGE_SIZE} to ${most}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.enableCap(cap, bytes);
  }

  /**
   * Turns the log of a slot on or off, while the guest runs (KVM_SET_USER_MEMORY_REGION).
   * Turned on, it begins empty, or full with `DirtyLogMode.INITIALLY_SET`.
   */
  setDirtyLogging(slot: MemorySlot, enable: boolean): void {
    const operation = `turn dirty logging ${enable ? "on" : "off"} for ${nameOf(slot)}`;
    this.#own(slot, operation);
    const flags = enable
      ? slot.flags | MemFlag.LOG_DIRTY_PAGES
      : slot.flags & ~MemFlag.LOG_DIRTY_PAGES;
    if (flags === slot.flags) return;
    if ((flags & MemFlag.GUEST_MEMFD) !== 0) {
      const hint = "KVM keeps no log of slots with a guest_memfd";
      throw new KvmError({ operation, errno: Errno.EOPNOTSUPP, hint });
    }
    this.setRegion(slot, slot.size, flags, operation);
    slotOwner.setFlags(slot, flags);
  }

  /**
   * A slot's log: bit n % 8 of byte n / 8 says that page n was written to since the log was last
   * read, or cleared with {@linkcode manualDirtyLogProtect} (KVM_GET_DIRTY_LOG).
   *
   * @param into As many bytes as the log has; the pages divided by 8, in whole 8 bytes.
   * @throws {KvmError} ENOENT if the slot keeps none, ENXIO where vCPUs have dirty rings.
   */
  getDirtyLog(slot: MemorySlot, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const operation = `read the dirty log of ${nameOf(slot)}`;
    this.#own(slot, operation);
    const bytes = bitmapBytes(slot.size);
    const bitmap = into ?? new Uint8Array(new ArrayBuffer(bytes));
    this.#checkBitmap(operation, bitmap, bytes);
    const log = create(kvmDirtyLog);
    log.slot = slot.slot;
    withPointer(log, "dirtyBitmap", bitmap, () => {
      this.handle.set(KVM.KVM_GET_DIRTY_LOG, log, operation);
    });
    return bitmap;
  }

  /**
   * Watches pages for writes again, those whose bits are set (KVM_CLEAR_DIRTY_LOG). Read their
   * memory after this, not before: what the guest writes from now on is logged anew.
   *
   * @param bitmap A bit per page from `firstPage` on, as {@linkcode getDirtyLog} fills it.
   */
  clearDirtyLog(
    slot: MemorySlot,
    bitmap: Uint8Array<ArrayBuffer>,
    options: ClearDirtyLogOptions = {},
  ): void {
    const operation = `clear the dirty log of ${nameOf(slot)}`;
    this.#own(slot, operation);
    checkNames(operation, "What says which part", options, { firstPage: true, numPages: true });
    const { firstPage = 0, numPages } = options;
    const pages = slot.size / PAGE_SIZE;
    checkInteger(operation, "firstPage", firstPage, 0, pages - 1);
    const count = numPages ?? pages - firstPage;
    checkInteger(operation, "numPages", count, 1, pages - firstPage);
    if (firstPage % 64 !== 0 || (count % 64 !== 0 && firstPage + count !== pages)) {
      const hint = "firstPage is a multiple of 64, and numPages too, unless it is up to the end";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.#checkBitmap(operation, bitmap, bitmapBytes(count * PAGE_SIZE));
    const clear = create(kvmClearDirtyLog);
    clear.slot = slot.slot;
    clear.firstPage = firstPage;
    clear.numPages = count;
    withPointer(clear, "dirtyBitmap", bitmap, () => {
      this.handle.set(KVM.KVM_CLEAR_DIRTY_LOG, clear, operation);
    });
  }

  /**
   * Gives the entries of all rings that were collected back to KVM, and watches their pages for
   * writes again (KVM_RESET_DIRTY_RINGS). {@linkcode trackDirty} does it.
   *
   * @returns How many.
   */
  resetDirtyRings(): number {
    return this.handle.call(KVM.KVM_RESET_DIRTY_RINGS, 0, "reset the dirty rings");
  }

  /**
   * Tracks what the guest writes, by ring, by manual log or by log, as the VM is set up. It turns
   * the slots' logs on, and off again when disposed of. One tracker to a slot, with rings one to a VM:
   * what one has collected, another does not see. Writes of the host are not tracked.
   *
   * @param slots All that the guest can write to, by default.
   *
   * @example Each page once
   * ```ts
   * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * using tracker = vm.trackDirty();
   * longMode(vcpu, memory, { code: guests.dirty, registers: { rdi: 2n, rsi: 0x8000n } });
   * vcpu.run();
   * for (const { guestPhysAddr, size } of tracker.collect()) {
   *   console.log(guestPhysAddr.toString(16), size); // 8000 8192
   * }
   * console.log(tracker.collect().length); // 0
   * ```
   */
  trackDirty(slots?: Iterable<MemorySlot>): DirtyTracker {
    const unloggable = MemFlag.READONLY | MemFlag.GUEST_MEMFD;
    const tracked = slots === undefined
      ? [...this.memory.slots, ...this.smmMemory.slots].filter(({ flags }) =>
        (flags & unloggable) === 0
      )
      : listOf("track dirty pages", "What to track", slots, MOST_SLOTS);
    for (const slot of tracked) this.#own(slot, "track dirty pages");
    const way: DirtyTracking = this.#ringBytes > 0 ? "ring" : this.#manual ? "manual" : "log";
    return new DirtyTracker(this, tracked, way, this.#rings);
  }

  /** @internal A new vCPU's ring, if it has one; mapped until the VM is closed. */
  protected mapDirtyRing(vcpu: Fd): void {
    if (this.#ringBytes === 0) return;
    const offset = PageOffset.DIRTY_LOG * PAGE_SIZE;
    const mapping = Mapping.shared(vcpu, this.#ringBytes, `${vcpu.what}'s dirty ring`, offset);
    this.#rings.push(new DirtyRing(mapping));
  }

  /** Unmaps the rings, and closes. */
  override close(): void {
    for (const ring of this.#rings.splice(0)) ring.close();
    super.close();
  }

  #own(slot: MemorySlot, operation: string): void {
    checkInstance(operation, "The slot", slot, MemorySlot);
    if (this.memoryOf(slot) !== undefined) return;
    const hint = "The slot was removed, or is another VM's";
    throw new KvmError({ operation, errno: Errno.ENOENT, hint });
  }

  /** The kernel reads and writes as many bytes as the slot's size says. */
  #checkBitmap(operation: string, bitmap: Uint8Array, bytes: number): void {
    checkInteger(operation, "The bitmap's length in bytes", byteLengthOf(bitmap), bytes, bytes);
  }
}

/** For an error, whatever it is. */
function nameOf(slot: MemorySlot): string {
  return slot instanceof MemorySlot ? `slot ${slot.slot}` : "a slot";
}
