/**
 * Model-specific registers: values and the lists of what exists (api.rst 4.3, 4.18, 4.19).
 *
 * @module
 */

/** `struct kvm_msr_entry`: one MSR and its value. */
export const kvmMsrEntry = {
  /** The MSR's number, as in ECX of RDMSR. */
  index: "u32",
  reserved: "u32",
  data: "u64",
} as const;

/** `struct kvm_msrs`: MSRs to read or write in one call (`KVM_GET_MSRS`, `KVM_SET_MSRS`). */
export const kvmMsrs = {
  /** Entries given; the ioctl returns how many it did before one failed. */
  nmsrs: "u32",
  pad: "u32",
  entries: [kvmMsrEntry],
} as const;

/** `struct kvm_msr_list`: numbers of MSRs (`KVM_GET_MSR_INDEX_LIST`). */
export const kvmMsrList = {
  /** In: room in `indices`. Out: how many there are, also when that was too little. */
  nmsrs: "u32",
  indices: "u32[]",
} as const;
