/**
 * What kind of VM it is and what its guest may do: arguments of `KVM_CREATE_VM`, `KVM_ENABLE_CAP`
 * and the filters (api.rst 7).
 *
 * @module
 */

/** `KVM_X86_*_VM`: types of VM. */
export const VmType = {
  DEFAULT: 0,
  /** Private memory without hardware that guards it: for tests. */
  SW_PROTECTED: 1,
  SEV: 2,
  SEV_ES: 3,
  SNP: 4,
  TDX: 5,
} as const;

/** A value of {@linkcode VmType}. */
export type VmType = (typeof VmType)[keyof typeof VmType];

/** `KVM_X86_DISABLE_EXITS_*`: instructions that the guest runs without KVM noticing. */
export const DisableExits = {
  MWAIT: 1,
  HLT: 2,
  PAUSE: 4,
  /** Reads of the C-state residency MSRs. */
  CSTATE: 8,
  /** Reads of IA32_APERF and IA32_MPERF. */
  APERFMPERF: 16,
} as const;

/** `KVM_X86_QUIRK_*`: behaviour kept for old user space, until disabled. */
export const Quirk = {
  /** LINT0 is enabled after reset. */
  LINT0_REENABLED: 0x1,
  /** CR0.CD and CR0.NW are cleared on AMD. */
  CD_NW_CLEARED: 0x2,
  /** The APIC's MMIO page works in x2APIC mode. */
  LAPIC_MMIO_HOLE: 0x4,
  /** An OUT to port 0x7e exits with RIP already behind it. */
  OUT_7E_INC_RIP: 0x8,
  /** CPUID's MONITOR bit follows IA32_MISC_ENABLE. */
  MISC_ENABLE_NO_MWAIT: 0x10,
  /** The other vendor's hypercall instruction is rewritten in guest memory. */
  FIX_HYPERCALL_INSN: 0x20,
  /** MONITOR and MWAIT are no-ops, also where CPUID does not have them. */
  MWAIT_NEVER_UD_FAULTS: 0x40,
  /** Deleting a slot drops every shadow page, not the slot's alone. */
  SLOT_ZAP_ALL: 0x80,
  /** Feature MSRs of a new vCPU are filled in. */
  STUFF_FEATURE_MSRS: 0x100,
  /** The guest's PAT is ignored without device DMA. */
  IGNORE_GUEST_PAT: 0x200,
  /** A nested VM entry with FREEZE_IN_SMM in the guest's IA32_DEBUGCTL is let through. */
  VMCS12_ALLOW_FREEZE_IN_SMM: 0x400,
  /** A nested guest on AMD shares its hypervisor's PAT, whatever its VMCB has. */
  NESTED_SVM_SHARED_PAT: 0x800,
} as const;

/** `KVM_BUS_LOCK_DETECTION_*`. */
export const BusLockDetection = {
  OFF: 1,
  /** A bus lock exits with `RunFlag.BUS_LOCK`. */
  EXIT: 2,
} as const;

/** `KVM_X86_NOTIFY_VMEXIT_*`. */
export const NotifyVmexit = {
  ENABLED: 1,
  /** It exits to user space. */
  USER: 2,
} as const;

/** `KVM_PMU_CAP_*`. */
export const PmuCap = {
  /** vCPUs created from now on have no performance counters. */
  DISABLE: 1,
} as const;

/** `KVM_PMU_EVENT_*`: actions and flags of the event filter. */
export const PmuEvent = {
  ALLOW: 0,
  DENY: 1,
  /** The events are masked entries. */
  FLAG_MASKED_EVENTS: 1,
  /** All flags. */
  FLAGS_VALID_MASK: 1,
} as const;

/** `KVM_PMU_MASKED_ENTRY_*`: the parts of a masked entry. */
export const PmuMaskedEntry = {
  /** Bits 0-7 and 32-35. */
  EVENT_SELECT: 0x0000000f000000ffn,
  /** What the unit mask, masked, must be. */
  UMASK_MATCH: 0x000000000000ff00n,
  /** Which bits of the unit mask count. */
  UMASK_MASK: 0xff00000000000000n,
  UMASK_MASK_SHIFT: 56n,
  /** The entry takes events out of what the others cover. */
  EXCLUDE: 0x0080000000000000n,
} as const;

/** `KVM_MSR_FILTER_*`: flags and limits of the MSR filter. */
export const MsrFilter = {
  /** A range decides reads. */
  READ: 1,
  /** A range decides writes. */
  WRITE: 2,
  RANGE_VALID_MASK: 3,
  /** MSRs outside all ranges are allowed. */
  DEFAULT_ALLOW: 0,
  /** MSRs outside all ranges are denied. */
  DEFAULT_DENY: 1,
  VALID_MASK: 1,
  MAX_RANGES: 16,
  /** Bytes of a range's bitmap at most. */
  MAX_BITMAP_SIZE: 0x600,
} as const;
