/**
 * What is about to happen to a vCPU: exceptions, interrupts, NMI, SMI, run state, machine checks,
 * signals (api.rst 4.21, 4.31-4.32, 4.38-4.39, 4.106).
 *
 * @module
 */

/** `struct kvm_vcpu_events`: pending and injected events (`KVM_GET_VCPU_EVENTS`). */
export const kvmVcpuEvents = {
  exception: {
    /** 1 when it will be delivered on the next entry. */
    injected: "u8",
    /** Its vector. */
    nr: "u8",
    hasErrorCode: "u8",
    /** 1 when not yet intercepted by a nested hypervisor; needs `Cap.EXCEPTION_PAYLOAD`. */
    pending: "u8",
    errorCode: "u32",
  },
  interrupt: {
    injected: "u8",
    /** Its vector. */
    nr: "u8",
    /** 1 when an INT instruction caused it. */
    soft: "u8",
    /** `InterruptShadow`: the instruction before this one holds interrupts off. */
    shadow: "u8",
  },
  nmi: {
    injected: "u8",
    /** How many wait. */
    pending: "u8",
    /** 1 while a handler runs, until its IRET. */
    masked: "u8",
    pad: "u8",
  },
  /** Start-up vector of a received SIPI: execution starts at this times 4096. */
  sipiVector: "u32",
  /** `VcpuEventFlag`: which of the optional fields count. */
  flags: "u32",
  smi: {
    /** 1 in system management mode. */
    smm: "u8",
    pending: "u8",
    smmInsideNmi: "u8",
    latchedInit: "u8",
  },
  tripleFault: {
    pending: "u8",
  },
  reserved: "u8[26]",
  exceptionHasPayload: "u8",
  /** #PF's CR2 or #DB's DR6 bits, not yet in the register. */
  exceptionPayload: "u64",
} as const;

/** `struct kvm_mp_state`: whether a vCPU runs, halts or waits for INIT (`KVM_GET_MP_STATE`). */
export const kvmMpState = {
  /** `MpState`. */
  mpState: "u32",
} as const;

/** `struct kvm_signal_mask`: signals blocked during `KVM_RUN` (`KVM_SET_SIGNAL_MASK`). */
export const kvmSignalMask = {
  /** Bytes of `sigset`: the kernel's sigset_t, so 8. */
  len: "u32",
  sigset: "u8[]",
} as const;

/**
 * `struct kvm_x86_mce`: a machine check to inject (`KVM_X86_SET_MCE`; SDM volume 3, "Machine-Check
 * MSRs").
 */
export const kvmX86Mce = {
  /** IA32_MCi_STATUS. */
  status: "u64",
  /** IA32_MCi_ADDR. */
  addr: "u64",
  /** IA32_MCi_MISC. */
  misc: "u64",
  /** IA32_MCG_STATUS. */
  mcgStatus: "u64",
  /** Which bank reports it. */
  bank: "u8",
  pad1: "u8[7]",
  pad2: "u64[3]",
} as const;
