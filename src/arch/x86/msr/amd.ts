/**
 * MSRs of AMD's processors (APM volume 2, appendix A).
 *
 * @module
 */

/** MSRs of AMD's processors. */
export const amdMsrs = {
  /** Counts retired instructions, for level 3. */
  IRPERF: 0xc00000e9,
  /** Ratio of a guest's TSC to the host's. */
  TSC_RATIO: 0xc0000104,
  /** Which performance counters have overflowed. */
  PERF_CNTR_GLOBAL_STATUS: 0xc0000300,
  /** Which performance counters are on. */
  PERF_CNTR_GLOBAL_CTL: 0xc0000301,
  /** Clears overflows of performance counters. */
  PERF_CNTR_GLOBAL_STATUS_CLR: 0xc0000302,
  /** Sets overflows of performance counters. */
  PERF_CNTR_GLOBAL_STATUS_SET: 0xc0000303,
  /** First performance-event select of the oldest four; three more follow. */
  PERFEVTSEL0_LEGACY: 0xc0010000,
  /** First performance counter of the oldest four; three more follow. */
  PERFCTR0_LEGACY: 0xc0010004,
  /** System configuration: memory encryption, MTRRs' bits for DRAM. */
  SYSCFG: 0xc0010010,
  /** Hardware configuration: TSC, MONITOR, SMM lock. */
  HWCR: 0xc0010015,
  /** First I/O range base. */
  IORR_BASE0: 0xc0010016,
  /** First I/O range mask. */
  IORR_MASK0: 0xc0010017,
  /** Second I/O range base. */
  IORR_BASE1: 0xc0010018,
  /** Second I/O range mask. */
  IORR_MASK1: 0xc0010019,
  /** Where memory below 4 GiB ends. */
  TOP_MEM: 0xc001001a,
  /** Where memory above 4 GiB ends. */
  TOP_MEM2: 0xc001001d,
  /** Northbridge configuration. */
  NB_CFG: 0xc001001f,
  /** Loads microcode; write only. */
  PATCH_LOADER: 0xc0010020,
  /** Interrupt-pending message: C1E. */
  INT_PENDING_MSG: 0xc0010055,
  /** Base of the PCI configuration space in memory. */
  MMIO_CONF_BASE: 0xc0010058,
  /** Limit of the performance states. */
  PSTATE_CUR_LIMIT: 0xc0010061,
  /** Wanted performance state. */
  PSTATE_CTL: 0xc0010062,
  /** Present performance state. */
  PSTATE_STATUS: 0xc0010063,
  /** First performance state; the next follow. */
  PSTATE_DEF0: 0xc0010064,
  /** Base of system-management memory. */
  SMM_BASE: 0xc0010111,
  /** Address of system-management memory. */
  SMM_ADDR: 0xc0010112,
  /** Mask of system-management memory. */
  SMM_MASK: 0xc0010113,
  /** Virtual-machine control: locks SVM on or off. */
  VM_CR: 0xc0010114,
  /** Ignores FERR. */
  IGNNE: 0xc0010115,
  /** System-management control. */
  SMM_CTL: 0xc0010116,
  /** Where VMRUN saves the host's state. */
  VM_HSAVE_PA: 0xc0010117,
  /** The key that unlocks SVM. */
  SVM_LOCK_KEY: 0xc0010118,
  /** Speculative store bypass disable, for guests. */
  VIRT_SPEC_CTRL: 0xc001011f,
  /** Where a guest tells its host what an exit needs (SEV-ES). */
  SEV_ES_GHCB: 0xc0010130,
  /** Which kinds of encryption this guest has. */
  SEV_STATUS: 0xc0010131,
  /** How many erratum bits there are. */
  OSVW_ID_LENGTH: 0xc0010140,
  /** Whether each erratum needs a workaround. */
  OSVW_STATUS: 0xc0010141,
  /** First performance-event select; counter and select alternate from here. */
  PERF_CTL0: 0xc0010200,
  /** First performance counter. */
  PERF_CTR0: 0xc0010201,
  /** Units of the energy counters. */
  RAPL_PWR_UNIT: 0xc0010299,
  /** Energy that a core took. */
  CORE_ENERGY_STAT: 0xc001029a,
  /** Energy that the package took. */
  PKG_ENERGY_STAT: 0xc001029b,
  /** The processor's inventory number: whether it can be read. */
  AMD_PPIN_CTL: 0xc00102f0,
  /** The processor's inventory number. */
  AMD_PPIN: 0xc00102f1,
  /** What CPUID's leaf 7 answers. */
  CPUID_7_FEATURES: 0xc0011002,
  /** What CPUID's extended feature leaf answers. */
  CPUID_EXT_FEATURES: 0xc0011005,
  /** Load-store configuration. */
  LS_CFG: 0xc0011020,
  /** Instruction-cache configuration. */
  IC_CFG: 0xc0011021,
  /** Data-cache configuration. */
  DC_CFG: 0xc0011022,
  /** Address mask of DR0. */
  DR0_ADDR_MASK: 0xc0011027,
  /** Decode configuration: whether LFENCE serializes. */
  DE_CFG: 0xc0011029,
  /** Bus-unit configuration. */
  BU_CFG2: 0xc001102a,
  /** Instruction-based sampling of fetches: control. */
  IBS_FETCH_CTL: 0xc0011030,
  /** Instruction-based sampling of operations: control. */
  IBS_OP_CTL: 0xc0011033,
  /** Where instruction-based sampling interrupts. */
  IBS_CTL: 0xc001103a,
} as const;
