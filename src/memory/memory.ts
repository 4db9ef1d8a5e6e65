/**
 * All of a VM's memory: its slots, as one space of guest-physical addresses.
 *
 * @module
 */

import { closedError, Errno, KvmError } from "../../ffi/mod.ts";
import { MemoryAccess } from "./access.ts";
import { formatRange, outside, type Range } from "./outside.ts";
import { type MemorySlot, slotOwner } from "./slot.ts";

/** What the VM may do, and nobody else: the kernel has to be told of it as well. */
export interface MemoryOwner {
  /** The kernel has taken a slot. */
  add(memory: GuestMemory, slot: MemorySlot): void;
  /** The kernel has let go of a slot. */
  remove(memory: GuestMemory, slot: MemorySlot): void;
  /** The VM is gone. */
  close(memory: GuestMemory): void;
}

/** Given out by the class itself, which alone can reach into it. */
export let memoryOwner: MemoryOwner;

/**
 * A VM's memory, `vm.memory`: every slot that was added, found by address. An access may run from
 * one slot into the next if they are adjacent; a view may not.
 */
export class GuestMemory extends MemoryAccess {
  static {
    memoryOwner = {
      add: (memory, slot) => memory.#add(slot),
      remove: (memory, slot) => memory.#remove(slot),
      close: (memory) => memory.#close(),
    };
  }

  #slots: readonly MemorySlot[] = [];
  #last: MemorySlot | undefined;
  #closed = false;

  /** Of nothing: memory that holds slots is a VM's. */
  constructor() {
    super();
    if (new.target === GuestMemory) Object.freeze(this);
  }

  /** The slots, by ascending guest-physical address. */
  get slots(): readonly MemorySlot[] {
    return this.#slots;
  }

  /** The slot that holds an address, or undefined. */
  slotAt(address: number): MemorySlot | undefined {
    return this.find(address, 1);
  }

  /**
   * Where a guest-physical address lies in this process: for other libraries that take addresses.
   *
   * @throws {KvmError} EFAULT if the address is in no slot.
   */
  hostAddress(address: number): bigint {
    const slot = this.find(address, 1);
    return slot === undefined
      ? this.fail("find the host address", address, 1)
      : slot.hostAddress(address);
  }

  /** @internal Refuses a range that overlaps a slot: the kernel would name none of the two. */
  refuseOverlap(range: Range): void {
    const { guestPhysAddr, size } = range;
    for (const slot of this.#slots) {
      if (guestPhysAddr >= slot.end || guestPhysAddr + size <= slot.guestPhysAddr) continue;
      const hint = `Slot ${slot.slot} is at ${formatRange(slot)}: choose another address`;
      const operation = `add memory at ${formatRange(range)}`;
      throw new KvmError({ operation, errno: Errno.EEXIST, hint });
    }
  }

  #add(slot: MemorySlot): void {
    slotOwner.add(slot, this);
    const slots = [...this.#slots, slot].sort((a, b) => a.guestPhysAddr - b.guestPhysAddr);
    this.#slots = Object.freeze(slots);
  }

  #remove(slot: MemorySlot): void {
    this.#slots = Object.freeze(this.#slots.filter((other) => other !== slot));
    this.#last = undefined;
    this.forget();
    slotOwner.close(slot);
  }

  #close(): void {
    this.#closed = true;
    for (const slot of this.#slots) this.#remove(slot);
  }

  /** @internal */
  protected override find(address: number, length: number): MemorySlot | undefined {
    if (!Number.isSafeInteger(address)) return undefined;
    const last = this.#last;
    if (last !== undefined && address >= last.guestPhysAddr && address + length <= last.end) {
      return last;
    }
    for (const slot of this.#slots) {
      if (address >= slot.guestPhysAddr && address + length <= slot.end) return this.#last = slot;
    }
    return undefined;
  }

  /** @internal */
  protected override fail(operation: string, address: number, length: number): never {
    if (this.#closed) throw closedError(operation, "VM");
    throw outside(operation, address, length, this.#slots);
  }
}
