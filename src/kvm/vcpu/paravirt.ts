/**
 * What guests that know their hypervisor share with it, and what vCPUs of encrypted guests need.
 *
 * @module
 */

import {
  bytesOf,
  checkInstance,
  checkInteger,
  Errno,
  from,
  isView,
  KvmError,
  PAGE_SIZE,
  show,
  type StructInit,
  type StructOf,
  U32_MAX,
  withPointer,
} from "../../../ffi/mod.ts";
import {
  Cap,
  kvmPreFaultMemory,
  kvmTdxCmd,
  kvmTprAccessCtl,
  kvmVapicAddr,
  kvmXenVcpuAttr,
  TdxCommand,
  XenVcpuAttrType,
} from "../../../ffi/uapi/mod.ts";
import { PHYSICAL_END } from "../../arch/x86/mod.ts";
import { type Cpuid, readCpuid } from "../cpuid.ts";
import { KVM } from "../ioctls.ts";
import { VcpuDebug } from "./debug.ts";

/** An attribute of a Xen guest's vCPU; `type` says which member of `u` counts. */
export type XenVcpuAttr = StructOf<typeof kvmXenVcpuAttr>;

const U16_MAX = 0xffff;
/** More than any command of a vCPU reads or writes: a list of 256 CPUID entries. */
const COMMAND_ROOM = 16 << 10;

/** The paravirtual part of {@linkcode Vcpu}. */
export abstract class VcpuParavirt extends VcpuDebug {
  /**
   * Makes the guest's accesses to the in-kernel APIC's task priority `"tprAccess"` exits, or not
   * (KVM_TPR_ACCESS_REPORTING): to find and patch the instructions of guests that use it often.
   */
  tprAccessReporting(enabled: boolean): void {
    const control = from(kvmTprAccessCtl, { enabled: enabled ? 1 : 0 });
    const operation = `set TPR access reporting of ${this.handle.what}`;
    this.handle.set(KVM.KVM_TPR_ACCESS_REPORTING, control, operation);
  }

  /**
   * Where in guest memory KVM keeps a copy of the task priority for a guest that was patched to use
   * it; 0 ends that (KVM_SET_VAPIC_ADDR).
   *
   * @throws {KvmError} EINVAL without an in-kernel APIC, or for an address without memory.
   */
  setVapicAddr(guestPhysAddr: number): void {
    const operation = `set the VAPIC address of ${this.handle.what}`;
    checkInteger(operation, "An address", guestPhysAddr, 0, PHYSICAL_END - 1);
    const addr = from(kvmVapicAddr, { vapicAddr: guestPhysAddr });
    this.handle.set(KVM.KVM_SET_VAPIC_ADDR, addr, operation);
  }

  /**
   * An attribute of a Xen guest's vCPU, one of `XenVcpuAttrType` (KVM_XEN_VCPU_GET_ATTR).
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.XEN_HVM`, ENOENT for an attribute that can't
   * be read.
   */
  xenVcpuGetAttr(type: number): XenVcpuAttr {
    const operation = `read Xen attribute ${show(type)} of ${this.handle.what}`;
    checkInteger(operation, "An attribute", type, 0, U16_MAX);
    this.need(Cap.XEN_HVM, operation);
    return this.handle.get(KVM.KVM_XEN_VCPU_GET_ATTR, from(kvmXenVcpuAttr, { type }), operation);
  }

