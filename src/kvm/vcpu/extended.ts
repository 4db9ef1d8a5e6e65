/**
 * A vCPU's registers beyond the ordinary ones: extended state, debug registers, the local APIC, and
 * what a nested hypervisor or newer processors add.
 *
 * @module
 */

import {
  assign,
  bytesOf,
  create,
  Errno,
  from,
  isView,
  KvmError,
  sizeOf,
  type StructInit,
  type StructOf,
} from "../../../ffi/mod.ts";
import {
  Cap,
  kvmDebugregs,
  kvmFpu,
  type kvmLapicState,
  kvmSregs2,
  kvmXcrs,
  kvmXsave,
} from "../../../ffi/uapi/mod.ts";
import { DR7, XCR0 } from "../../arch/x86/mod.ts";
import { KVM } from "../ioctls.ts";
import { type NestedVcpuState, readNestedState, writeNestedState } from "../nested_state.ts";
import { readOneReg, readRegList, writeOneReg } from "../one_reg.ts";
import { type Fpu, VcpuRegisters } from "./registers.ts";

/** The XSAVE area, as bytes; `XsaveArea` names what is in it. */
export type Xsave = StructOf<typeof kvmXsave>;
/** The extended control registers: XCR0 is the only one. */
export type Xcrs = StructOf<typeof kvmXcrs>;
/** The guest's own debug registers. */
export type Debugregs = StructOf<typeof kvmDebugregs>;
/** Special registers with the PDPTRs of PAE paging. */
export type Sregs2 = StructOf<typeof kvmSregs2>;
/** The registers of a local APIC, as bytes; `LapicRegisters` names them. */
export type LapicState = StructOf<typeof kvmLapicState>;

/** Words of the XSAVE area: MXCSR, and the bits of x87 and SSE (SDM volume 1, "XSAVE Area"). */
const MXCSR = 24 / 4;
const XSTATE_BV = 512 / 4;
const LEGACY = Number(XCR0.X87 | XCR0.SSE);

/**
 * After FNINIT, and MXCSR at power-on: all exceptions masked (SDM volume 1, "x87 FPU Control Word",
 * "MXCSR Control and Status Register").
 */
const FCW_INITIAL = 0x37f;
const MXCSR_INITIAL = 0x1f80;
/** Bits that are always set (SDM volume 3, "Debug Status Register (DR6)"). */
const DR6_INITIAL = 0xffff_0ff0n;
let initialXcrs: Xcrs | undefined;
let initialDebugregs: Debugregs | undefined;
/** By their bytes, which are the same for most vCPUs. */
const initialAreas = new Map<number, Xsave>();

/** The XSAVE area of a processor at power-on. */
function initialArea(size: number): Xsave {
  let area = initialAreas.get(size);
  if (area === undefined) {
    area = create(kvmXsave, (size - sizeOf(kvmXsave)) / 4);
    // Without these bits, KVM takes no MXCSR. All other components are in their initial state.
    area.region[XSTATE_BV] = LEGACY;
    area.region[0] = FCW_INITIAL;
    area.region[MXCSR] = MXCSR_INITIAL;
    initialAreas.set(size, area);
  }
  return area;
}

/** The extended part of {@linkcode Vcpu}. Getters and setters work as in `VcpuRegisters`. */
export abstract class VcpuExtended extends VcpuRegisters {
  #xsaveBytes: number | undefined;
  #scratch: Xsave | undefined;

  /**
   * x87, SSE, AVX and what else XSAVE manages, in the standard format (KVM_GET_XSAVE2, or
   * KVM_GET_XSAVE on kernels before it). The area has the bytes that `vm.check(Cap.XSAVE2)` answers.
   *
   * @throws {KvmError} EINVAL if `into` is smaller than that.
   */
  getXsave(into?: Xsave): Xsave {
    const operation = `read extended state of ${this.handle.what}`;
    const size = this.#xsaveSize();
    const xsave = into ?? create(kvmXsave, (size - sizeOf(kvmXsave)) / 4);
    this.#checkXsave(operation, xsave, size);
    const ioctl = this.check(Cap.XSAVE2) > 0 ? KVM.KVM_GET_XSAVE2 : KVM.KVM_GET_XSAVE;
    return this.handle.get(ioctl, xsave, operation);
  }

