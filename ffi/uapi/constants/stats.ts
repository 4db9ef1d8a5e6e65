/**
 * What the flags of a `kvm_stats_desc` say: three 4-bit numbers (api.rst 4.133).
 *
 * @module
 */

/** `KVM_STATS_TYPE_*`: how the value behaves. */
export const StatsType = {
  SHIFT: 0,
  MASK: 0xf,
  /** It only grows. */
  CUMULATIVE: 0,
  /** It is what is the case now. */
  INSTANT: 1,
  /** It is the largest so far. */
  PEAK: 2,
  /** A histogram with buckets of equal width. */
  LINEAR_HIST: 3,
  /** A histogram whose buckets double. */
  LOG_HIST: 4,
  MAX: 4,
} as const;

/** `KVM_STATS_UNIT_*`: what it counts. */
export const StatsUnit = {
  SHIFT: 4,
  MASK: 0xf0,
  NONE: 0x00,
  BYTES: 0x10,
  SECONDS: 0x20,
  CYCLES: 0x30,
  BOOLEAN: 0x40,
  MAX: 0x40,
} as const;

/** `KVM_STATS_BASE_*`: the number that `exponent` is a power of. */
export const StatsBase = {
  SHIFT: 8,
  MASK: 0xf00,
  POW10: 0x000,
  POW2: 0x100,
  MAX: 0x100,
} as const;
