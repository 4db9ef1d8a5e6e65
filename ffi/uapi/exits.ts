/**
 * Why `KVM_RUN` returned: the values of `kvm_run.exit_reason` (api.rst 5).
 *
 * @module
 */

/** `KVM_EXIT_*` that x86 guests cause. */
export const ExitReason = {
  /** The processor left the guest for a reason that KVM does not know; `hw` has it. */
  UNKNOWN: 0,
  /** An exception that nobody handles; x86 has not reported it for long. */
  EXCEPTION: 1,
  /** The guest used an I/O port: `io`. Input is completed by the next `KVM_RUN`. */
  IO: 2,
  /** The guest made a hypercall that is left to user space: `hypercall` (`Cap.EXIT_HYPERCALL`). */
  HYPERCALL: 3,
  /** A breakpoint, watchpoint or single step of `KVM_SET_GUEST_DEBUG`: `debug`. */
  DEBUG: 4,
  /** The guest executed HLT; with an in-kernel APIC KVM waits instead and this never comes. */
  HLT: 5,
  /** The guest accessed an address without memory: `mmio`. Reads complete with the next run. */
  MMIO: 6,
  /** The guest can take an interrupt now, as `requestInterruptWindow` asked. */
  IRQ_WINDOW_OPEN: 7,
  /** Triple fault: the guest's processor shut down. */
  SHUTDOWN: 8,
  /** The processor refused to enter the guest: its state is invalid. `failEntry` has the reason. */
  FAIL_ENTRY: 9,
  /** A signal or `immediateExit` interrupted the run; the ioctl fails with EINTR. */
  INTR: 10,
  /** The guest lowered its TPR (CR8), with interrupt controllers in user space. */
  SET_TPR: 11,
  /** The guest accessed the TPR: `tprAccess` (`KVM_TPR_ACCESS_REPORTING`). */
  TPR_ACCESS: 12,
  /** A non-maskable interrupt for the host; KVM handles it itself nowadays. */
  NMI: 16,
  /** KVM cannot go on: `internal`, or `emulationFailure` where it met an unknown instruction. */
  INTERNAL_ERROR: 17,
  /** The guest asked for shutdown or reset, or crashed in an orderly way: `systemEvent`. */
  SYSTEM_EVENT: 24,
  /** End of interrupt for a level-triggered vector of the user-space I/O APIC: `eoi`. */
  IOAPIC_EOI: 26,
  /** A Hyper-V register or call: `hyperv`. */
  HYPERV: 27,
  /** The guest read an MSR that is left to user space: `msr` (`Cap.X86_USER_SPACE_MSR`). */
  X86_RDMSR: 29,
  /** The guest wrote an MSR that is left to user space: `msr`. */
  X86_WRMSR: 30,
  /** The vCPU's dirty ring is nearly full: collect it and call `KVM_RESET_DIRTY_RINGS`. */
  DIRTY_RING_FULL: 31,
  /** An SEV-ES guest waits for a reset's SIPI (AP reset hold). */
  AP_RESET_HOLD: 32,
  /** The guest locked the bus with a split access (`Cap.X86_BUS_LOCK_EXIT`). */
  X86_BUS_LOCK: 33,
  /** A Xen hypercall: `xen`. */
  XEN: 34,
  /** The guest stayed inside for longer than allowed: `notify` (`Cap.X86_NOTIFY_VMEXIT`). */
  NOTIFY: 37,
  /** KVM could not resolve a memory access: `memoryFault`; the ioctl fails with EFAULT. */
  MEMORY_FAULT: 39,
  /** A TDX guest's call: `tdx`. */
  TDX: 40,
  /** An SEV-SNP guest asks for the certificates of its attestation: `snpReqCerts`. */
  SNP_REQ_CERTS: 43,
} as const;

/** A value of {@linkcode ExitReason}. */
export type ExitReason = (typeof ExitReason)[keyof typeof ExitReason];

/** `KVM_EXIT_*` of other architectures: never seen on x86. */
export const OtherArchitectureExit = {
  S390_SIEIC: 13,
  S390_RESET: 14,
  /** PowerPC's device control registers. */
  DCR: 15,
  /** PowerPC's open scripting interface. */
  OSI: 18,
  /** PowerPC. */
  PAPR_HCALL: 19,
  S390_UCONTROL: 20,
  /** PowerPC's (Book E) watchdog. */
  WATCHDOG: 21,
  S390_TSCH: 22,
  /** PowerPC's external proxy register. */
  EPR: 23,
  S390_STSI: 25,
  ARM_NISV: 28,
  RISCV_SBI: 35,
  RISCV_CSR: 36,
  LOONGARCH_IOCSR: 38,
  ARM_SEA: 41,
  ARM_LDST64B: 42,
} as const;

/** A value of {@linkcode OtherArchitectureExit}. */
export type OtherArchitectureExit =
  (typeof OtherArchitectureExit)[keyof typeof OtherArchitectureExit];
