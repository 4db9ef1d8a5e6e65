/**
 * The exits whose payload is just the kernel's struct, shown in place.
 *
 * @module
 */

import type { StructOf, Table } from "../../../ffi/mod.ts";
import { ExitReason, kvmDebugExitArch, kvmRun } from "../../../ffi/uapi/mod.ts";

const empty = {} as const;

/** `kvmRun.exit.msr`, but for the name of a field: an exit's own `reason` is what tells it apart. */
const msr = {
  /** Written by user space: 1 gives the guest a #GP. */
  error: "u8",
  pad: "u8[7]",
  /** `MsrExitReason`, one of them: why it came to user space. The kernel's `reason`. */
  msrReason: "u32",
  /** Which MSR. */
  index: "u32",
  /** The value written, or written by user space to be read. */
  data: "u64",
} as const;

/** An exit's name and the struct that carries its payload. */
export interface ExitKind {
  /** What its `reason` says. */
  readonly reason: string;
  /** The fields. */
  readonly payload: Table;
}

/** By exit reason. KVM_EXIT_IO, MMIO and INTERNAL_ERROR have classes of their own. */
export const exitKinds = {
  [ExitReason.UNKNOWN]: { reason: "unknown", payload: kvmRun.exit.union.hw },
  [ExitReason.EXCEPTION]: { reason: "exception", payload: kvmRun.exit.union.ex },
  [ExitReason.HYPERCALL]: { reason: "hypercall", payload: kvmRun.exit.union.hypercall },
  [ExitReason.DEBUG]: { reason: "debug", payload: kvmDebugExitArch },
  [ExitReason.HLT]: { reason: "hlt", payload: empty },
  [ExitReason.IRQ_WINDOW_OPEN]: { reason: "irqWindowOpen", payload: empty },
  [ExitReason.SHUTDOWN]: { reason: "shutdown", payload: empty },
  [ExitReason.FAIL_ENTRY]: { reason: "failEntry", payload: kvmRun.exit.union.failEntry },
  [ExitReason.INTR]: { reason: "intr", payload: empty },
  [ExitReason.SET_TPR]: { reason: "setTpr", payload: empty },
  [ExitReason.TPR_ACCESS]: { reason: "tprAccess", payload: kvmRun.exit.union.tprAccess },
  [ExitReason.NMI]: { reason: "nmi", payload: empty },
  [ExitReason.SYSTEM_EVENT]: { reason: "systemEvent", payload: kvmRun.exit.union.systemEvent },
  [ExitReason.IOAPIC_EOI]: { reason: "ioapicEoi", payload: kvmRun.exit.union.eoi },
  [ExitReason.HYPERV]: { reason: "hyperv", payload: kvmRun.exit.union.hyperv },
  [ExitReason.X86_RDMSR]: { reason: "x86Rdmsr", payload: msr },
  [ExitReason.X86_WRMSR]: { reason: "x86Wrmsr", payload: msr },
  [ExitReason.DIRTY_RING_FULL]: { reason: "dirtyRingFull", payload: empty },
  [ExitReason.AP_RESET_HOLD]: { reason: "apResetHold", payload: empty },
  [ExitReason.X86_BUS_LOCK]: { reason: "x86BusLock", payload: empty },
  [ExitReason.XEN]: { reason: "xen", payload: kvmRun.exit.union.xen },
  [ExitReason.NOTIFY]: { reason: "notify", payload: kvmRun.exit.union.notify },
  [ExitReason.MEMORY_FAULT]: { reason: "memoryFault", payload: kvmRun.exit.union.memoryFault },
  [ExitReason.TDX]: { reason: "tdx", payload: kvmRun.exit.union.tdx },
  [ExitReason.SNP_REQ_CERTS]: { reason: "snpReqCerts", payload: kvmRun.exit.union.snpReqCerts },
} as const satisfies Readonly<Record<number, ExitKind>>;

/** Every exit of {@linkcode exitKinds}: its `reason`, and the payload's fields in place. */
export type PayloadExit = {
  [K in keyof typeof exitKinds]:
    & { readonly reason: (typeof exitKinds)[K]["reason"] }
    & StructOf<(typeof exitKinds)[K]["payload"]>;
}[keyof typeof exitKinds];

/** A reason that this library does not know, of a kernel newer than it. */
export interface UnsupportedExit {
  /** `"unsupported"`. */
  readonly reason: "unsupported";
  /** The kernel's number. */
  readonly exitReason: number;
  /** The payload as it comes, 256 bytes. */
  readonly padding: Uint8Array<ArrayBuffer>;
}
