/**
 * A VM's clocks (api.rst 4.29, 4.30, 4.54, 4.55).
 *
 * @module
 */

import {
  checkInteger,
  from,
  isView,
  show,
  type StructInit,
  type StructOf,
  U32_MAX,
} from "../../../ffi/mod.ts";
import { Cap, kvmClockData } from "../../../ffi/uapi/mod.ts";
import { KVM } from "../ioctls.ts";
import { VmDirty } from "./dirty.ts";

/** The VM's kvmclock, and what the host's clocks were at that instant. */
export type ClockData = StructOf<typeof kvmClockData>;

/** The time part of {@linkcode Vm}. */
export abstract class VmTime extends VmDirty {
  /**
   * The guest's kvmclock in nanoseconds since its start, with the host's clocks where `flags` says so
   * (KVM_GET_CLOCK, KVM_CAP_ADJUST_CLOCK).
   */
  getClock(into?: ClockData): ClockData {
    return this.handle.get(KVM.KVM_GET_CLOCK, into, "read the VM's clock");
  }

  /**
   * Sets the guest's kvmclock (KVM_SET_CLOCK, KVM_CAP_ADJUST_CLOCK). With `ClockFlag.REALTIME`, the
   * time since `realtime` is added: how a snapshot's clock catches up.
   *
   * @example
   * ```ts
   * import { Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * vm.setClock({ clock: 3_600_000_000_000n }); // It has been up for an hour.
   * ```
   *
   * @throws {KvmError} EINVAL for a flag that `check(Cap.ADJUST_CLOCK)` does not answer.
   */
  setClock(clock: ClockData | StructInit<typeof kvmClockData>): void {
    const data = isView(kvmClockData, clock) ? clock : from(kvmClockData, clock);
    this.handle.set(KVM.KVM_SET_CLOCK, data, "set the VM's clock");
  }

  /** The TSC's rate in kHz, of vCPUs to come (KVM_GET_TSC_KHZ, KVM_CAP_VM_TSC_CONTROL). */
  getTscKhz(): number {
    const operation = "read the VM's TSC rate";
    this.need(Cap.VM_TSC_CONTROL, operation);
    return this.handle.call(KVM.KVM_GET_TSC_KHZ, 0, operation);
  }

  /**
   * Sets the TSC's rate of vCPUs to come (KVM_SET_TSC_KHZ, KVM_CAP_VM_TSC_CONTROL). Before the first.
   *
   * @param khz 1000 cycles per second; 0 for the host's rate.
   * @throws {KvmError} EOPNOTSUPP on processors that can't scale the TSC; EINVAL for a rate out of
   * reach, or after the first vCPU.
   */
  setTscKhz(khz: number): void {
    const operation = `set the VM's TSC rate to ${show(khz)} kHz`;
    checkInteger(operation, "The rate in kHz", khz, 0, U32_MAX);
    this.need(Cap.VM_TSC_CONTROL, operation);
    this.handle.call(KVM.KVM_SET_TSC_KHZ, khz, operation);
  }
}
