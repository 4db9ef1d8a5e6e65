/**
 * Sets a vCPU's registers for the first instruction.
 *
 * @module
 */

import {
  checkInteger,
  checkList,
  checkNames,
  checkObject,
  Errno,
  isName,
  KvmError,
  type Names,
  show,
  type StructInit,
} from "../../ffi/mod.ts";
import { type kvmRegs, type kvmSregs, MpState } from "../../ffi/uapi/mod.ts";
import { RFLAGS, SystemType, unusableSegment } from "../arch/x86/mod.ts";
import type { BootOptions, GeneralRegisters } from "./options.ts";

/** What a start asks of a vCPU; `Vcpu` has it. */
export interface BootVcpu {
  /** What the next run takes from the run page. */
  readonly kvmRun: {
    /** The task priority. */
    cr8: bigint;
    /** Which registers. */
    kvmDirtyRegs: bigint;
  };
  /** KVM_RUN that completes the last exit: the next one, `"intr"` after the last. */
  completeOperations(): { readonly reason: string };
  /** KVM_SET_VCPU_EVENTS: nothing is pending. */
  clearEvents(): void;
  /** KVM_SET_XSAVE, KVM_SET_XCRS and KVM_SET_DEBUGREGS, as at power-on. */
  resetExtendedState(): void;
  /** KVM_SET_REGS. */
  setRegs(regs: StructInit<typeof kvmRegs>): void;
  /** KVM_SET_SREGS. */
  setSregs(sregs: StructInit<typeof kvmSregs>): void;
  /** KVM_SET_MP_STATE. */
  setMpState(mpState: MpState): void;
}

/** A mode's own part of the registers. */
export interface EntryState {
  /** RIP: relative to CS. */
  readonly rip: number;
  /** RSP: relative to SS. */
  readonly rsp: number;
  /** RFLAGS bits of the mode. */
  readonly rflags: bigint;
  /** Segments, control registers, EFER, GDTR and IDTR. */
  readonly sregs: StructInit<typeof kvmSregs>;
}

/** All zero; also the list of the names that are allowed. */
const zeroes: Readonly<Record<keyof GeneralRegisters, bigint>> = {
  rax: 0n,
  rbx: 0n,
  rcx: 0n,
  rdx: 0n,
  rsi: 0n,
  rdi: 0n,
  rbp: 0n,
  r8: 0n,
  r9: 0n,
  r10: 0n,
  r11: 0n,
  r12: 0n,
  r13: 0n,
  r14: 0n,
  r15: 0n,
  rflags: 0n,
};

/** VT-x enters no guest with another bit set (SDM volume 3, "Checks on Guest RIP, RFLAGS, and SSP"). */
const ALL_FLAGS = Object.values(RFLAGS).reduce((all, flag) => all | flag);

/** Throws unless there are options, none but the mode's, and a list of ranges to avoid. */
export function checkOptions<T extends Pick<BootOptions, "avoid">>(
  operation: string,
  options: T,
  names: Names<T>,
): void {
  checkNames(operation, "What to start", options, names);
  const { avoid = [] } = options;
  checkList(operation, "avoid", avoid);
  for (const range of avoid) {
    checkObject(operation, "A range to avoid", range);
    for (const name of ["guestPhysAddr", "size"] as const) {
      checkInteger(operation, `A range's ${name}`, range[name], 0, Number.MAX_SAFE_INTEGER);
    }
  }
}

/** Throws unless each is a register's name with a value for it. */
export function checkRegisters(operation: string, registers: GeneralRegisters = {}): void {
  const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
  if (typeof registers !== "object" || registers === null) {
    throw invalid(`The registers are an object, not ${show(registers)}`);
  }
  for (const [name, value] of Object.entries(registers)) {
    if (!isName(zeroes, name)) {
      throw invalid(`${name} is no general register; rip and rsp are the options entry and stack`);
    }
    if (value !== undefined && typeof value !== "bigint") {
      throw invalid(`A register's value is a bigint: ${name} is ${show(value)}`);
    }
  }
  const { rflags = 0n } = registers;
  if ((rflags & ~ALL_FLAGS) !== 0n || (rflags & RFLAGS.VM) !== 0n) {
    throw invalid(`RFLAGS has no such bits, or not in this mode: 0x${rflags.toString(16)}`);
  }
}

/**
 * Gives up what a vCPU did before. It comes before anything is put into memory for the new guest: an
 * instruction of the old one that is completed may write there.
 */
export function leave(vcpu: BootVcpu): void {
  // With an in-kernel local APIC, all vCPUs but the first would wait for INIT and SIPI, and complete
  // nothing.
  vcpu.setMpState(MpState.RUNNABLE);
  // KVM takes both as it completes, too, and refuses what they can't be.
  vcpu.kvmRun.kvmDirtyRegs = 0n;
  vcpu.kvmRun.cr8 = 0n;
  // What these exits read is whatever the run page has: nobody looks at it any more.
  while (vcpu.completeOperations().reason !== "intr");
  vcpu.clearEvents();
  vcpu.resetExtendedState();
}

/** Puts a vCPU that was left at the first instruction, whatever it did before. */
export function enter(vcpu: BootVcpu, registers: GeneralRegisters = {}, state: EntryState): void {
  const { rip, rsp, rflags, sregs } = state;
  vcpu.setSregs({
    cr2: 0n,
    cr8: 0n,
    interruptBitmap: [0n, 0n, 0n, 0n],
    ldt: unusableSegment(SystemType.LDT),
    ...sregs,
  });
  vcpu.setRegs({
    ...zeroes,
    ...registers,
    rip: BigInt(rip),
    rsp: BigInt(rsp),
    rflags: (registers.rflags ?? 0n) | rflags | RFLAGS.FIXED,
  });
  // The completion has put the old guest's there again.
  vcpu.kvmRun.cr8 = 0n;
}