  /**
   * Sets an attribute of a Xen guest's vCPU (KVM_XEN_VCPU_SET_ATTR). Its info page is given by its
   * guest-physical address, `XenVcpuAttrType.VCPU_INFO`, and never by host address.
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.XEN_HVM`, ENOENT for an unknown one.
   */
  xenVcpuSetAttr(attr: XenVcpuAttr | StructInit<typeof kvmXenVcpuAttr>): void {
    const all = isView(kvmXenVcpuAttr, attr) ? attr : from(kvmXenVcpuAttr, attr);
    const operation = `set Xen attribute ${all.type} of ${this.handle.what}`;
    if (all.type === XenVcpuAttrType.VCPU_INFO_HVA) {
      // The kernel would write there for as long as the vCPU lives, whatever has become of the memory.
      const hint = "Give the guest-physical address instead: XenVcpuAttrType.VCPU_INFO";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.need(Cap.XEN_HVM, operation);
    this.handle.set(KVM.KVM_XEN_VCPU_SET_ATTR, all, operation);
  }

  /**
   * The leaves of Hyper-V's interface as this vCPU would have them (KVM_GET_SUPPORTED_HV_CPUID); add
   * them to those of `setCpuid`.
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.HYPERV_CPUID`.
   */
  getSupportedHvCpuid(): Cpuid {
    this.need(Cap.HYPERV_CPUID, `read the Hyper-V CPUID leaves of ${this.handle.what}`);
    return readCpuid(this.handle, KVM.KVM_GET_SUPPORTED_HV_CPUID);
  }

  /**
   * Maps guest memory into the guest now, so that it does not fault on first use
   * (KVM_PRE_FAULT_MEMORY). It goes on where the kernel stops early.
   *
   * @param onProgress Told how many bytes are done, each time the kernel returns.
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.PRE_FAULT_MEMORY` or with shadow page tables,
   * ENOENT outside memory.
   */
  preFaultMemory(
    guestPhysAddr: number,
    size: number,
    onProgress?: (bytes: number) => void,
  ): void {
    const operation = `map ${show(size)} bytes at ${show(guestPhysAddr)} ahead of use`;
    checkInteger(operation, "The address", guestPhysAddr, 0, PHYSICAL_END);
    checkInteger(operation, "The size", size, PAGE_SIZE, PHYSICAL_END);
    if (guestPhysAddr % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0) {
      const hint = `Address and size are multiples of ${PAGE_SIZE}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.need(Cap.PRE_FAULT_MEMORY, operation);
    const range = from(kvmPreFaultMemory, { gpa: guestPhysAddr, size });
    while (range.size > 0) {
      const result = this.handle.trySetBytes(KVM.KVM_PRE_FAULT_MEMORY, bytesOf(range));
      if (result < 0 && result !== -Errno.EINTR && result !== -Errno.EAGAIN) {
        this.handle.fail(KVM.KVM_PRE_FAULT_MEMORY, -result, operation);
      }
      onProgress?.(size - range.size);
    }
  }

  /**
   * A command for the vCPU of an encrypted guest, one of `TdxCommand` (KVM_MEMORY_ENCRYPT_OP); the
   * status of the TDX module.
   *
   * @param data The command's own struct, which gets the answer; or its immediate value.
   * @throws {KvmError} ENOTTY, or EINVAL before Linux 6.16, unless the guest is encrypted and of a kind
   * that has such commands.
   */
  memoryEncryptOp(id: number, data: Uint8Array | bigint = 0n, flags = 0): bigint {
    const operation = `make ${this.handle.what} execute encryption command ${show(id)}`;
    checkInteger(operation, "A command", id, 0, U32_MAX);
    checkInteger(operation, "Flags", flags, 0, U32_MAX);
    const command = from(kvmTdxCmd, { id, flags });
    const call = () => this.handle.setBytes(KVM.KVM_MEMORY_ENCRYPT_OP, bytesOf(command), operation);
    if (typeof data !== "bigint") {
      checkInstance(operation, "The struct", data, Uint8Array);
      checkInteger(operation, "The bytes of the struct", data.length, 0, COMMAND_ROOM);
      const room = new Uint8Array(new ArrayBuffer(COMMAND_ROOM));
      room.set(data);
      withPointer(command, "data", room, call);
      data.set(room.subarray(0, data.length));
    } else if (data === 0n || id === TdxCommand.INIT_VCPU) {
      command.data = data;
      call();
    } else {
      // To any other command it would be an address, which the kernel might write to.
      const hint = "INIT_VCPU alone takes a value: give the bytes of the command's struct";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    return command.hwError;
  }
}