  /**
   * Sets all of the extended state (KVM_SET_XSAVE). The vCPU's CPUID comes first.
   *
   * @example
   * ```ts
   * import { Kvm, XsaveArea } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * using vcpu = vm.createVcpu(0);
   * vcpu.setCpuid(kvm.getSupportedCpuid());
   * const xsave = vcpu.getXsave();
   * new XsaveArea(xsave, vcpu.getCpuid().entries).write("xmm1", 2n ** 127n);
   * vcpu.setXsave(xsave);
   * ```
   *
   * @throws {KvmError} EINVAL for a smaller area than `getXsave` returns, for components that the
   * vCPU can't have and for reserved bits of MXCSR.
   */
  setXsave(xsave: Xsave): void {
    const operation = `set extended state of ${this.handle.what}`;
    this.#checkXsave(operation, xsave, this.#xsaveSize());
    this.handle.set(KVM.KVM_SET_XSAVE, xsave, operation);
  }

  /** x87 and SSE registers (KVM_GET_FPU), and MXCSR, which the kernel's call leaves out. */
  override getFpu(into?: Fpu): Fpu {
    const fpu = super.getFpu(into);
    if (this.check(Cap.XSAVE) > 0) fpu.mxcsr = this.#legacyState().region[MXCSR]!;
    return fpu;
  }

  /**
   * Sets x87 and SSE registers (KVM_SET_FPU). The kernel's call leaves MXCSR out, and XSTATE_BV as it
   * is, so that what was in its initial state would be so again on the next entry: both are set here.
   *
   * @throws {KvmError} EINVAL for reserved bits of MXCSR.
   */
  override setFpu(fpu: Fpu | StructInit<typeof kvmFpu>): void {
    const all = assign(this.getFpu(), fpu);
    if (this.check(Cap.XSAVE) > 0) {
      const xsave = this.#legacyState();
      xsave.region[XSTATE_BV]! |= LEGACY;
      xsave.region[MXCSR] = all.mxcsr;
      this.setXsave(xsave);
    }
    this.handle.set(KVM.KVM_SET_FPU, all, `set x87 and SSE registers of ${this.handle.what}`);
  }

  /** Extended control registers, of which `nrXcrs` are there (KVM_GET_XCRS). */
  getXcrs(into?: Xcrs): Xcrs {
    return this.handle.get(KVM.KVM_GET_XCRS, into);
  }

  /**
   * Sets extended control registers (KVM_SET_XCRS): `{ xcrs: [{ value: XCR0.X87 | XCR0.SSE }] }` sets
   * XCR0, the first one. AVX instructions also need CR4.OSXSAVE.
   *
   * @throws {KvmError} EINVAL without X87, and for features that the vCPU's CPUID lacks.
   */
  setXcrs(xcrs: Xcrs | StructInit<typeof kvmXcrs>): void {
    const all = isView(kvmXcrs, xcrs) ? xcrs : assign(this.getXcrs(), xcrs);
    this.handle.set(KVM.KVM_SET_XCRS, all, `set XCRs of ${this.handle.what}`);
  }

  /** The guest's own debug registers (KVM_GET_DEBUGREGS); `decodeBreakpoints` reads them. */
  getDebugregs(into?: Debugregs): Debugregs {
    return this.handle.get(KVM.KVM_GET_DEBUGREGS, into);
  }

  /**
   * Sets the guest's own debug registers (KVM_SET_DEBUGREGS): its breakpoints raise #DB in the guest.
   * Those of the host's debugger are `setGuestDebug`'s.
   *
   * @throws {KvmError} EINVAL for bits in the upper halves of DR6 and DR7.
   */
  setDebugregs(debugregs: Debugregs | StructInit<typeof kvmDebugregs>): void {
    const all = isView(kvmDebugregs, debugregs)
      ? debugregs
      : assign(this.getDebugregs(), debugregs);
    this.handle.set(KVM.KVM_SET_DEBUGREGS, all, `set debug registers of ${this.handle.what}`);
  }

