/**
 * The CPUID leaves that a vCPU answers with (api.rst 4.20, 4.46, 4.88, 4.118).
 *
 * @module
 */

/** `struct kvm_cpuid_entry2`: what CPUID answers for one leaf and subleaf. */
export const kvmCpuidEntry2 = {
  /** EAX as the guest calls CPUID: the leaf. */
  function: "u32",
  /** ECX as the guest calls CPUID: the subleaf, where `flags` says that it counts. */
  index: "u32",
  /** `CpuidFlag`. */
  flags: "u32",
  eax: "u32",
  ebx: "u32",
  ecx: "u32",
  edx: "u32",
  padding: "u32[3]",
} as const;

/** `struct kvm_cpuid2`: a list of leaves (`KVM_GET_SUPPORTED_CPUID`, `KVM_SET_CPUID2`). */
export const kvmCpuid2 = {
  /** Entries: in, how many there is room for or are given; out, how many there are. */
  nent: "u32",
  padding: "u32",
  entries: [kvmCpuidEntry2],
} as const;
