/**
 * A VM's memory slots.
 *
 * @module
 */

import {
  checkInstance,
  checkInteger,
  checkMultiple,
  checkNames,
  closedError,
  Errno,
  from,
  type HugePages,
  KvmError,
  Mapping,
  type Names,
  PAGE_SIZE,
  show,
  U32_MAX,
} from "../../../ffi/mod.ts";
import {
  Cap,
  kvmUserspaceMemoryRegion,
  kvmUserspaceMemoryRegion2,
  MemFlag,
} from "../../../ffi/uapi/mod.ts";
import { PHYSICAL_END } from "../../arch/x86/mod.ts";
import { GuestMemory, memoryOwner, MemorySlot, slotOwner } from "../../memory/mod.ts";
import { GuestMemfd } from "../guest_memfd.ts";
import { KVM } from "../ioctls.ts";
import { VmExitControl } from "./exit_control.ts";

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
   * the size must be a multiple of theirs. Fresh memory of 2 MiB and more begins as far from a huge
   * page's beginning as `guestPhysAddr` does, if there are addresses for that, so that KVM maps pages
   * that are joined as such.
   */
  readonly hugePages?: HugePages | undefined;
  /**
   * `"anonymous"` (the default), or `"memfd"` for memory that others can map, too: the slot's `fd`.
   */
  readonly backing?: "anonymous" | "memfd" | undefined;
  /** Reserve swap for all of it now, rather than fail when the host runs short. */
  readonly reserve?: boolean | undefined;
  /**
   * Memory of `createGuestMemfd` for what is private to the guest. What is shared lies in it too, if
   * it was made with `GuestMemfdFlag.MMAP` and `INIT_SHARED`, else in fresh memory as usual.
   */
  readonly guestMemfd?: GuestMemfd | undefined;
  /**
   * In which of the VM's address spaces the slot lies: 0, the guest's memory, by default; or 1, what
   * a vCPU sees instead of it in system management mode (`Cap.MULTI_ADDRESS_SPACE`).
   */
  readonly addressSpace?: 0 | 1 | undefined;
  /** Where in `guestMemfd` the slot begins: a multiple of 4096. 0 by default. */
  readonly guestMemfdOffset?: number | undefined;
}

const OPTIONS: Names<AddMemoryOptions> = {
  size: true,
  guestPhysAddr: true,
  readonly: true,
  logDirtyPages: true,
  hugePages: true,
  backing: true,
  reserve: true,
  guestMemfd: true,
  addressSpace: true,
  guestMemfdOffset: true,
};
const PAGE = `a multiple of ${PAGE_SIZE}`;
/** A slot's number has its address space in the bits from 16 on (api.rst 4.35). */
const SLOTS_OF_SPACE = 0x10000;

/** The memory part of {@linkcode Vm}. */
export abstract class VmMemory extends VmExitControl {
  readonly #memory = new GuestMemory();
  readonly #smmMemory = new GuestMemory();
  #maxSlots: number | undefined;

  /** All of the guest's memory. */
  get memory(): GuestMemory {
    return this.#memory;
  }

  /**
   * What a vCPU sees in system management mode, and only there: the slots of address space 1. Ordinary
   * memory is not part of it.
   */
  get smmMemory(): GuestMemory {
    return this.#smmMemory;
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
    checkNames("add memory", "What to add", options, OPTIONS);
    const { size, guestPhysAddr: address = 0, readonly = false, logDirtyPages = false } = options;
    const { backing = "anonymous", addressSpace = 0, hugePages, reserve } = options;
    const operation = `add ${show(size)} bytes of memory at ${show(address)}`;
    const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0) {
      throw invalid(`The size is ${PAGE}, at least one, not ${show(size)}`);
    }
    const guestPhysAddr = checkMultiple(operation, "The address", address, PAGE_SIZE);
    if (guestPhysAddr + size > PHYSICAL_END) {
      throw invalid(`The end is at most 2^52, not ${show(guestPhysAddr + size)}`);
    }
    if (backing !== "anonymous" && backing !== "memfd") {
      throw invalid('The backing is "anonymous" or "memfd"');
    }
    if (addressSpace !== 0 && addressSpace !== 1) throw invalid("The address space is 0 or 1");
    if (addressSpace === 1) this.need(Cap.MULTI_ADDRESS_SPACE, operation);
    const memory = addressSpace === 0 ? this.#memory : this.#smmMemory;
    if (readonly) this.need(Cap.READONLY_MEM, operation);
    const { guestMemfd, guestMemfdOffset = 0 } = options;
    if (guestMemfd !== undefined) {
      checkInstance(operation, "guestMemfd", guestMemfd, GuestMemfd);
      if (readonly || logDirtyPages) throw invalid("Private memory has neither of these flags");
      guestMemfd.checkRange(operation, guestMemfdOffset, size);
    }
    memory.refuseOverlap({ guestPhysAddr, size });
    const flags = (readonly ? MemFlag.READONLY : 0) |
      (logDirtyPages ? MemFlag.LOG_DIRTY_PAGES : 0) |
      (guestMemfd === undefined ? 0 : MemFlag.GUEST_MEMFD);
    const slot = this.#freeSlot(operation, memory, addressSpace * SLOTS_OF_SPACE);
    const what = `memory slot ${slot}`;
    const pages = { hugePages, reserve, guestPhysAddr };
    const mapping = guestMemfd?.mappable
      ? guestMemfd.map(guestMemfdOffset, size, what)
      : backing === "memfd"
      ? Mapping.memfd(size, what, pages)
      : Mapping.anonymous(size, what, pages);
    try {
      const memorySlot = new MemorySlot({ slot, guestPhysAddr, mapping, flags });
      if (guestMemfd === undefined) this.setRegion(memorySlot, size, flags, operation);
      else this.#setRegion2(memorySlot, guestMemfd, guestMemfdOffset, operation);
      memoryOwner.add(memory, memorySlot);
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
    checkInstance("remove memory", "The slot", slot, MemorySlot);
    const operation = `remove memory slot ${slot.slot}`;
    if (this.closed) throw closedError(operation, "VM");
    const memory = this.memoryOf(slot);
    if (memory === undefined) {
      const hint = "It was removed before, or is another VM's";
      throw new KvmError({ operation, errno: Errno.ENOENT, hint });
    }
    this.setRegion(slot, 0, 0, operation);
    memoryOwner.remove(memory, slot);
  }

