/**
 * Numbers that `kvm_run` holds beside its exit reason (api.rst 5).
 *
 * @module
 */

/** `KVM_EXIT_IO_*`: the direction of a port access. */
export const ExitIo = {
  IN: 0,
  OUT: 1,
} as const;

/** `KVM_RUN_X86_*`: where the guest was, in `kvm_run.flags`. */
export const RunFlag = {
  /** In system management mode. */
  SMM: 1,
  /** It had locked the bus with a split access. */
  BUS_LOCK: 2,
  /** In a nested guest of its own. */
  GUEST_MODE: 4,
} as const;

/** `KVM_SYNC_X86_*`: registers that `kvm_run` carries. */
export const SyncRegs = {
  REGS: 0x1n,
  SREGS: 0x2n,
  EVENTS: 0x4n,
  /** All of them. */
  VALID_FIELDS: 0x7n,
} as const;

/** `KVM_INTERNAL_ERROR_*`: why KVM cannot go on. */
export const InternalError = {
  /** It met an instruction that it cannot emulate. */
  EMULATION: 1,
  /** Exceptions came together that cannot. */
  SIMUL_EX: 2,
  /** The processor left the guest while delivering an event. */
  DELIVERY_EV: 3,
  /** The processor left the guest for a reason that KVM does not handle. */
  UNEXPECTED_EXIT_REASON: 4,
} as const;

/** A value of {@linkcode InternalError}. */
export type InternalError = (typeof InternalError)[keyof typeof InternalError];

/** `KVM_INTERNAL_ERROR_EMULATION_FLAG_*`: which fields of `emulationFailure` count. */
export const EmulationFlag = {
  /** `insnSize` and `insnBytes`. */
  INSTRUCTION_BYTES: 0x1n,
} as const;

/** `KVM_SYSTEM_EVENT_*`: what the guest asked for. */
export const SystemEvent = {
  SHUTDOWN: 1,
  RESET: 2,
  CRASH: 3,
  WAKEUP: 4,
  SUSPEND: 5,
  /** An SEV guest ended itself; `data[0]` is the value of its GHCB MSR. */
  SEV_TERM: 6,
  /** A TDX guest ended itself. */
  TDX_FATAL: 7,
} as const;

/** A value of {@linkcode SystemEvent}. */
export type SystemEvent = (typeof SystemEvent)[keyof typeof SystemEvent];

/** `KVM_MSR_EXIT_REASON_*`: why an MSR access came to user space. */
export const MsrExitReason = {
  /** KVM knows the MSR and refuses the access. */
  INVAL: 1,
  /** KVM does not know the MSR. */
  UNKNOWN: 2,
  /** The VM's filter denies it. */
  FILTER: 4,
  /** All of them. */
  VALID_MASK: 7,
} as const;

/** `KVM_NOTIFY_*`: flags of `ExitReason.NOTIFY`. */
export const NotifyFlag = {
  /** The vCPU's state is lost. */
  CONTEXT_INVALID: 1,
} as const;

/** `KVM_MEMORY_EXIT_FLAG_*`: flags of `ExitReason.MEMORY_FAULT`. */
export const MemoryExitFlag = {
  /** The access was to private memory. */
  PRIVATE: 0x8n,
} as const;

/** `KVM_EXIT_HYPERCALL_*`: flags of `ExitReason.HYPERCALL`. */
export const HypercallExitFlag = {
  /** The guest called in 64-bit mode. */
  LONG_MODE: 0x1n,
} as const;

/** `KVM_*_PAGE_OFFSET`: pages of a vCPU's file descriptor, where what can be mapped. */
export const PageOffset = {
  /** The data of port accesses. */
  PIO: 1,
  /** The ring of queued MMIO writes. */
  COALESCED_MMIO: 2,
  /** The dirty ring. */
  DIRTY_LOG: 64,
} as const;

/** `KVM_*`: single numbers of the interface. */
export const Abi = {
  /** What `KVM_GET_API_VERSION` answers. */
  API_VERSION: 12,
  /** Vectors of a vCPU. */
  NR_INTERRUPTS: 256,
  /** Pins of the I/O APIC. */
  IOAPIC_NUM_PINS: 24,
  /** Bytes of a local APIC's register page. */
  APIC_REG_SIZE: 0x400,
  /** Entries of `kvm_xcrs`. */
  MAX_XCRS: 16,
  /** The bits of a Hyper-V connection id. */
  HYPERV_CONN_ID_MASK: 0x00ffffff,
} as const;
