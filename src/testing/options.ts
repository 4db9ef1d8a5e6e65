/**
 * What to run, and how.
 *
 * @module
 */

import type { StructInit } from "../../ffi/mod.ts";
import type { kvmRegs } from "../../ffi/uapi/mod.ts";
import type { ExitName, MmioExit, Vcpu, Vm } from "../kvm/mod.ts";
import type { PortInputs } from "./ports.ts";

/** The mode that the code starts in: each has a boot helper of that name. */
export type GuestMode = "real" | "protected" | "paged" | "long";

/**
 * How a guest ends: with an exit, or, in long mode, with an exception that it did not take itself.
 */
export type GuestEnd = ExitName | "exception";

/** Bytes for guest memory; text is UTF-8, without a zero at the end. */
export type MemoryInit = Uint8Array | readonly number[] | string;

/** What to run, and how. */
export interface GuestOptions {
  /** The code: bytes, or NASM source, which needs `--allow-run=nasm`. */
  readonly code: Uint8Array | string;
  /** The mode it starts in; `"long"` by default. */
  readonly mode?: GuestMode | undefined;
  /** The privilege level that long-mode code starts at: 0 by default, or 3. */
  readonly cpl?: 0 | 3 | undefined;
  /** Where the code is loaded and entered; 0x1000 by default. */
  readonly at?: number | undefined;
  /** General registers at the start; the others are 0. */
  readonly registers?: StructInit<typeof kvmRegs> | undefined;
  /** What lies in memory at the start, by guest-physical address. */
  readonly memory?: Readonly<Record<number, MemoryInit>> | undefined;
  /** Bytes of memory, from address 0; 2 MiB by default. */
  readonly memorySize?: number | undefined;
  /** What the guest reads from ports; all ones where nothing is given. */
  readonly input?: PortInputs | undefined;
  /** Takes the accesses to addresses without memory; without it, reads give all ones. */
  readonly mmio?: ((exit: MmioExit) => void) | undefined;
  /** Milliseconds; 1000 by default. A guest that takes longer fails. */
  readonly timeLimit?: number | undefined;
  /** What is a good end; `"hlt"` by default. A write to `endPort` always is one. */
  readonly ends?: GuestEnd | readonly GuestEnd[] | undefined;
  /** A write to this port ends the guest: with an in-kernel irqchip HLT can't. 0xf4 by default. */
  readonly endPort?: number | undefined;
  /** More to set up: an irqchip, more memory. Called before the vCPU is created. */
  readonly setup?: ((vm: Vm) => void) | undefined;
  /** More to set up: CPUID, MSRs, interrupts. Called last, before the first run. */
  readonly prepare?: ((vcpu: Vcpu, vm: Vm) => void) | undefined;
}
