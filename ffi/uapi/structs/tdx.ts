/**
 * Encrypted guests on Intel: the commands of `KVM_MEMORY_ENCRYPT_OP` for TDX (the kernel's
 * Documentation/virt/kvm/x86/intel-tdx.rst).
 *
 * The two structures with a CPUID list end in a `struct kvm_cpuid2`. Its head is `cpuid` here and
 * its entries follow as a field of their own, since only a last field can be flexible.
 *
 * @module
 */

import { kvmCpuidEntry2 } from "./cpuid.ts";

/** `struct kvm_tdx_cmd`: a command and its answer. */
export const kvmTdxCmd = {
  /** `TdxCommand`. */
  id: "u32",
  flags: "u32",
  /** Host address of the command's own structure, or an immediate value. */
  data: "u64",
  /** Out: the TDX module's status. */
  hwError: "u64",
} as const;

/** `struct kvm_tdx_capabilities`: what a trust domain can have (`TdxCommand.CAPABILITIES`). */
export const kvmTdxCapabilities = {
  supportedAttrs: "u64",
  supportedXfam: "u64",
  /** TDVMCALLs that KVM answers, as leaf 1 of GetTdVmCallInfo reports them in R11. */
  kernelTdvmcallinfo1R11: "u64",
  /** TDVMCALLs that can exit to user space. */
  userTdvmcallinfo1R11: "u64",
  kernelTdvmcallinfo1R12: "u64",
  userTdvmcallinfo1R12: "u64",
  reserved: "u64[250]",
  /** In: room for entries. Out: how many there are. */
  cpuid: { nent: "u32", padding: "u32" },
  entries: [kvmCpuidEntry2],
} as const;

/** `struct kvm_tdx_init_vm`: what a trust domain shall have (`TdxCommand.INIT_VM`). */
export const kvmTdxInitVm = {
  attributes: "u64",
  xfam: "u64",
  /** SHA-384 of the configuration. */
  mrconfigid: "u64[6]",
  /** SHA-384 of the owner. */
  mrowner: "u64[6]",
  /** SHA-384 of the owner's configuration. */
  mrownerconfig: "u64[6]",
  reserved: "u64[12]",
  cpuid: { nent: "u32", padding: "u32" },
  entries: [kvmCpuidEntry2],
} as const;

/** `struct kvm_tdx_init_mem_region`: pages to copy in (`TdxCommand.INIT_MEM_REGION`). */
export const kvmTdxInitMemRegion = {
  /** Host address. */
  sourceAddr: "u64",
  gpa: "gpa",
  nrPages: "u64",
} as const;
