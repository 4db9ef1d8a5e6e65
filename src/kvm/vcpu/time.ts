/**
 * A vCPU's clocks: its time stamp counter and kvmclock; and vCPU attributes, of which the TSC's offset
 * is one.
 *
 * @module
 */

import { checkInteger, Errno, KvmError, show, U32_MAX } from "../../../ffi/mod.ts";
import { VcpuTsc } from "../../../ffi/uapi/mod.ts";
import { getAttr, hasAttr, setAttr } from "../device_attr.ts";
import { KVM } from "../ioctls.ts";
import { VcpuEvents } from "./events.ts";

/** The time part of {@linkcode Vcpu}. */
export abstract class VcpuTime extends VcpuEvents {
  /**
   * The rate of the guest's TSC in kHz (KVM_GET_TSC_KHZ).
   *
   * @throws {KvmError} EIO if the host's TSC is not stable.
   */
  getTscKhz(): number {
    return this.handle.call(KVM.KVM_GET_TSC_KHZ, 0, `read the TSC's rate of ${this.handle.what}`);
  }

  /**
   * Sets the rate of the guest's TSC in kHz (KVM_SET_TSC_KHZ): with `Cap.TSC_CONTROL` any that the
   * processor can scale to; without it, the host's own and, up to some parts in a million, such that
   * the guest does not see the difference.
   *
   * @throws {KvmError} EINVAL for 0 and for a rate out of reach.
   */
  setTscKhz(khz: number): void {
    const operation = `set the TSC's rate of ${this.handle.what} to ${show(khz)} kHz`;
    // 0 would be the rate that the VM was given.
    checkInteger(operation, "A rate", khz, 1, U32_MAX);
    this.handle.call(KVM.KVM_SET_TSC_KHZ, khz, operation);
  }

  /**
   * Tells the guest that it was paused, so that its watchdogs forgive the gap (KVM_KVMCLOCK_CTRL).
   * Before it runs again.
   *
   * @throws {KvmError} EINVAL if the guest does not use kvmclock on this vCPU.
   */
  kvmclockCtrl(): void {
    this.handle.call(KVM.KVM_KVMCLOCK_CTRL, 0, `tell ${this.handle.what} that it was paused`);
  }

  /** Whether the vCPU has an attribute (KVM_HAS_DEVICE_ATTR). */
  hasDeviceAttr(group: number, attr: number): boolean {
    return hasAttr(this.handle, group, attr);
  }

  /**
   * The bytes of an attribute (KVM_GET_DEVICE_ATTR).
   *
   * @param size Bytes that the attribute has: 8 for all there are.
   * @throws {KvmError} ENXIO if there is no such attribute.
   */
  getDeviceAttr(group: number, attr: number, size = 8): Uint8Array<ArrayBuffer> {
    return getAttr(this.handle, group, attr, size);
  }

  /**
   * Sets the bytes of an attribute (KVM_SET_DEVICE_ATTR); the kernel takes as many as it has.
   *
   * @throws {KvmError} ENXIO if there is no such attribute.
   */
  setDeviceAttr(group: number, attr: number, value: Uint8Array): void {
    setAttr(this.handle, group, attr, value);
  }

  /**
   * What is added to the host's TSC, scaled to the guest's rate, to give the guest's: negative, if
   * the guest's began later (attribute `VcpuTsc.OFFSET`, `Cap.VCPU_ATTRIBUTES`).
   *
   * @throws {KvmError} ENXIO on kernels without it.
   */
  getTscOffset(): bigint {
    const bytes = this.getDeviceAttr(VcpuTsc.CTRL, VcpuTsc.OFFSET);
    return new DataView(bytes.buffer).getBigInt64(0, true);
  }

  /**
   * Sets what is added to the host's TSC: a clone or a restored guest goes on from the original's
   * time, exactly, where writing the MSR would lose the time that the write takes.
   *
   * @example
   * ```ts
   * import { Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * using first = vm.createVcpu(0);
   * using second = vm.createVcpu(1);
   * second.setTscOffset(first.getTscOffset());
   * ```
   *
   * @throws {KvmError} ENXIO on kernels without the attribute, EINVAL beyond 64 bits.
   */
  setTscOffset(offset: bigint): void {
    const bytes = new Uint8Array(8);
    if (typeof offset !== "bigint" || offset < -(2n ** 63n) || offset >= 2n ** 64n) {
      const operation = `set the TSC's offset of ${this.handle.what} to ${show(offset)}`;
      const hint = "An offset is a bigint of 64 bits";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, offset), true);
    this.setDeviceAttr(VcpuTsc.CTRL, VcpuTsc.OFFSET, bytes);
  }
}
