/**
 * The page that a vCPU shares with user space: `KVM_RUN` reads its head and writes why the guest
 * stopped (api.rst 5).
 *
 * @module
 */

import { kvmDebugExitArch } from "./debug.ts";
import { kvmVcpuEvents } from "./events.ts";
import { kvmHypervExit } from "./hyperv.ts";
import { kvmRegs, kvmSregs } from "./registers.ts";
import { kvmExitSnpReqCerts } from "./sev.ts";
import { kvmXenExit } from "./xen.ts";

/** `struct kvm_sync_regs`: the registers that `kvm_run` can carry (`Cap.SYNC_REGS`, api.rst 6.74). */
export const kvmSyncRegs = {
  regs: kvmRegs,
  sregs: kvmSregs,
  events: kvmVcpuEvents,
} as const;

/**
 * `struct kvm_run`. `exitReason` says which member of `exit` counts: the C union there has no name,
 * and this one is ours.
 */
export const kvmRun = {
  /** In: 1 asks for an exit as soon as the guest can take an interrupt. */
  requestInterruptWindow: "u8",
  /** In: 1 makes `KVM_RUN` return EINTR at once. It stays set until cleared. */
  immediateExit: "u8",
  padding1: "u8[6]",
  /** Out: `ExitReason`. */
  exitReason: "u32",
  /** Out: 1 when `KVM_INTERRUPT` can be used (user-space interrupt controllers only). */
  readyForInterruptInjection: "u8",
  /** Out: the guest's RFLAGS.IF; to be trusted without an in-kernel APIC only. */
  ifFlag: "u8",
  /** Out: `RunFlag`. */
  flags: "u16",
  /** In and out: task priority. In only without an in-kernel APIC. */
  cr8: "u64",
  /** In and out: IA32_APIC_BASE. In only without an in-kernel APIC. */
  apicBase: "u64",
  exit: {
    union: {
      /** `ExitReason.UNKNOWN`. */
      hw: {
        /** The processor's own reason: VMX's exit reason, SVM's exit code. */
        hardwareExitReason: "u64",
      },
      /** `ExitReason.FAIL_ENTRY`. */
      failEntry: {
        /** The processor's own reason. */
        hardwareEntryFailureReason: "u64",
        /** The host CPU it happened on. */
        cpu: "u32",
      },
      /** `ExitReason.EXCEPTION`. */
      ex: {
        exception: "u32",
        errorCode: "u32",
      },
      /** `ExitReason.IO`. */
      io: {
        /** `ExitIo`. */
        direction: "u8",
        /** Bytes per element: 1, 2 or 4. */
        size: "u8",
        port: "u16",
        /** Elements: more than one for a REP INS or OUTS. */
        count: "u32",
        /** Where the elements are, in bytes from this structure's start. */
        dataOffset: "gpa",
      },
      /** `ExitReason.DEBUG`. */
      debug: { arch: kvmDebugExitArch },
      /** `ExitReason.MMIO`. */
      mmio: {
        physAddr: "gpa",
        /** Written by the guest, or to be written by user space, as a little-endian value. */
        data: "u8[8]",
        /** Bytes of `data` in use. */
        len: "u32",
        isWrite: "u8",
      },
      /** `ExitReason.HYPERCALL`. */
      hypercall: {
        nr: "u64",
        args: "u64[6]",
        /** Written by user space: the guest's RAX. */
        ret: "u64",
        mode: {
          union: {
            longmode: "u32",
            /** `HypercallExitFlag`; before Linux 6.4 only `longmode` counts. */
            flags: "u64",
          },
        },
      },
      /** `ExitReason.TPR_ACCESS`. */
      tprAccess: {
        rip: "u64",
        isWrite: "u32",
        pad: "u32",
      },
      /** `ExitReason.INTERNAL_ERROR`. */
      internal: {
        /** `InternalError`. */
        suberror: "u32",
        /** How many of `data` count. */
        ndata: "u32",
        data: "u64[16]",
      },
      /** `ExitReason.INTERNAL_ERROR` with `InternalError.EMULATION`. */
      emulationFailure: {
        suberror: "u32",
        ndata: "u32",
        /** `EmulationFlag`; there only when `ndata` is at least 1. */
        flags: "u64",
        /** Bytes of the instruction fetched, up to 15. */
        insnSize: "u8",
        insnBytes: "u8[15]",
      },
      /** `ExitReason.SYSTEM_EVENT`. */
      systemEvent: {
        /** `SystemEvent`. */
        type: "u32",
        /** How many of `data` count. */
        ndata: "u32",
        detail: { union: { flags: "u64", data: "u64[16]" } },
      },
      /** `ExitReason.IOAPIC_EOI`. */
      eoi: { vector: "u8" },
      /** `ExitReason.HYPERV`. */
      hyperv: kvmHypervExit,
      /** `ExitReason.X86_RDMSR` and `ExitReason.X86_WRMSR`. */
      msr: {
        /** Written by user space: 1 gives the guest a #GP. */
        error: "u8",
        pad: "u8[7]",
        /** `MsrExitReason`: one of them. */
        reason: "u32",
        index: "u32",
        /** The value written, or written by user space to be read. */
        data: "u64",
      },
      /** `ExitReason.XEN`. */
      xen: kvmXenExit,
      /** `ExitReason.NOTIFY`. */
      notify: {
        /** `NotifyFlag`. */
        flags: "u32",
      },
      /** `ExitReason.MEMORY_FAULT`; `KVM_RUN` fails with EFAULT or EHWPOISON meanwhile. */
      memoryFault: {
        /** `MemoryExitFlag`. */
        flags: "u64",
        gpa: "gpa",
        /** Bytes. */
        size: "gpa",
      },
      /** `ExitReason.TDX`. */
      tdx: {
        flags: "u64",
        /** The TDVMCALL's number: which member of `call` counts. */
        nr: "u64",
        /** Every member begins with what user space answers. */
        call: {
          union: {
            unknown: { ret: "u64", data: "u64[5]" },
            getQuote: { ret: "u64", gpa: "gpa", size: "gpa" },
            getTdvmcallInfo: {
              ret: "u64",
              leaf: "u64",
              r11: "u64",
              r12: "u64",
              r13: "u64",
              r14: "u64",
            },
            setupEventNotify: { ret: "u64", vector: "u64" },
          },
        },
      },
      /** `ExitReason.SNP_REQ_CERTS`. */
      snpReqCerts: kvmExitSnpReqCerts,
      padding: "u8[256]",
    },
  },
  /** In: `SyncRegs` to copy out on exit. */
  kvmValidRegs: "u64",
  /** In: `SyncRegs` that user space changed; KVM clears it. */
  kvmDirtyRegs: "u64",
  s: { union: { regs: kvmSyncRegs, padding: "u8[2048]" } },
} as const;
