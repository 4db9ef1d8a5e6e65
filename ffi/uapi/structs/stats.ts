/**
 * The self-describing statistics file of a VM or vCPU (`KVM_GET_STATS_FD`, api.rst 4.133).
 *
 * @module
 */

/** `struct kvm_stats_header`: the file's first bytes; all offsets are from the file's start. */
export const kvmStatsHeader = {
  flags: "u32",
  /** Bytes of each name, its closing NUL included. */
  nameSize: "u32",
  /** How many statistics. */
  numDesc: "u32",
  /** Where the id string is, which names the VM or vCPU. */
  idOffset: "u32",
  /** Where the descriptors are. */
  descOffset: "u32",
  /** Where the values are, which change; the rest of the file does not. */
  dataOffset: "u32",
} as const;

/** `struct kvm_stats_desc`: one statistic. Descriptors lie this size plus `nameSize` apart. */
export const kvmStatsDesc = {
  /** `StatsType`, `StatsUnit` and `StatsBase`, ORed. */
  flags: "u32",
  /** The value is in units of the base to this power. */
  exponent: "s16",
  /** How many u64 the value has: more than one in a histogram. */
  size: "u16",
  /** Byte offset within the block of values. */
  offset: "u32",
  /** Width of a linear histogram's buckets. */
  bucketSize: "u32",
  /** The name, filled with NUL. */
  name: "u8[]",
} as const;
