/**
 * 64-bit long mode (SDM volume 3, "Initializing IA-32e Mode"; APM volume 2, chapter 14).
 *
 * @module
 */

import {
  codeSegment64,
  CR0,
  CR4,
  dataSegment,
  EFER,
  encodeDescriptor,
  encodeSystemDescriptor,
  RFLAGS,
  selector,
  taskRegister,
} from "../arch/x86/mod.ts";
import { Errno, KvmError } from "../../ffi/mod.ts";
import { Cpuid } from "../kvm/mod.ts";
import type { GuestMemory, MemorySlot, Range } from "../memory/mod.ts";
import { type BootVcpu, enter, type EntryState, leave } from "./enter.ts";
import { type ExceptionLayout, writeExceptions } from "./exceptions.ts";
import { encodeTable, NO_TSS_LIMIT, PROTECTED_CR0, PROTECTED_CR4, segments } from "./flat.ts";
import { type LongModeOptions, planLongMode } from "./long_plan.ts";
import type { Boot, BootOptions } from "./options.ts";

/** What a start in long mode asks of a vCPU; `Vcpu` has it. */
export interface LongModeVcpu extends BootVcpu {
  /** Its APIC id. */
  readonly id: number;
  /** KVM_GET_CPUID2. */
  getCpuid(): Cpuid;
  /** KVM_SET_CPUID2. */
  setCpuid(cpuid: Cpuid): void;
}

/** What {@linkcode longMode} has put where. */
export interface LongModeBoot extends Boot {
  /** The GDT, see {@linkcode LongSelector}. */
  readonly gdt: Range;
  /** The page tables; CR3 is their first address. */
  readonly pageTables: Range;
  /** IDT, TSS and what belongs to them, if exceptions are reported. */
  readonly exceptions: ExceptionLayout | undefined;
}

/** Selectors in the GDT of long mode, in the order that SYSCALL and SYSRET want. */
export const LongSelector: Readonly<
  Record<"CODE" | "DATA" | "USER_DATA" | "USER_CODE" | "TSS", number>
> = {
  /** Flat 64-bit code of level 0. */
  CODE: selector(1),
  /** Flat data of level 0. */
  DATA: selector(2),
  /** Flat data of level 3. */
  USER_DATA: selector(3, 3),
  /** Flat 64-bit code of level 3. */
  USER_CODE: selector(4, 3),
  /** The TSS if exceptions are reported, else two null descriptors. */
  TSS: selector(5),
};

const code = codeSegment64(LongSelector.CODE);
const data = dataSegment(LongSelector.DATA);
const userData = dataSegment(LongSelector.USER_DATA, 3);
const userCode = codeSegment64(LongSelector.USER_CODE, 3);

/**
 * Starts code in 64-bit long mode: flat segments, identity-mapped memory, interrupts disabled, SSE
 * enabled. What is mapped is open to level 3, so a guest at level 0 may go there by itself. A vCPU
 * without CPUID gets that of `Cpuid.baseline` where KVM has no long mode without.
 *
 * Needs memory for the code, 24 KiB of page tables (8 KiB with `pageSize: "1G"`; 12 KiB with a `map`
 * of up to 1 GiB), 56 bytes of GDT and 1 KiB of stack: 28 KiB in all will do. Reports of exceptions
 * take 3.5 KiB more, level 3 another 8 KiB.
 *
 * A vCPU may be started again, whatever it did before. {@linkcode BootOptions} says what begins anew
 * and what stays, MSRs and other memory for two: a fresh VM is the safe way for untrusted guests.
 *
 * @example The same guest at level 0 and at level 3, which is much faster where KVM interprets level 0
 * ```ts
 * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 64 << 10 });
 * using vcpu = vm.createVcpu(0);
 * for (const cpl of [0, 3] as const) {
 *   longMode(vcpu, memory, { code: guests.halt, cpl });
 *   console.log(vcpu.run().reason, vcpu.getRegs().rax); // "hlt" 42n
 * }
 * ```
 *
 * @throws {KvmError} EINVAL for an option that can't be, an entry outside the code or a stack
 * outside memory; EFAULT or E2BIG for code outside memory or `map`; ENOMEM without room for the
 * structures.
 */
export function longMode(
  vcpu: LongModeVcpu,
  memory: MemorySlot | GuestMemory,
  options: LongModeOptions,
): LongModeBoot {
  const { tables, idt, ...boot } = planLongMode("start the guest in long mode", memory, options);
  const { cpl = 0 } = options;
  const { gdt, pageTables, exceptions } = boot;
  const tss = exceptions === undefined
    ? taskRegister(0, 0, NO_TSS_LIMIT)
    : taskRegister(LongSelector.TSS, exceptions.tss.guestPhysAddr, exceptions.tss.size - 1);
  const descriptors = [
    ...[code, data, userData, userCode].map(encodeDescriptor),
    ...(exceptions === undefined ? [0n, 0n] : encodeSystemDescriptor(tss)),
  ];

  leave(vcpu);
  memory.writeBytes(boot.code.guestPhysAddr, options.code);
  memory.writeBytes(pageTables.guestPhysAddr, tables.encode(pageTables.guestPhysAddr));
  memory.writeBytes(gdt.guestPhysAddr, encodeTable(descriptors));
  if (exceptions !== undefined) {
    writeExceptions(memory, exceptions, idt, LongSelector.CODE, cpl);
  }
  enterWithCpuid(vcpu, options.registers, {
    rip: boot.entry,
    rsp: boot.stack,
    rflags: cpl === 3 ? RFLAGS.IOPL : 0n,
    sregs: {
      ...(cpl === 3 ? segments(userCode, userData) : segments(code, data)),
      tr: tss,
      gdt: { base: BigInt(gdt.guestPhysAddr), limit: gdt.size - 1 },
      idt: exceptions === undefined
        ? { base: 0n, limit: 0 }
        : { base: BigInt(exceptions.idt.guestPhysAddr), limit: exceptions.idt.size - 1 },
      cr0: PROTECTED_CR0 | CR0.PG,
      cr3: BigInt(pageTables.guestPhysAddr),
      cr4: PROTECTED_CR4 | CR4.PAE,
      efer: EFER.LME | EFER.LMA,
    },
  });
  return boot;
}

/**
 * Newer kernels (7.3 does) refuse EFER bits that a vCPU's CPUID lacks, whoever sets them, and a vCPU
 * that was just made has no leaves at all.
 */
function enterWithCpuid(
  vcpu: LongModeVcpu,
  registers: BootOptions["registers"],
  state: EntryState,
): void {
  try {
    enter(vcpu, registers, state);
  } catch (error) {
    const isRefused = error instanceof KvmError && error.errno === Errno.EINVAL &&
      error.call === "KVM_SET_SREGS";
    if (!isRefused || vcpu.getCpuid().entries.length > 0) throw error;
    const { id } = vcpu;
    vcpu.setCpuid(Cpuid.baseline({ id, topology: { cores: id + 1 } }));
    enter(vcpu, registers, state);
  }
}
