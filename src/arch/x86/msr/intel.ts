/**
 * MSRs of Intel's processors (SDM volume 4, "Model-Specific Registers"), those of VMX apart.
 *
 * @module
 */

/** MSRs of Intel's processors, without those of VMX. */
export const intelMsrs = {
  /** Which processor socket's pins this is: selects the microcode. */
  PLATFORM_ID: 0x17,
  /** Test control: split locks raise #AC. */
  TEST_CTRL: 0x33,
  /** How many system-management interrupts there were. */
  SMI_COUNT: 0x34,
  /** Feature control: locks VMX, SGX and others on or off. */
  FEATURE_CONTROL: 0x3a,
  /** Whether the processor's inventory number can be read. */
  PPIN_CTL: 0x4e,
  /** The processor's inventory number. */
  PPIN: 0x4f,
  /** First part of the hash of SGX's launch key. */
  SGXLEPUBKEYHASH0: 0x8c,
  /** Second part of the hash of SGX's launch key. */
  SGXLEPUBKEYHASH1: 0x8d,
  /** Third part of the hash of SGX's launch key. */
  SGXLEPUBKEYHASH2: 0x8e,
  /** Fourth part of the hash of SGX's launch key. */
  SGXLEPUBKEYHASH3: 0x8f,
  /** Base of system-management memory. */
  SMBASE: 0x9e,
  /** Whether the legacy xAPIC mode is locked out. */
  XAPIC_DISABLE_STATUS: 0xbd,
  /** First performance counter; seven more follow. */
  PMC0: 0xc1,
  /** The TSC's ratio, and whether CPUID can be made to fault. */
  PLATFORM_INFO: 0xce,
  /** Which of the test controls there are. */
  CORE_CAPABILITIES: 0xcf,
  /** C-states that UMWAIT and TPAUSE may use, and for how long. */
  UMWAIT_CONTROL: 0xe1,
  /** Which side-channel mitigations are not needed. */
  ARCH_CAPABILITIES: 0x10a,
  /** Flushes the first-level data cache; write only. */
  FLUSH_CMD: 0x10b,
  /** Makes every RTM transaction abort. */
  TSX_FORCE_ABORT: 0x10f,
  /** Turns transactional memory off. */
  TSX_CTRL: 0x122,
  /** Control of microcode mitigations. */
  MCU_OPT_CTRL: 0x123,
  /** Which user-level features are on: CPUID faulting. */
  MISC_FEATURES_ENABLES: 0x140,
  /** First performance-event select; seven more follow. */
  PERFEVTSEL0: 0x186,
  /** Present performance state. */
  PERF_STATUS: 0x198,
  /** Wanted performance state. */
  PERF_CTL: 0x199,
  /** Duty cycle of the clock. */
  CLOCK_MODULATION: 0x19a,
  /** When temperature interrupts. */
  THERM_INTERRUPT: 0x19b,
  /** Temperature's status. */
  THERM_STATUS: 0x19c,
  /** Miscellaneous features: fast strings, MWAIT, execute disable. */
  MISC_ENABLE: 0x1a0,
  /** Temperature at which the processor throttles. */
  TEMPERATURE_TARGET: 0x1a2,
  /** Which prefetchers are off. */
  MISC_FEATURE_CONTROL: 0x1a4,
  /** First select of offcore responses. */
  OFFCORE_RSP0: 0x1a6,
  /** Second select of offcore responses. */
  OFFCORE_RSP1: 0x1a7,
  /** Preference between performance and energy. */
  ENERGY_PERF_BIAS: 0x1b0,
  /** Status of the package's temperature. */
  PACKAGE_THERM_STATUS: 0x1b1,
  /** State components that raise #NM when used (extended feature disable). */
  XFD: 0x1c4,
  /** Which state component the last #NM of XFD was about. */
  XFD_ERR: 0x1c5,
  /** Which branches are recorded. */
  LBR_SELECT: 0x1c8,
  /** The last branch record's place in the stack of them. */
  LASTBRANCH_TOS: 0x1c9,
  /** FRED: stack pointer of level 0. */
  FRED_RSP0: 0x1cc,
  /** FRED: stack pointer of level 1. */
  FRED_RSP1: 0x1cd,
  /** FRED: stack pointer of level 2. */
  FRED_RSP2: 0x1ce,
  /** FRED: stack pointer of level 3. */
  FRED_RSP3: 0x1cf,
  /** FRED: stack level of each exception. */
  FRED_STKLVLS: 0x1d0,
  /** FRED: shadow-stack pointer of level 1. */
  FRED_SSP1: 0x1d1,
  /** FRED: shadow-stack pointer of level 2. */
  FRED_SSP2: 0x1d2,
  /** FRED: shadow-stack pointer of level 3. */
  FRED_SSP3: 0x1d3,
  /** FRED: entry points, and the stack level of interrupts. */
  FRED_CONFIG: 0x1d4,
  /** Power control: C1E, and how frequency follows load. */
  POWER_CTL: 0x1fc,
  /** First machine-check bank's corrected-error interrupt; those of the next follow. */
  MC0_CTL2: 0x280,
  /** First fixed counter: instructions retired; the next follow. */
  FIXED_CTR0: 0x309,
  /** Second fixed counter: cycles. */
  FIXED_CTR1: 0x30a,
  /** Third fixed counter: reference cycles. */
  FIXED_CTR2: 0x30b,
  /** Fourth fixed counter: top-down slots. */
  FIXED_CTR3: 0x30c,
  /** Top-down metrics. */
  PERF_METRICS: 0x329,
  /** What performance monitoring can do. */
  PERF_CAPABILITIES: 0x345,
  /** Which fixed counters count at which level. */
  FIXED_CTR_CTRL: 0x38d,
  /** Which counters have overflowed. */
  PERF_GLOBAL_STATUS: 0x38e,
  /** Which counters are on. */
  PERF_GLOBAL_CTRL: 0x38f,
  /** Clears overflows. */
  PERF_GLOBAL_OVF_CTRL: 0x390,
  /** Sets overflows. */
  PERF_GLOBAL_STATUS_SET: 0x391,
  /** Whether the counters are somebody's. */
  PERF_GLOBAL_INUSE: 0x392,
  /** Which counters take precise samples. */
  PEBS_ENABLE: 0x3f1,
  /** What a precise sample holds. */
  PEBS_DATA_CFG: 0x3f2,
  /** Load latency from which it is sampled. */
  PEBS_LD_LAT_THRESHOLD: 0x3f6,
  /** Full-width form of the first performance counter; seven more follow. */
  A_PMC0: 0x4c1,
  /** Machine-check extensions: local machine checks. */
  MCG_EXT_CTL: 0x4d0,
  /** Status of SGX's version numbers. */
  SGX_SVN_STATUS: 0x500,
  /** Processor trace: where it writes. */
  RTIT_OUTPUT_BASE: 0x560,
  /** Processor trace: how much there is, and how far it got. */
  RTIT_OUTPUT_MASK: 0x561,
  /** Processor trace: control. */
  RTIT_CTL: 0x570,
  /** Processor trace: status. */
  RTIT_STATUS: 0x571,
  /** Processor trace: the CR3 that it is filtered by. */
  RTIT_CR3_MATCH: 0x572,
  /** Processor trace: start of the first address range; ends and further ranges follow. */
  RTIT_ADDR0_A: 0x580,
  /** Processor trace: end of the first address range. */
  RTIT_ADDR0_B: 0x581,
  /** Where the debug store is. */
  DS_AREA: 0x600,
  /** Units of the energy counters. */
  RAPL_POWER_UNIT: 0x606,
  /** Limit of the package's power. */
  PKG_POWER_LIMIT: 0x610,
  /** Energy that the package took. */
  PKG_ENERGY_STATUS: 0x611,
  /** Power that the package can take. */
  PKG_POWER_INFO: 0x614,
  /** Energy that memory took. */
  DRAM_ENERGY_STATUS: 0x619,
  /** Energy that the cores took. */
  PP0_ENERGY_STATUS: 0x639,
  /** Deadline of the local APIC's timer. */
  TSC_DEADLINE: 0x6e0,
  /** Whether hardware chooses performance states. */
  PM_ENABLE: 0x770,
  /** Which performance levels hardware can choose. */
  HWP_CAPABILITIES: 0x771,
  /** Which performance levels hardware may choose. */
  HWP_REQUEST: 0x774,
  /** Resource class, and the id that monitoring counts for. */
  PQR_ASSOC: 0xc8f,
  /** Base of the bound directory of level 3, and MPX's enable. */
  BNDCFGS: 0xd90,
  /** Process address-space id that ENQCMD sends. */
  PASID: 0xd93,
  /** Last-branch records: control. */
  LBR_CTL: 0x14ce,
  /** Last-branch records: how many. */
  LBR_DEPTH: 0x14cf,
} as const;
