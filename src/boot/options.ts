/**
 * What every mode's start has in common: what is asked for, and what was put where.
 *
 * @module
 */

import type { Names } from "../../ffi/mod.ts";
import type { Range } from "../memory/mod.ts";

/** General registers to begin with; those left out are 0. RIP and RSP follow `entry` and `stack`. */
export interface GeneralRegisters {
  /** RAX. */
  readonly rax?: bigint | undefined;
  /** RBX. */
  readonly rbx?: bigint | undefined;
  /** RCX. */
  readonly rcx?: bigint | undefined;
  /** RDX. */
  readonly rdx?: bigint | undefined;
  /** RSI. */
  readonly rsi?: bigint | undefined;
  /** RDI. */
  readonly rdi?: bigint | undefined;
  /** RBP. */
  readonly rbp?: bigint | undefined;
  /** R8. */
  readonly r8?: bigint | undefined;
  /** R9. */
  readonly r9?: bigint | undefined;
  /** R10. */
  readonly r10?: bigint | undefined;
  /** R11. */
  readonly r11?: bigint | undefined;
  /** R12. */
  readonly r12?: bigint | undefined;
  /** R13. */
  readonly r13?: bigint | undefined;
  /** R14. */
  readonly r14?: bigint | undefined;
  /** R15. */
  readonly r15?: bigint | undefined;
  /** RFLAGS; bit 1, which is always set, is added. Interrupts are disabled without `RFLAGS.IF`. */
  readonly rflags?: bigint | undefined;
}

/**
 * What to start.
 *
 * The vCPU may have run before. What its last exit left pending is completed first, by whatever the
 * run page has, and forgotten. Then these begin anew: general registers, segments, descriptor tables,
 * control registers and EFER as the mode needs them; x87, SSE, AVX and what else XSAVE manages, XCR0
 * and the debug registers as at power-on; no exception, interrupt, NMI or SMI is pending or being
 * handled; and the run page's task priority and registers that were marked are dropped.
 *
 * These stay as they are: MSRs (but EFER, and the bases of FS and GS), the time-stamp counter, CPUID,
 * interrupt controllers and timers with what waits in them, what a nested hypervisor was about, what
 * `setGuestDebug` has set, requests, limits and kicks, and memory that nothing is written to. So a
 * guest may find traces of the one before: give each that isn't trusted a VM of its own.
 */
export interface BootOptions {
  /** The guest's code, and its data if they are one image. It is copied into guest memory. */
  readonly code: Uint8Array;
  /** Where the code is loaded: its first guest-physical address. 0x1000 by default. */
  readonly at?: number | undefined;
  /** The address of the first instruction; where the code is loaded, by default. */
  readonly entry?: number | undefined;
  /**
   * The first address above the stack, which grows down from there. By default it lies below the
   * other structures, at the top of memory, with 1 KiB at least.
   */
  readonly stack?: number | undefined;
  /** General registers to begin with. */
  readonly registers?: GeneralRegisters | undefined;
  /**
   * Ranges that structures and the chosen stack stay clear of: data that the guest has there, or
   * what another vCPU was started with, its `reserved`.
   */
  readonly avoid?: readonly Range[] | undefined;
}

/** The options of every mode. */
export const BOOT_OPTIONS: Names<BootOptions> = {
  code: true,
  at: true,
  entry: true,
  stack: true,
  registers: true,
  avoid: true,
};

/** What was put where. Addresses are guest-physical. */
export interface Boot {
  /** The code. */
  readonly code: Range;
  /** The address of the first instruction. */
  readonly entry: number;
  /** The first address above the stack. */
  readonly stack: number;
  /** Everything that the guest was given, code and stack included; no two overlap. */
  readonly reserved: readonly Range[];
}