  /**
   * Limits the pages that shadow page tables take, which matters where the processor has no nested
   * paging (KVM_SET_NR_MMU_PAGES).
   *
   * @param pages 64 at least.
   */
  setNrMmuPages(pages: number): void {
    const operation = `limit the shadow pages to ${show(pages)}`;
    checkInteger(operation, "The number of pages", pages, 64, U32_MAX);
    this.handle.call(KVM.KVM_SET_NR_MMU_PAGES, pages, operation);
  }

  /**
   * The limit of {@linkcode setNrMmuPages} (KVM_GET_NR_MMU_PAGES).
   *
   * @throws {KvmError} ENOTTY where the kernel can't tell any more.
   */
  getNrMmuPages(): number {
    return this.handle.call(KVM.KVM_GET_NR_MMU_PAGES, 0, "read the limit of shadow pages");
  }

  /** @internal Tells the kernel of a slot; a size of 0 deletes it. */
  protected setRegion(memory: MemorySlot, memorySize: number, flags: number, what: string): void {
    const { slot, guestPhysAddr, userspaceAddr } = memory;
    const init = { slot, flags, guestPhysAddr, memorySize, userspaceAddr };
    const region = from(kvmUserspaceMemoryRegion, init);
    this.handle.set(KVM.KVM_SET_USER_MEMORY_REGION, region, what);
  }

  /** @internal Which address space a slot is in; undefined if it is not, or no more, this VM's. */
  memoryOf(slot: MemorySlot): GuestMemory | undefined {
    const memory = slotOwner.memoryOf(slot);
    if (memory === this.#memory) return this.#memory;
    return memory === this.#smmMemory ? this.#smmMemory : undefined;
  }

  /** @internal Takes all slots from the guest, whose memory stays for the host. */
  protected deleteRegions(): void {
    for (const slot of [...this.#memory.slots, ...this.#smmMemory.slots]) {
      this.setRegion(slot, 0, 0, "take memory from the guest");
    }
  }

  /** Closes the VM; then gives its memory back, and views of it become empty. */
  override close(): void {
    super.close();
    memoryOwner.close(this.#memory);
    memoryOwner.close(this.#smmMemory);
  }

  #setRegion2(memory: MemorySlot, memfd: GuestMemfd, offset: number, operation: string): void {
    const { slot, flags, guestPhysAddr, size: memorySize, userspaceAddr } = memory;
    const guest = { guestMemfd: memfd.fd, guestMemfdOffset: offset };
    const init = { slot, flags, guestPhysAddr, memorySize, userspaceAddr, ...guest };
    const region = from(kvmUserspaceMemoryRegion2, init);
    this.handle.set(KVM.KVM_SET_USER_MEMORY_REGION2, region, operation);
  }

  /** Each address space has as many, from `first` on. */
  #freeSlot(operation: string, memory: GuestMemory, first: number): number {
    const taken = new Set(memory.slots.map(({ slot }) => slot));
    let free = first;
    while (taken.has(free)) free++;
    this.#maxSlots ??= this.check(Cap.NR_MEMSLOTS) || 32;
    if (free < first + this.#maxSlots) return free;
    const hint = `A VM has ${this.#maxSlots} slots at most: remove one, or add larger ones`;
    throw new KvmError({ operation, errno: Errno.ENOSPC, hint });
  }
}
