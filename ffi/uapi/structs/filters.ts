/**
 * Which MSRs and performance events a guest may use (api.rst 4.97, 4.120).
 *
 * @module
 */

/** `struct kvm_msr_filter_range`: a bit per MSR of a range. */
export const kvmMsrFilterRange = {
  /** `MsrFilter.READ`, `MsrFilter.WRITE`: the accesses that this range decides. */
  flags: "u32",
  /** Bits in the bitmap. */
  nmsrs: "u32",
  /** The first bit's MSR. */
  base: "u32",
  /** Host address of the bitmap: 1 allows, 0 denies. */
  bitmap: "u64",
} as const;

/** `struct kvm_msr_filter`: the VM's whole filter (`KVM_X86_SET_MSR_FILTER`). */
export const kvmMsrFilter = {
  /** `MsrFilter.DEFAULT_ALLOW` or `MsrFilter.DEFAULT_DENY`: for MSRs outside all ranges. */
  flags: "u32",
  /** A range with `nmsrs` 0 is unused. */
  ranges: [kvmMsrFilterRange, 16],
} as const;

/** `struct kvm_pmu_event_filter`: allowed or denied events (`KVM_SET_PMU_EVENT_FILTER`). */
export const kvmPmuEventFilter = {
  /** `PmuEvent.ALLOW` or `PmuEvent.DENY`: what being listed means. */
  action: "u32",
  nevents: "u32",
  /** A bit per fixed counter, with the same meaning. */
  fixedCounterBitmap: "u32",
  /** `PmuEvent.FLAG_MASKED_EVENTS`. */
  flags: "u32",
  pad: "u32[4]",
  /** Event select and unit mask, or masked entries (`PmuMaskedEntry`). */
  events: "u64[]",
} as const;
