/**
 * One slot of guest memory: a range of guest-physical addresses and the host memory behind it.
 *
 * @module
 */

import { closedError, type Mapping } from "../../ffi/mod.ts";
import { MemoryAccess, type Place } from "./access.ts";
import { outside } from "./outside.ts";

/** Where a slot lies and how the guest may use it. */
export interface SlotInit {
  /** The slot's number in the kernel's table. */
  readonly slot: number;
  /** The first guest-physical address. */
  readonly guestPhysAddr: number;
  /** The host memory. */
  readonly mapping: Mapping;
  /** The KVM_MEM_* flags. */
  readonly flags: number;
}

/** What the slot's VM may do, and nobody else: the kernel has to be told of it as well. */
export interface SlotOwner {
  /** The kernel knows the slot as part of this memory. */
  add(slot: MemorySlot, memory: MemoryAccess): void;
  /** The memory that it is part of, and no other; undefined once removed. */
  memoryOf(slot: MemorySlot): MemoryAccess | undefined;
  /** The kernel has taken new flags. */
  setFlags(slot: MemorySlot, flags: number): void;
  /** The kernel has let go of the slot: detaches every view and gives the memory back. */
  close(slot: MemorySlot): void;
}

/** Given out by the class itself, which alone can reach into a slot. */
export let slotOwner: SlotOwner;

/** A memory slot. Its addresses are guest-physical, as the guest sees them. */
export class MemorySlot extends MemoryAccess implements Place {
  /** The slot's number in the kernel's table. */
  readonly slot: number;
  /** The first guest-physical address. */
  readonly guestPhysAddr: number;
  static {
    slotOwner = {
      add: (slot, memory) => slot.#memory = memory,
      // An object that only looks like a slot has none.
      memoryOf: (slot) => #memory in slot ? slot.#memory : undefined,
      setFlags: (slot, flags) => slot.#flags = flags,
      close: (slot) => slot.#close(),
    };
  }

  readonly #mapping: Mapping;
  #memory: MemoryAccess | undefined;
  #view: DataView<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;
  #size: number;
  #flags: number;

  /** @internal Slots are made by `vm.addMemory`. */
  constructor({ slot, guestPhysAddr, mapping, flags }: SlotInit) {
    super();
    this.slot = slot;
    this.guestPhysAddr = guestPhysAddr;
    this.#flags = flags;
    this.#mapping = mapping;
    this.#view = new DataView(mapping.buffer);
    this.#bytes = new Uint8Array(mapping.buffer);
    this.#size = mapping.size;
    // Number and address are what the kernel knows the slot by.
    Object.freeze(this);
  }

  /** The KVM_MEM_* flags, see `MemFlag`. */
  get flags(): number {
    return this.#flags;
  }

  /** Bytes; 0 once the slot is removed. */
  get size(): number {
    return this.#size;
  }

  /** The first address behind the slot. */
  get end(): number {
    return this.guestPhysAddr + this.#size;
  }

  /** All of the slot's memory, in place. Empty once the slot is removed. */
  get all(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** All of the slot's memory as a DataView, in place. */
  get dataView(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /**
   * Where a guest-physical address lies in this process: for other libraries that take addresses.
   * It holds until the slot is removed.
   *
   * @throws {KvmError} EFAULT if the address is outside the slot.
   */
  hostAddress(address: number): bigint {
    if (this.find(address, 1) === undefined) this.fail("find the host address", address, 1);
    return this.#mapping.address + BigInt(address - this.guestPhysAddr);
  }

  /**
   * The descriptor of the memfd behind `backing: "memfd"`, for others to map: another process opens
   * /proc/PID/fd/N, or gets it by a call that this library does not make. -1 for other memory, and once
   * the slot is removed.
   */
  get fd(): number {
    return this.#mapping.fd?.number ?? -1;
  }

  /** The host memory's first address: KVM_SET_USER_MEMORY_REGION's `userspace_addr`. */
  get userspaceAddr(): bigint {
    return this.#mapping.address;
  }

  #close(): void {
    if (this.#size === 0) return;
    this.#size = 0;
    this.#memory = undefined;
    this.forget();
    this.#view = new DataView(new ArrayBuffer(0));
    this.#bytes = new Uint8Array(0);
    this.#mapping.close();
  }

  /** @internal */
  protected override find(address: number, length: number): MemorySlot | undefined {
    if (typeof address !== "number") return undefined;
    const offset = address - this.guestPhysAddr;
    return offset >= 0 && offset + length <= this.#size && Number.isSafeInteger(offset)
      ? this
      : undefined;
  }

  /** @internal */
  protected override fail(operation: string, address: number, length: number): never {
    if (this.#size === 0) throw closedError(operation, "memory slot");
    throw outside(operation, address, length, [this]);
  }
}