  /**
   * x87, SSE, AVX and what else XSAVE manages, XCR0 and the guest's debug registers: all as a
   * processor has them at power-on (KVM_SET_XSAVE, or KVM_SET_FPU; KVM_SET_XCRS; KVM_SET_DEBUGREGS).
   * What the host's KVM has no call for is left out.
   *
   * @example
   * ```ts
   * import { Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * using vcpu = vm.createVcpu(0);
   * vcpu.setDebugregs({ db: [0x1000n] });
   * vcpu.resetExtendedState();
   * console.log(vcpu.getDebugregs().db[0]); // 0n
   * ```
   */
  resetExtendedState(): void {
    if (this.check(Cap.XCRS) > 0) {
      initialXcrs ??= from(kvmXcrs, { nrXcrs: 1, xcrs: [{ value: XCR0.X87 }] });
      this.setXcrs(initialXcrs);
    }
    if (this.check(Cap.XSAVE) > 0) this.setXsave(initialArea(this.#xsaveSize()));
    else {
      const operation = `reset x87 and SSE registers of ${this.handle.what}`;
      const initial = from(kvmFpu, { fcw: FCW_INITIAL, mxcsr: MXCSR_INITIAL });
      this.handle.set(KVM.KVM_SET_FPU, initial, operation);
    }
    if (this.check(Cap.DEBUGREGS) > 0) {
      initialDebugregs ??= from(kvmDebugregs, { dr6: DR6_INITIAL, dr7: DR7.FIXED });
      this.setDebugregs(initialDebugregs);
    }
  }

  /**
   * Special registers with the PDPTRs that PAE paging uses (KVM_GET_SREGS2); they count if `flags`
   * has `Sregs2Flag.PDPTRS_VALID`.
   */
  getSregs2(into?: Sregs2): Sregs2 {
    return this.handle.get(KVM.KVM_GET_SREGS2, into);
  }

  /**
   * Sets special registers (KVM_SET_SREGS2). With `Sregs2Flag.PDPTRS_VALID` PAE paging goes on with
   * the PDPTRs given; without it they are read from memory, where they may have changed.
   *
   * @throws {KvmError} EINVAL for a combination that no processor allows.
   */
  setSregs2(sregs2: Sregs2 | StructInit<typeof kvmSregs2>): void {
    const all = isView(kvmSregs2, sregs2) ? sregs2 : assign(this.getSregs2(), sregs2);
    this.handle.set(KVM.KVM_SET_SREGS2, all, `set special registers of ${this.handle.what}`);
  }

  /**
   * The registers of the in-kernel local APIC (KVM_GET_LAPIC).
   *
   * @throws {KvmError} EINVAL if the vCPU was created without one.
   */
  getLapic(into?: LapicState): LapicState {
    return this.handle.get(KVM.KVM_GET_LAPIC, into, `read the local APIC of ${this.handle.what}`);
  }

  /**
   * Sets the registers of the in-kernel local APIC (KVM_SET_LAPIC). A timer that runs goes on with
   * what is left in `timerCurrent`.
   *
   * @throws {KvmError} EINVAL if the vCPU was created without one.
   */
  setLapic(lapic: LapicState): void {
    this.handle.set(KVM.KVM_SET_LAPIC, lapic, `set the local APIC of ${this.handle.what}`);
  }

  /**
   * One register by its id (KVM_GET_ONE_REG): `x86RegMsr(MSR.EFER)`, `x86RegKvm(OneReg.GUEST_SSP)`.
   *
   * @throws {KvmError} EINVAL for an id that KVM does not know, ENOTTY without `Cap.ONE_REG`.
   */
  getOneReg(id: bigint): bigint {
    return readOneReg(this.handle, id);
  }

  /**
   * Sets one register by its id (KVM_SET_ONE_REG).
   *
   * @throws {KvmError} EINVAL for an id that KVM does not know or a value that it refuses.
   */
  setOneReg(id: bigint, value: bigint): void {
    writeOneReg(this.handle, id, value);
  }

  /** The ids of the registers that only `getOneReg` can read (KVM_GET_REG_LIST). */
  getRegList(): BigUint64Array<ArrayBuffer> {
    return readRegList(this.handle);
  }

  /**
   * What a nested hypervisor in the guest is doing (KVM_GET_NESTED_STATE).
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.NESTED_STATE`.
   */
  getNestedState(): NestedVcpuState {
    this.need(Cap.NESTED_STATE, `read the nested state of ${this.handle.what}`);
    return readNestedState(this.handle, this.check(Cap.NESTED_STATE));
  }

  /**
   * Sets what a nested hypervisor in the guest is doing (KVM_SET_NESTED_STATE): what `getNestedState`
   * returned, here or on a host of the same kind. CPUID and special registers come first.
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.NESTED_STATE`, EINVAL for a state that does
   * not go with the vCPU's others.
   */
  setNestedState(state: NestedVcpuState): void {
    this.need(Cap.NESTED_STATE, `set the nested state of ${this.handle.what}`);
    writeNestedState(this.handle, state);
  }

  #legacyState(): Xsave {
    return this.#scratch = this.getXsave(this.#scratch);
  }

  /** It can't change any more: the features that enlarge it are asked for before the first vCPU. */
  #xsaveSize(): number {
    return this.#xsaveBytes ??= Math.max(sizeOf(kvmXsave), this.check(Cap.XSAVE2));
  }

  /** The kernel reads and writes as many bytes as its own area has. */
  #checkXsave(operation: string, xsave: Xsave, size: number): void {
    if (isView(kvmXsave, xsave) && bytesOf(xsave).length >= size) return;
    const hint = `The area has ${size} bytes here: use what getXsave returns`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
}
