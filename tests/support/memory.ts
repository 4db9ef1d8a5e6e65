/**
 * VMs with nothing but memory.
 *
 * @module
 */

import { Kvm, type Vm } from "../../src/kvm/mod.ts";
import type { GuestMemory, MemoryAccess, MemorySlot } from "../../src/memory/mod.ts";

/** Bytes of the slots of {@linkcode twoSlots}. */
export const SLOT = 0x2000;

/** A VM with memory in two adjacent slots, at 0x1000 and 0x3000, and in a third at 0x10000. */
export interface TwoSlots extends Disposable {
  /** The VM. */
  readonly vm: Vm;
  /** Its memory, all slots. */
  readonly memory: GuestMemory;
  /** 0x1000 to 0x2fff. */
  readonly low: MemorySlot;
  /** 0x3000 to 0x4fff. */
  readonly high: MemorySlot;
  /** 0x10000 to 0x11fff. */
  readonly far: MemorySlot;
}

/** A VM without memory. */
export function emptyVm(): Vm {
  using kvm = Kvm.open();
  return kvm.createVm();
}

/** Makes it; added out of order, as a guest's memory may be. */
export function twoSlots(): TwoSlots {
  const vm = emptyVm();
  const far = vm.addMemory({ size: SLOT, guestPhysAddr: 0x10000 });
  const high = vm.addMemory({ size: SLOT, guestPhysAddr: 0x3000 });
  const low = vm.addMemory({ size: SLOT, guestPhysAddr: 0x1000 });
  return { vm, memory: vm.memory, low, high, far, [Symbol.dispose]: () => vm.close() };
}

/** Every way to access `length` bytes at an address, by name. */
export function accesses(
  memory: MemoryAccess,
  length: number,
): Readonly<Record<string, (address: number) => unknown>> {
  const integers = {
    1: {
      readU8: (address: number) => memory.readU8(address),
      writeU8: (address: number) => memory.writeU8(address, 0),
    },
    2: {
      readU16: (address: number) => memory.readU16(address),
      writeU16: (address: number) => memory.writeU16(address, 0),
    },
    4: {
      readU32: (address: number) => memory.readU32(address),
      writeU32: (address: number) => memory.writeU32(address, 0),
    },
    8: {
      readU64: (address: number) => memory.readU64(address),
      writeU64: (address: number) => memory.writeU64(address, 0n),
    },
  };
  return {
    ...(integers[length as keyof typeof integers] ?? {}),
    readBytes: (address) => memory.readBytes(address, length),
    writeBytes: (address) => memory.writeBytes(address, new Uint8Array(length)),
    fill: (address) => memory.fill(address, length),
  };
}

/** Every way to look at `length` bytes in place. */
export function views(
  memory: MemoryAccess,
  length: number,
): Readonly<Record<string, (address: number) => unknown>> {
  return {
    bytes: (address) => memory.bytes(address, length),
    array: (address) => memory.array(Uint8Array, address, length),
    struct: (address) => memory.struct({ all: "u8[]" }, address, length),
  };
}
