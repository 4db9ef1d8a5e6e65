/**
 * A VM's memory slots.
 *
 * @module
 */

import { Errno, from, type HugePages, KvmError, Mapping, PAGE_SIZE } from "../../../ffi/mod.ts";
import { Cap, kvmUserspaceMemoryRegion, MemFlag } from "../../../ffi/uapi/mod.ts";
import { GuestMemory, MemorySlot } from "../../memory/mod.ts";
import { checkInteger, U32_MAX } from "../check.ts";
import { KVM } from "../ioctls.ts";
import { KvmObject } from "../object.ts";

/** What memory to add. */
export interface AddMemoryOptions {
  /** Bytes: a multiple of 4096. Memory that is never touched costs nothing. */
  readonly size: number;
  /** Where the guest sees it: a multiple of 4096. 0 by default. */
  readonly guestPhysAddr?: number | undefined;
  /** The guest may read but not write: its writes are MMIO exits. */
  readonly readonly?: boolean | undefined;
  /** KVM keeps a log of the pages that the guest writes to. */
  readonly logDirtyPages?: boolean | undefined;
  /**
   * `"transparent"` asks the kernel to join pages; `"2M"` and `"1G"` take reserved huge pages, and
   * the size must be a multiple of theirs.
   */
  readonly hugePages?: HugePages | undefined;
  /** `"anonymous"` (the default), or `"memfd"` for memory that others can map, too. */
  readonly backing?: "anonymous" | "memfd" | undefined;
  /** Reserve swap for all of it now, rather than fail when the host runs short. */
  readonly reserve?: boolean | undefined;
}

const PAGE = `a multiple of ${PAGE_SIZE}`;
/** No x86 processor has more physical address bits (SDM volume 3, 5.1.4). */
const PHYSICAL_LIMIT = 2 ** 52;

/** The memory part of {@linkcode Vm}. */
export abstract class VmMemory extends KvmObject {
  /** All of the guest's memory. */
  readonly memory: GuestMemory = new GuestMemory();
  #maxSlots: number | undefined;

  /**
   * What this VM says to a capability: 0 if it lacks it, else 1 or the capability's own number
   * (KVM_CHECK_EXTENSION).
   */
  check(cap: Cap): number {
    const operation = `check capability ${cap}`;
    checkInteger(operation, "A capability", cap, 0, U32_MAX);
    return this.handle.call(KVM.KVM_CHECK_EXTENSION, cap, operation);
  }

  /**
   * Gives the guest fresh zeroed memory (KVM_SET_USER_MEMORY_REGION).
   *
   * @example
   * ```ts
   * import { Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const low = vm.addMemory({ size: 1 << 20 });
   * vm.addMemory({ size: 64 << 10, guestPhysAddr: 0xffff0000, readonly: true });
   * low.writeString(0x1000, "hello");
   * console.log(vm.memory.readString(0x1000)); // "hello"
   * ```
   *
   * @throws {KvmError} EINVAL for what is not aligned, EEXIST for an overlap with another slot,
   * ENOMEM where the host or the huge pages don't suffice, ENOSPC with all slots in use.
   */
  addMemory(options: AddMemoryOptions): MemorySlot {
    const { size, guestPhysAddr = 0, readonly = false, logDirtyPages = false } = options;
    const operation = `add ${size} bytes of memory at ${guestPhysAddr}`;
    const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0) {
      throw invalid(`The size is ${PAGE}, at least one`);
    }
    const last = guestPhysAddr + size;
    if (!(guestPhysAddr >= 0) || guestPhysAddr % PAGE_SIZE !== 0 || last > PHYSICAL_LIMIT) {
      throw invalid(`The address is ${PAGE}, and the end at most 2^52`);
    }
    if (readonly) this.#need(Cap.READONLY_MEM, operation);
    this.memory.refuseOverlap({ guestPhysAddr, size });
    const flags = (readonly ? MemFlag.READONLY : 0) |
      (logDirtyPages ? MemFlag.LOG_DIRTY_PAGES : 0);
    const slot = this.#freeSlot(operation);
    const what = `memory slot ${slot}`;
    const mapping = options.backing === "memfd"
      ? Mapping.memfd(size, what, options)
      : Mapping.anonymous(size, what, options);
    try {
      const memorySlot = new MemorySlot({ slot, guestPhysAddr, mapping, flags });
      this.#setRegion(memorySlot, size, operation);
      this.memory.add(memorySlot);
      return memorySlot;
    } catch (error) {
      mapping.close();
      throw error;
    }
  }

  /**
   * Takes a slot from the guest and gives its memory back; views of it become empty. The guest's
   * accesses there are MMIO exits from now on.
   *
   * @throws {KvmError} ENOENT if the slot is not this VM's, or no more.
   */
  removeMemory(slot: MemorySlot): void {
    const operation = `remove memory slot ${slot.slot}`;
    if (!this.memory.slots.includes(slot)) {
      const hint = "It was removed before, or is another VM's";
      throw new KvmError({ operation, errno: Errno.ENOENT, hint });
    }
    this.#setRegion(slot, 0, operation);
    this.memory.remove(slot);
  }

  #setRegion(memory: MemorySlot, memorySize: number, operation: string): void {
    const { slot, flags, guestPhysAddr, userspaceAddr } = memory;
    const init = { slot, flags, guestPhysAddr, memorySize, userspaceAddr };
    const region = from(kvmUserspaceMemoryRegion, init);
    this.handle.set(KVM.KVM_SET_USER_MEMORY_REGION, region, operation);
  }

  #freeSlot(operation: string): number {
    const taken = new Set(this.memory.slots.map(({ slot }) => slot));
    let free = 0;
    while (taken.has(free)) free++;
    this.#maxSlots ??= this.check(Cap.NR_MEMSLOTS) || 32;
    if (free < this.#maxSlots) return free;
    const hint = `A VM has ${this.#maxSlots} slots at most: remove one, or add larger ones`;
    throw new KvmError({ operation, errno: Errno.ENOSPC, hint });
  }

  #need(cap: Cap, operation: string): void {
    if (this.check(cap) > 0) return;
    const hint = "The host's KVM lacks the capability";
    throw new KvmError({ operation, errno: Errno.EOPNOTSUPP, hint });
  }
}
