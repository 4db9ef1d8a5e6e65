/**
 * Memory that is the guest's own: guest_memfd, private ranges, encrypted regions.
 *
 * @module
 */

import {
  checkInteger,
  checkMultiple,
  checkNames,
  checkObject,
  from,
  PAGE_SIZE,
  show,
} from "../../../ffi/mod.ts";
import { Cap, kvmEncRegion, kvmMemoryAttributes } from "../../../ffi/uapi/mod.ts";
import type { Range } from "../../memory/mod.ts";
import { GuestMemfd, type GuestMemfdOptions } from "../guest_memfd.ts";
import { KVM } from "../ioctls.ts";
import { VmMemory } from "./memory.ts";

/** The private-memory part of {@linkcode Vm}. */
export abstract class VmPrivateMemory extends VmMemory {
  /**
   * Makes memory for slots of this VM, `addMemory({ guestMemfd })` (KVM_CREATE_GUEST_MEMFD,
   * KVM_CAP_GUEST_MEMFD).
   *
   * @example
   * ```ts
   * import { Cap, GuestMemfdFlag, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const flags = GuestMemfdFlag.MMAP | GuestMemfdFlag.INIT_SHARED;
   * if ((BigInt(vm.check(Cap.GUEST_MEMFD_FLAGS)) & flags) === flags) {
   *   using guestMemfd = vm.createGuestMemfd({ size: 2 << 20, flags });
   *   vm.addMemory({ size: 1 << 20, guestMemfd });
   * }
   * ```
   *
   * @throws {KvmError} EOPNOTSUPP where the host has none; EINVAL for a size that is no multiple of
   * 4096, or flags that this type of VM does not take.
   */
  createGuestMemfd(options: GuestMemfdOptions): GuestMemfd {
    checkNames("make guest memory", "What to make", options, { size: true, flags: true });
    this.need(Cap.GUEST_MEMFD, `make ${show(options.size)} bytes of guest memory`);
    return GuestMemfd.create(this.handle, options);
  }

  /**
   * Makes a range private or shared: gives it exactly these attributes (KVM_SET_MEMORY_ATTRIBUTES,
   * KVM_CAP_MEMORY_ATTRIBUTES).
   *
   * @param attributes `MemoryAttribute`: `PRIVATE`, or 0n for shared memory.
   * @throws {KvmError} EOPNOTSUPP where this type of VM has no private memory.
   */
  setMemoryAttributes(range: Range, attributes: bigint): void {
    checkObject("set attributes of memory", "The range", range);
    const { guestPhysAddr, size } = range;
    const operation = `set attributes of ${show(size)} bytes at ${show(guestPhysAddr)}`;
    checkMultiple(operation, "The address", guestPhysAddr, PAGE_SIZE);
    checkMultiple(operation, "The size", size, PAGE_SIZE);
    this.need(Cap.MEMORY_ATTRIBUTES, operation);
    const init = from(kvmMemoryAttributes, { address: guestPhysAddr, size, attributes });
    this.handle.set(KVM.KVM_SET_MEMORY_ATTRIBUTES, init, operation);
  }

  /**
   * Says that a range of guest memory will hold encrypted pages, and pins it
   * (KVM_MEMORY_ENCRYPT_REG_REGION): for SEV guests, before they are launched.
   *
   * @param range Within one slot.
   * @throws {KvmError} ENOTTY for a VM that is not encrypted.
   */
  memoryEncryptRegRegion(range: Range): void {
    const operation = "register encrypted memory";
    const region = this.#encRegion(range, operation);
    this.handle.set(KVM.KVM_MEMORY_ENCRYPT_REG_REGION, region, operation);
  }

  /** Undoes {@linkcode memoryEncryptRegRegion}, of the same range (KVM_MEMORY_ENCRYPT_UNREG_REGION). */
  memoryEncryptUnregRegion(range: Range): void {
    const operation = "unregister encrypted memory";
    const region = this.#encRegion(range, operation);
    this.handle.set(KVM.KVM_MEMORY_ENCRYPT_UNREG_REGION, region, operation);
  }

  #encRegion(range: Range, operation: string) {
    checkObject(operation, "The range", range);
    const { guestPhysAddr, size } = range;
    checkInteger(operation, "The size", size, 1, Number.MAX_SAFE_INTEGER);
    // Throws unless the range is guest memory, in one piece.
    this.memory.bytes(guestPhysAddr, size);
    const addr = this.memory.hostAddress(guestPhysAddr);
    return from(kvmEncRegion, { addr, size: BigInt(size) });
  }
}
