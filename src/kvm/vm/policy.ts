/**
 * What a guest may use: filters of MSRs and performance events; and devices that KVM emulates.
 *
 * @module
 */

import { Cap } from "../../../ffi/uapi/mod.ts";
import { Device } from "../device.ts";
import { KVM } from "../ioctls.ts";
import { type MsrAllowances, type MsrDenials, withMsrFilter } from "../msr_filter.ts";
import { compilePmuFilter, isMasked, type PmuEventFilter } from "../pmu_filter.ts";
import { VmTime } from "./time.ts";

/** The policy part of {@linkcode Vm}. */
export abstract class VmPolicy extends VmTime {
  /**
   * Decides which MSRs the guest may use, in place of the last filter (KVM_X86_SET_MSR_FILTER,
   * KVM_CAP_X86_MSR_FILTER). A denied access is a #GP, or an `"x86Rdmsr"` or `"x86Wrmsr"` exit after
   * `userSpaceMsr(MsrExitReason.FILTER)`. It does not bind the host, nor the x2APIC's MSRs.
   *
   * @example Answer the guest's reads of the TSC, and let it write nothing from 0xc0000080 on
   * ```ts
   * import { Cap, Kvm, MsrExitReason } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * if (vm.check(Cap.X86_MSR_FILTER)) {
   *   vm.userSpaceMsr(MsrExitReason.FILTER);
   *   vm.setMsrFilter({ denyReads: [0x10], denyWrites: [[0xc0000080, 0xc0000103]] });
   * }
   * ```
   *
   * @param rules What is denied, and all else is allowed; or what is allowed, and all else is denied.
   * @throws {KvmError} EINVAL for what is no MSR; E2BIG where they lie so far apart that more than 16
   * ranges of 12288 MSRs are needed; EOPNOTSUPP where the host has no filter.
   */
  setMsrFilter(rules: MsrDenials | MsrAllowances): void {
    const operation = "filter MSRs";
    withMsrFilter(rules, (filter) => {
      this.need(Cap.X86_MSR_FILTER, operation);
      this.handle.set(KVM.KVM_X86_SET_MSR_FILTER, filter, operation);
    });
  }

  /**
   * Decides which performance events the guest may count, in place of the last filter
   * (KVM_SET_PMU_EVENT_FILTER, KVM_CAP_PMU_EVENT_FILTER). A counter of another event stands still.
   *
   * @example Instructions and cycles alone, on Intel
   * ```ts
   * import { Cap, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const events = [{ select: 0xc0 }, { select: 0x3c }];
   * if (vm.check(Cap.PMU_EVENT_FILTER)) vm.setPmuEventFilter({ action: "allow", events });
   * ```
   *
   * @throws {KvmError} E2BIG for more than 300 events; EOPNOTSUPP where the host has no filter.
   */
  setPmuEventFilter(filter: PmuEventFilter): void {
    const operation = "filter performance events";
    const compiled = compilePmuFilter(filter);
    this.need(Cap.PMU_EVENT_FILTER, operation);
    if (filter.events?.some(isMasked)) this.need(Cap.PMU_EVENT_MASKED_EVENTS, operation);
    this.handle.set(KVM.KVM_SET_PMU_EVENT_FILTER, compiled, operation);
  }

  /**
   * Makes a device that KVM emulates (KVM_CREATE_DEVICE, KVM_CAP_DEVICE_CTRL): on x86,
   * `DeviceType.VFIO`, which tells KVM of the VM's VFIO groups.
   *
   * @throws {KvmError} ENODEV if the kernel has none of this type; EBUSY if the VM has one and can
   * have but one.
   */
  createDevice(type: number): Device {
    return Device.create(this.handle, type);
  }

  /** Whether {@linkcode createDevice} knows a type (KVM_CREATE_DEVICE with KVM_CREATE_DEVICE_TEST). */
  canCreateDevice(type: number): boolean {
    return Device.test(this.handle, type);
  }
}
