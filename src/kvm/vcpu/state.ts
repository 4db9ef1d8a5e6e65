/**
 * What a vCPU is and what it is doing: CPUID and multiprocessing state.
 *
 * @module
 */

import { checkInteger, create, U32_MAX } from "../../../ffi/mod.ts";
import { kvmMpState } from "../../../ffi/uapi/mod.ts";
import { type Cpuid, readCpuid, writeCpuid } from "../cpuid.ts";
import { KVM } from "../ioctls.ts";
import { VcpuExtended } from "./extended.ts";

/** The state part of {@linkcode Vcpu}. */
export abstract class VcpuState extends VcpuExtended {
  /** The leaves that the vCPU answers CPUID with (KVM_GET_CPUID2). */
  getCpuid(): Cpuid {
    return readCpuid(this.handle, KVM.KVM_GET_CPUID2);
  }

  /**
   * Sets the leaves that the vCPU answers CPUID with (KVM_SET_CPUID2). Before that it answers with
   * zeroes. Set it before the first run.
   *
   * @example
   * ```ts
   * import { Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * using vcpu = vm.createVcpu(0);
   * vcpu.setCpuid(kvm.getSupportedCpuid());
   * ```
   */
  setCpuid(cpuid: Cpuid): void {
    writeCpuid(this.handle, cpuid);
  }

  /** Whether it runs, halts or waits to be started: one of `MpState` (KVM_GET_MP_STATE). */
  getMpState(): number {
    return this.handle.get(KVM.KVM_GET_MP_STATE).mpState;
  }

  /**
   * Sets it running, halted or waiting: one of `MpState` (KVM_SET_MP_STATE).
   *
   * @throws {KvmError} EINVAL for any but `MpState.RUNNABLE` without an in-kernel irqchip.
   */
  setMpState(mpState: number): void {
    const operation = `set MP state of ${this.handle.what}`;
    checkInteger(operation, "The state", mpState, 0, U32_MAX);
    const state = create(kvmMpState);
    state.mpState = mpState;
    this.handle.set(KVM.KVM_SET_MP_STATE, state, operation);
  }
}
