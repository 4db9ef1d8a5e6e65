/**
 * Flags and numbers of a vCPU's state.
 *
 * @module
 */

/** `KVM_MP_STATE_*` of x86: what a vCPU is doing. */
export const MpState = {
  RUNNABLE: 0,
  /** An application processor that waits for INIT. */
  UNINITIALIZED: 1,
  /** It got INIT and waits for SIPI. */
  INIT_RECEIVED: 2,
  /** It executed HLT and waits for an interrupt. */
  HALTED: 3,
  /** It got SIPI and will start. */
  SIPI_RECEIVED: 4,
  /** An SEV-ES processor that waits for a reset's SIPI. */
  AP_RESET_HOLD: 9,
} as const;

/** A value of {@linkcode MpState}. */
export type MpState = (typeof MpState)[keyof typeof MpState];

/** `KVM_CPUID_FLAG_*`: how an entry is chosen. The first one is misspelt in the kernel too. */
export const CpuidFlag = {
  /** `index` counts. */
  SIGNIFCANT_INDEX: 1,
  /** Gone from Linux: leaf 2 once answered in turn. */
  STATEFUL_FUNC: 2,
  /** Gone from Linux, as above. */
  STATE_READ_NEXT: 4,
} as const;

/** `KVM_GUESTDBG_*`: what stops the guest. */
export const GuestDebug = {
  /** Without it nothing does. */
  ENABLE: 0x1,
  /** Every instruction. */
  SINGLESTEP: 0x2,
  /** INT3. */
  USE_SW_BP: 0x10000,
  /** The debug registers given. */
  USE_HW_BP: 0x20000,
  /** Inject a #DB. */
  INJECT_DB: 0x40000,
  /** Inject a #BP. */
  INJECT_BP: 0x80000,
  /** Hold interrupts off while stepping. */
  BLOCKIRQ: 0x100000,
} as const;

/** `KVM_VCPUEVENT_VALID_*`: fields of `kvm_vcpu_events` that count when set. */
export const VcpuEventFlag = {
  /** `nmi.pending`. */
  NMI_PENDING: 0x01,
  /** `sipiVector`. */
  SIPI_VECTOR: 0x02,
  /** `interrupt.shadow`. */
  SHADOW: 0x04,
  /** `smi`. */
  SMM: 0x08,
  /** `exception.pending`, `exceptionHasPayload` and `exceptionPayload`. */
  PAYLOAD: 0x10,
  /** `tripleFault`. */
  TRIPLE_FAULT: 0x20,
} as const;

/** `KVM_X86_SHADOW_INT_*`: which instruction holds interrupts off for the next. */
export const InterruptShadow = {
  /** MOV SS or POP SS. */
  MOV_SS: 1,
  /** STI. */
  STI: 2,
} as const;

/** `KVM_SREGS2_FLAGS_*`. */
export const Sregs2Flag = {
  /** `pdptrs` counts. */
  PDPTRS_VALID: 0x1n,
} as const;

/** `*_VECTOR`: the exceptions (SDM volume 3, "Exception and Interrupt Reference"; APM Vol. 2 8.2). */
export const Vector = {
  /** Divide error. */
  DE: 0,
  /** Debug. */
  DB: 1,
  /** Breakpoint. */
  BP: 3,
  /** Overflow. */
  OF: 4,
  /** Bound range. */
  BR: 5,
  /** Invalid opcode. */
  UD: 6,
  /** No coprocessor. */
  NM: 7,
  /** Double fault. */
  DF: 8,
  /** Invalid TSS. */
  TS: 10,
  /** Segment not present. */
  NP: 11,
  /** Stack-segment fault. */
  SS: 12,
  /** General protection. */
  GP: 13,
  /** Page fault. */
  PF: 14,
  /** x87 error. */
  MF: 16,
  /** Alignment check. */
  AC: 17,
  /** Machine check. */
  MC: 18,
  /** SIMD error. */
  XM: 19,
  /** Virtualization exception. */
  VE: 20,
  /** Control protection. */
  CP: 21,
  /** Hypervisor injection (AMD). */
  HV: 28,
  /** VMM communication (AMD). */
  VC: 29,
  /** Security exception (AMD). */
  SX: 30,
} as const;

/** A value of {@linkcode Vector}. */
export type Vector = (typeof Vector)[keyof typeof Vector];

/** `KVM_REG_*`: what an id of `KVM_GET_ONE_REG` is made of. */
export const OneReg = {
  /** The bits of the architecture. */
  ARCH_MASK: 0xff00000000000000n,
  GENERIC: 0x0n,
  X86: 0x2000000000000000n,
  /** Where the size's power of two begins. */
  SIZE_SHIFT: 52n,
  SIZE_MASK: 0x00f0000000000000n,
  SIZE_U8: 0x0n,
  SIZE_U16: 0x0010000000000000n,
  SIZE_U32: 0x0020000000000000n,
  SIZE_U64: 0x0030000000000000n,
  SIZE_U128: 0x0040000000000000n,
  SIZE_U256: 0x0050000000000000n,
  SIZE_U512: 0x0060000000000000n,
  SIZE_U1024: 0x0070000000000000n,
  SIZE_U2048: 0x0080000000000000n,
  /** KVM's own register 0: the shadow-stack pointer. */
  GUEST_SSP: 0x0n,
} as const;

/** `KVM_X86_REG_TYPE_*`: bits 32 and up of an x86 register's id. */
export const OneRegType = {
  /** The index is an MSR's. */
  MSR: 0x2n,
  /** The index is one of KVM's own. */
  KVM: 0x3n,
} as const;

/** `KVM_VCPU_TSC_*`: the TSC among a vCPU's device attributes. */
export const VcpuTsc = {
  /** The group. */
  CTRL: 0,
  /** The attribute: an s64 that is added to the host's TSC. */
  OFFSET: 0,
} as const;
