/**
 * The processor's state at a kernel's first instruction.
 *
 * @module
 */

import { Errno } from "../../ffi/mod.ts";
import {
  codeSegment32,
  codeSegment64,
  CR0,
  CR4,
  dataSegment,
  EFER,
  encodeDescriptor,
  IdentityMap,
  PAGE_BYTES,
  PageEntry,
  realModeSegment,
  type SegmentState,
  selector,
  taskRegister,
} from "../arch/x86/mod.ts";
import type { BootVcpu, GeneralRegisters } from "../boot/mod.ts";
import {
  encodeTable,
  endOf,
  enter,
  FOUR_GIB,
  leave,
  NO_TSS_LIMIT,
  PROTECTED_CR0,
  PROTECTED_CR4,
  roundUp,
  segments,
} from "../boot/parts/mod.ts";
import { BOOT_GDT, BOOT_PAGE_TABLES, COMMAND_LINE, ZERO_PAGE } from "../firmware/mod.ts";
import type { EntryPoint } from "./options.ts";
import type { Plan } from "./plan.ts";

/** Linux's __BOOT_CS and __BOOT_DS (x86/boot.rst, "32-bit Boot Protocol"). */
const BOOT_CS: number = selector(2);
const BOOT_DS: number = selector(3);
const data = dataSegment(BOOT_DS);

/** The first address above the stack that programs begin with. */
export const STACK_TOP = ZERO_PAGE;
/** Bytes of that stack, at least. */
export const STACK_SIZE = 4096;

/** What a real-mode segment reaches. */
const SEGMENT_LIMIT = 0xffff;
/** IVT of 256 vectors (SDM volume 3, "Interrupt and Exception Handling" of real mode). */
const IVT_LIMIT = 0x3ff;

/** Control registers of protected mode, and the task register's limit. */
export interface ProtectedState {
  /** CR0; PE and ET alone by default. */
  readonly cr0?: bigint | undefined;
  /** CR4; 0 by default. */
  readonly cr4?: bigint | undefined;
  /** The last valid offset in the TSS at address 0, which nobody uses. */
  readonly tssLimit?: number | undefined;
}

/** Protected mode in which SSE works: for programs that know no boot loader. */
export const withSse: ProtectedState = { cr0: PROTECTED_CR0, cr4: PROTECTED_CR4 };

/** Sets a stack aside, for programs that may expect one. */
export function claimStack(plan: Plan): void {
  plan.claim("stack", STACK_TOP - STACK_SIZE, STACK_SIZE);
}

/** Claims the GDT: two null descriptors, code, data. */
function putGdt(plan: Plan, code: SegmentState): EntryPoint["sregs"]["gdt"] {
  const bytes = encodeTable([0n, encodeDescriptor(code), encodeDescriptor(data)]);
  plan.put("GDT", BOOT_GDT, bytes);
  return { base: BigInt(BOOT_GDT), limit: bytes.length - 1 };
}

/** 32-bit protected mode: flat segments, no paging, interrupts disabled. Claims the GDT. */
export function protectedEntry(
  plan: Plan,
  rip: number,
  registers: GeneralRegisters,
  { cr0 = CR0.PE | CR0.ET, cr4 = 0n, tssLimit = NO_TSS_LIMIT }: ProtectedState = {},
): EntryPoint {
  const code = codeSegment32(BOOT_CS);
  return {
    mode: "protected",
    rip,
    rsp: STACK_TOP,
    registers,
    sregs: {
      ...flat(code),
      tr: taskRegister(0, 0, tssLimit),
      gdt: putGdt(plan, code),
      idt: { base: 0n, limit: 0 },
      cr0,
      cr3: 0n,
      cr4,
      efer: 0n,
    },
    pageTables: undefined,
  };
}

/**
 * 64-bit long mode: flat segments, interrupts disabled. Claims the GDT and page tables for the first
 * 4 GiB and for what the plan has claimed above: all else must have been claimed before.
 */
