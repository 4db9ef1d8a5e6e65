/**
 * A vCPU's registers.
 *
 * @module
 */

import { assign, isView, type StructInit, type StructOf } from "../../../ffi/mod.ts";
import { type kvmFpu, kvmRegs, kvmSregs } from "../../../ffi/uapi/mod.ts";
import { KVM } from "../ioctls.ts";
import { readMsrs, writeMsrs } from "../msrs.ts";
import { VcpuCapabilities } from "./capabilities.ts";

/** General registers: `rax`... `r15`, `rip`, `rflags`, each a bigint. */
export type Regs = StructOf<typeof kvmRegs>;
/** Segments, descriptor tables, control registers, EFER and APIC base. */
export type Sregs = StructOf<typeof kvmSregs>;
/** A segment register with its hidden part. */
export type Segment = Sregs["cs"];
/** GDTR or IDTR. */
export type Dtable = Sregs["gdt"];
/** x87 and SSE registers. */
export type Fpu = StructOf<typeof kvmFpu>;

/**
 * The register part of {@linkcode Vcpu}. A getter fills a view, a new one or the one given; a setter
 * takes a view, or some fields of one: the others keep their values. `plain` makes a copy to keep or to
 * change: `{ ...view }` has none of a view's fields, and is refused.
 */
export abstract class VcpuRegisters extends VcpuCapabilities {
  /** General registers (KVM_GET_REGS). */
  getRegs(into?: Regs): Regs {
    return this.handle.get(KVM.KVM_GET_REGS, into);
  }

  /** Sets general registers (KVM_SET_REGS). */
  setRegs(regs: Regs | StructInit<typeof kvmRegs>): void {
    const all = isView(kvmRegs, regs) ? regs : assign(this.getRegs(), regs);
    this.handle.set(KVM.KVM_SET_REGS, all, `set registers of ${this.handle.what}`);
  }

  /** Special registers (KVM_GET_SREGS). */
  getSregs(into?: Sregs): Sregs {
    return this.handle.get(KVM.KVM_GET_SREGS, into);
  }

  /**
   * Sets special registers (KVM_SET_SREGS).
   *
   * @throws {KvmError} EINVAL for a combination that no processor allows.
   */
  setSregs(sregs: Sregs | StructInit<typeof kvmSregs>): void {
    const all = isView(kvmSregs, sregs) ? sregs : assign(this.getSregs(), sregs);
    this.handle.set(KVM.KVM_SET_SREGS, all, `set special registers of ${this.handle.what}`);
  }

  /** x87 and SSE registers (KVM_GET_FPU). */
  getFpu(into?: Fpu): Fpu {
    return this.handle.get(KVM.KVM_GET_FPU, into);
  }

  /** Sets x87 and SSE registers (KVM_SET_FPU). */
  setFpu(fpu: Fpu | StructInit<typeof kvmFpu>): void {
    this.handle.set(KVM.KVM_SET_FPU, assign(this.getFpu(), fpu));
  }

  /** One MSR (KVM_GET_MSRS). */
  getMsr(index: number): bigint {
    return this.getMsrs([index])[0]!;
  }

  /** Sets one MSR (KVM_SET_MSRS). */
  setMsr(index: number, value: bigint): void {
    this.setMsrs([[index, value]]);
  }

  /**
   * MSRs in the order asked for (KVM_GET_MSRS).
   *
   * @throws {KvmError} EINVAL names the first one that the vCPU does not have.
   */
  getMsrs(indices: ArrayLike<number>): bigint[] {
    return readMsrs(this.handle, indices);
  }

  /**
   * Sets MSRs in order (KVM_SET_MSRS).
   *
   * @throws {KvmError} EINVAL names the first one that was refused; those before it are set.
   */
  setMsrs(values: readonly (readonly [index: number, value: bigint])[]): void {
    writeMsrs(this.handle, values);
  }
}
