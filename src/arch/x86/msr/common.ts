/**
 * MSRs that processors of several makers have (SDM volume 4, "Model-Specific Registers"; APM
 * volume 2, appendix A).
 *
 * @module
 */

/** MSRs that processors of several makers have. */
export const commonMsrs = {
  /** Machine-check address of the Pentium. */
  P5_MC_ADDR: 0x0,
  /** Machine-check type of the Pentium. */
  P5_MC_TYPE: 0x1,
  /** Time stamp counter. */
  TSC: 0x10,
  /** Local APIC: base address, enable, x2APIC mode, bootstrap processor. */
  APIC_BASE: 0x1b,
  /** Power-on settings of the bus. */
  EBL_CR_POWERON: 0x2a,
  /** Offset that the guest added to its TSC. */
  TSC_ADJUST: 0x3b,
  /** Speculation control: IBRS, STIBP, SSBD. */
  SPEC_CTRL: 0x48,
  /** Prediction command: IBPB; write only. */
  PRED_CMD: 0x49,
  /** Starts the loading of microcode; write only. */
  BIOS_UPDT_TRIG: 0x79,
  /** Microcode revision. */
  BIOS_SIGN_ID: 0x8b,
  /** Counts at the TSC's rate while the processor is awake. */
  MPERF: 0xe7,
  /** Counts at the processor's actual rate while it is awake. */
  APERF: 0xe8,
  /** What variable and fixed MTRRs there are. */
  MTRRCAP: 0xfe,
  /** CS of SYSENTER. */
  SYSENTER_CS: 0x174,
  /** ESP of SYSENTER. */
  SYSENTER_ESP: 0x175,
  /** EIP of SYSENTER. */
  SYSENTER_EIP: 0x176,
  /** How many machine-check banks there are. */
  MCG_CAP: 0x179,
  /** Machine-check status. */
  MCG_STATUS: 0x17a,
  /** Machine-check control. */
  MCG_CTL: 0x17b,
  /** Debug control: last-branch records, single step on branches. */
  DEBUGCTL: 0x1d9,
  /** Where the last branch came from. */
  LASTBRANCHFROMIP: 0x1db,
  /** Where the last branch went. */
  LASTBRANCHTOIP: 0x1dc,
  /** Where the last branch before an exception or interrupt came from. */
  LASTINTFROMIP: 0x1dd,
  /** Where the last branch before an exception or interrupt went. */
  LASTINTTOIP: 0x1de,
  /** Base of the first variable MTRR; those of the next follow at every second number. */
  MTRR_PHYSBASE0: 0x200,
  /** Mask of the first variable MTRR. */
  MTRR_PHYSMASK0: 0x201,
  /** Memory types of 0 to 0x7ffff, a byte per 64 KiB. */
  MTRR_FIX64K_00000: 0x250,
  /** Memory types of 0x80000 to 0x9ffff, a byte per 16 KiB. */
  MTRR_FIX16K_80000: 0x258,
  /** Memory types of 0xa0000 to 0xbffff, a byte per 16 KiB. */
  MTRR_FIX16K_A0000: 0x259,
  /** Memory types of 0xc0000 to 0xc7fff, a byte per 4 KiB. */
  MTRR_FIX4K_C0000: 0x268,
  /** Memory types of 0xc8000 to 0xcffff, a byte per 4 KiB. */
  MTRR_FIX4K_C8000: 0x269,
  /** Memory types of 0xd0000 to 0xd7fff, a byte per 4 KiB. */
  MTRR_FIX4K_D0000: 0x26a,
  /** Memory types of 0xd8000 to 0xdffff, a byte per 4 KiB. */
  MTRR_FIX4K_D8000: 0x26b,
  /** Memory types of 0xe0000 to 0xe7fff, a byte per 4 KiB. */
  MTRR_FIX4K_E0000: 0x26c,
  /** Memory types of 0xe8000 to 0xeffff, a byte per 4 KiB. */
  MTRR_FIX4K_E8000: 0x26d,
  /** Memory types of 0xf0000 to 0xf7fff, a byte per 4 KiB. */
  MTRR_FIX4K_F0000: 0x26e,
  /** Memory types of 0xf8000 to 0xfffff, a byte per 4 KiB. */
  MTRR_FIX4K_F8000: 0x26f,
  /** Memory types by page attribute. */
  PAT: 0x277,
  /** The memory type where no MTRR says otherwise, and the MTRRs' enable bits. */
  MTRR_DEF_TYPE: 0x2ff,
  /** Control of the first machine-check bank; its status, address and more follow. */
  MC0_CTL: 0x400,
  /** Status of the first machine-check bank; those of the next follow at every fourth number. */
  MC0_STATUS: 0x401,
  /** Address of the first machine-check bank's error. */
  MC0_ADDR: 0x402,
  /** More about the first machine-check bank's error. */
  MC0_MISC: 0x403,
  /** Control-flow enforcement at level 3. */
  U_CET: 0x6a0,
  /** Control-flow enforcement at levels 0 to 2. */
  S_CET: 0x6a2,
  /** Shadow-stack pointer of level 0. */
  PL0_SSP: 0x6a4,
  /** Shadow-stack pointer of level 1. */
  PL1_SSP: 0x6a5,
  /** Shadow-stack pointer of level 2. */
  PL2_SSP: 0x6a6,
  /** Shadow-stack pointer of level 3. */
  PL3_SSP: 0x6a7,
  /** Table of the shadow stacks that interrupts use. */
  INT_SSP_TAB: 0x6a8,
  /** First register of the x2APIC: the xAPIC's offset / 16 is added. */
  X2APIC_FIRST: 0x800,
  /** Supervisor state that XSAVES handles. */
  XSS: 0xda0,
  /** Extended features: SYSCALL, long mode, NX. */
  EFER: 0xc0000080,
  /** Segment selectors of SYSCALL and SYSRET. */
  STAR: 0xc0000081,
  /** RIP of SYSCALL in 64-bit mode. */
  LSTAR: 0xc0000082,
  /** RIP of SYSCALL in compatibility mode. */
  CSTAR: 0xc0000083,
  /** RFLAGS bits that SYSCALL clears. */
  FMASK: 0xc0000084,
  /** Base of FS. */
  FS_BASE: 0xc0000100,
  /** Base of GS. */
  GS_BASE: 0xc0000101,
  /** What SWAPGS exchanges with the base of GS. */
  KERNEL_GS_BASE: 0xc0000102,
  /** ECX of RDTSCP. */
  TSC_AUX: 0xc0000103,
} as const;
