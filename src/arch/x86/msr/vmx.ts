/**
 * MSRs that say what VMX can do (SDM volume 3, "VMX Capability Reporting Facility").
 *
 * @module
 */

/** MSRs that say what VMX can do. In the controls' the low half must be 1, the high half may be. */
export const vmxMsrs = {
  /** Revision, size and memory type of a VMCS. */
  VMX_BASIC: 0x480,
  /** Pin-based controls. */
  VMX_PINBASED_CTLS: 0x481,
  /** Processor-based controls. */
  VMX_PROCBASED_CTLS: 0x482,
  /** Exit controls. */
  VMX_EXIT_CTLS: 0x483,
  /** Entry controls. */
  VMX_ENTRY_CTLS: 0x484,
  /** Timer rate, activity states, CR3 targets. */
  VMX_MISC: 0x485,
  /** Bits of CR0 that must be 1 in VMX operation. */
  VMX_CR0_FIXED0: 0x486,
  /** Bits of CR0 that may be 1 in VMX operation. */
  VMX_CR0_FIXED1: 0x487,
  /** Bits of CR4 that must be 1 in VMX operation. */
  VMX_CR4_FIXED0: 0x488,
  /** Bits of CR4 that may be 1 in VMX operation. */
  VMX_CR4_FIXED1: 0x489,
  /** Highest index of a VMCS field. */
  VMX_VMCS_ENUM: 0x48a,
  /** Secondary processor-based controls. */
  VMX_PROCBASED_CTLS2: 0x48b,
  /** What EPT and VPIDs can do. */
  VMX_EPT_VPID_CAP: 0x48c,
  /** Pin-based controls without the defaults of 1. */
  VMX_TRUE_PINBASED_CTLS: 0x48d,
  /** Processor-based controls without the defaults of 1. */
  VMX_TRUE_PROCBASED_CTLS: 0x48e,
  /** Exit controls without the defaults of 1. */
  VMX_TRUE_EXIT_CTLS: 0x48f,
  /** Entry controls without the defaults of 1. */
  VMX_TRUE_ENTRY_CTLS: 0x490,
  /** VM functions. */
  VMX_VMFUNC: 0x491,
  /** Tertiary processor-based controls. */
  VMX_PROCBASED_CTLS3: 0x492,
  /** Secondary exit controls. */
  VMX_EXIT_CTLS2: 0x493,
} as const;