export function longEntry(plan: Plan, rip: number, registers: GeneralRegisters): EntryPoint {
  const code = codeSegment64(BOOT_CS);
  const gdt = putGdt(plan, code);
  const map = new IdentityMap("2M");
  map.add(0, FOUR_GIB, PageEntry.RW);
  const page = PAGE_BYTES["2M"];
  for (const region of plan.regions.filter((region) => endOf(region) > FOUR_GIB)) {
    const start = Math.max(FOUR_GIB, Math.floor(region.guestPhysAddr / page) * page);
    map.add(start, roundUp(endOf(region), page), PageEntry.RW);
  }
  if (map.size > COMMAND_LINE - BOOT_PAGE_TABLES) {
    const hint = `Page tables for all of it take ${map.size} bytes, and there is room for ` +
      `${COMMAND_LINE - BOOT_PAGE_TABLES}: load it below 4 GiB`;
    throw plan.error(Errno.E2BIG, hint);
  }
  const tables = map.encode(BOOT_PAGE_TABLES);
  const pageTables = plan.put("page tables", BOOT_PAGE_TABLES, tables);
  return {
    mode: "long",
    rip,
    rsp: STACK_TOP,
    registers,
    sregs: {
      ...flat(code),
      tr: taskRegister(0, 0, NO_TSS_LIMIT),
      gdt,
      idt: { base: 0n, limit: 0 },
      cr0: PROTECTED_CR0 | CR0.PG,
      cr3: BigInt(BOOT_PAGE_TABLES),
      cr4: PROTECTED_CR4 | CR4.PAE,
      efer: EFER.LME | EFER.LMA,
    },
    pageTables,
  };
}

/** 16-bit real mode; CS is 0 as far as it reaches. */
export function realEntry(address: number, rsp: number, registers: GeneralRegisters): EntryPoint {
  const paragraph = address <= SEGMENT_LIMIT ? 0 : Math.floor(address / 16);
  const zero = realModeSegment(0, "data");
  return {
    mode: "real",
    rip: address - 16 * paragraph,
    rsp,
    registers,
    sregs: {
      cs: realModeSegment(paragraph, "code"),
      ds: zero,
      es: zero,
      fs: zero,
      gs: zero,
      ss: zero,
      tr: taskRegister(0, 0, SEGMENT_LIMIT),
      gdt: { base: 0n, limit: 0 },
      idt: { base: 0n, limit: IVT_LIMIT },
      cr0: CR0.ET,
      cr3: 0n,
      cr4: 0n,
      efer: 0n,
    },
    pageTables: undefined,
  };
}

type Segments = Pick<EntryPoint["sregs"], "cs" | "ds" | "es" | "fs" | "gs" | "ss">;

function flat(code: SegmentState): Segments {
  return segments(code, data) as Segments;
}

/**
 * Puts a vCPU at a loaded kernel's first instruction, whatever it did before: `BootOptions` says what
 * begins anew and what stays. For a reset, load the kernel again: it has changed its own memory. Call
 * `vcpu.completeOperations` until it returns `"intr"` before that: an instruction that is completed
 * only here may write over what was loaded.
 *
 * @example
 * ```ts
 * import { Kvm } from "@deno-kvm/kvm";
 * import { memoryMap } from "@deno-kvm/kvm/firmware";
 * import { enterKernel, loadKernel } from "@deno-kvm/kvm/loader";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const { slots, e820 } = memoryMap(2 << 20);
 * for (const slot of slots) vm.addMemory(slot);
 * using vcpu = vm.createVcpu(0);
 *
 * const bootSector = Uint8Array.of(0xf4); // hlt
 * const { entry } = loadKernel(vm.memory, bootSector, { protocol: "flat16", memoryMap: e820 });
 * enterKernel(vcpu, entry);
 * console.log(vcpu.run().reason, vcpu.getRegs().rdx); // "hlt" 128n
 * ```
 */
export function enterKernel(vcpu: BootVcpu, entry: EntryPoint): void {
  const { rip, rsp, registers, sregs } = entry;
  leave(vcpu);
  enter(vcpu, registers, { rip, rsp, rflags: 0n, sregs });
}
