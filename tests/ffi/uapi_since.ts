/**
 * What came into the kernel's headers after Linux 6.1, the oldest that the tables are compared
 * with, and by which release it was there. An older header may lack it; a header of that release
 * that lacks it means that a name in the tables is wrong.
 *
 * @module
 */

/** A trailing `*` stands for any end. The latest release that fits a name counts. */
const additions: Readonly<Record<string, readonly string[]>> = {
  "6.4": [
    "KVM_CAP_PMU_EVENT_MASKED_EVENTS",
    "KVM_EXIT_HYPERCALL_LONG_MODE",
    "KVM_MSR_EXIT_REASON_VALID_MASK",
    "KVM_MSR_FILTER_RANGE_VALID_MASK",
    "KVM_MSR_FILTER_VALID_MASK",
    "KVM_PMU_EVENT_FLAG*",
    "KVM_PMU_MASKED_ENTRY_*",
    "KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG",
    "KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG",
    "KVM_XEN_INVALID_*",
    "struct kvm_run.hypercall.flags",
    "struct kvm_xen_hvm_attr.u.runstate_update_flag",
  ],
  "6.6": ["KVM_DEV_VFIO_FILE*"],
  "6.7": ["KVM_EXIT_LOONGARCH_IOCSR"],
  "6.8": [
    "KVM_CAP_GUEST_MEMFD",
    "KVM_CAP_MEMORY_*",
    "KVM_CAP_USER_MEMORY2",
    "KVM_CAP_VM_TYPES",
    "KVM_CREATE_GUEST_MEMFD",
    "KVM_EXIT_MEMORY_FAULT",
    "KVM_MEMORY_*",
    "KVM_MEM_GUEST_MEMFD",
    "KVM_SET_MEMORY_ATTRIBUTES",
    "KVM_SET_USER_MEMORY_REGION2",
    "KVM_X86_DEFAULT_VM",
    "KVM_X86_SW_PROTECTED_VM",
    "KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE",
    "struct kvm_create_guest_memfd",
    "struct kvm_memory_attributes",
    "struct kvm_run.memory_fault*",
    "struct kvm_userspace_memory_region2",
  ],
  "6.9": [
    "KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA",
    "KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA",
    "KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA",
    "struct kvm_xen_hvm_attr.u.shared_info.hva",
    "struct kvm_xen_vcpu_attr.u.hva",
  ],
  "6.10": [
    "KVM_SEV_INIT2",
    "KVM_X86_GRP_*",
    "KVM_X86_SEV_ES_VM",
    "KVM_X86_SEV_VM",
    "KVM_X86_SEV_VMSA_FEATURES",
    "struct kvm_sev_*",
  ],
  "6.11": [
    "KVM_CAP_PRE_FAULT_MEMORY",
    "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
    "KVM_CAP_X86_GUEST_MODE",
    "KVM_PRE_FAULT_MEMORY",
    "KVM_RUN_X86_GUEST_MODE",
    "KVM_SEV_SNP_*",
    "KVM_X86_SNP_VM",
    "struct kvm_pre_fault_memory",
    "struct kvm_sev_snp_*",
  ],
  "6.12": ["KVM_X86_QUIRK_SLOT_ZAP_ALL"],
  "6.13": ["KVM_X86_QUIRK_STUFF_FEATURE_MSRS"],
  "6.15": ["KVM_XEN_MSR_*"],
  "6.16": [
    "KVM_EXIT_TDX",
    "KVM_SYSTEM_EVENT_TDX_FATAL",
    "KVM_TDX_*",
    "KVM_X86_QUIRK_IGNORE_GUEST_PAT",
    "KVM_X86_TDX_VM",
    "struct kvm_tdx_*",
  ],
  "6.17": [
    "KVM_X86_DISABLE_EXITS_APERFMPERF",
    "struct kvm_run.tdx*",
    "struct kvm_tdx_capabilities*",
  ],
  "6.18": [
    "CP_VECTOR",
    "GUEST_MEMFD_FLAG_*",
    "HV_VECTOR",
    "KVM_CAP_GUEST_MEMFD_FLAGS",
    "KVM_REG_GUEST_SSP",
    "KVM_X86_REG_TYPE_*",
    "SX_VECTOR",
    "VC_VECTOR",
  ],
  "6.19": ["KVM_EXIT_ARM_SEA", "KVM_X86_SNP_POLICY_BITS"],
  "7.0": [
    "KVM_EXIT_ARM_LDST64B",
    "KVM_EXIT_SNP_REQ_CERTS",
    "KVM_SEV_SNP_ENABLE_REQ_CERTS",
    "KVM_X2APIC_DISABLE_SUPPRESS_EOI_BROADCAST",
    "KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST",
    "KVM_X86_SEV_SNP_REQ_CERTS",
    "struct kvm_exit_snp_req_certs",
    "struct kvm_run.snp_req_certs",
  ],
  "7.3": [
    "KVM_X86_QUIRK_NESTED_SVM_SHARED_PAT",
    "KVM_X86_QUIRK_VMCS12_ALLOW_FREEZE_IN_SMM",
    "struct kvm_nested_state.hdr.svm.gpat",
    "struct kvm_svm_nested_state_hdr.gpat",
  ],
};

/** What has grown, and by which release it had the size that it has in the tables. */
const grown: Readonly<Record<string, readonly string[]>> = {
  "7.3": ["struct kvm_nested_state.hdr.svm", "struct kvm_svm_nested_state_hdr"],
};

/**
 * The release by which the headers have a name, as `LINUX_VERSION_CODE` counts. 0 for what Linux
 * 6.1 has. A struct's members are newer when the struct is, or when they are listed themselves.
 */
export function appearedIn(name: string): number {
  return latestRelease(additions, name);
}

/** The release by which it had its size, likewise; 0 if it always had. */
export function grewIn(name: string): number {
  return latestRelease(grown, name);
}

function latestRelease(changes: Readonly<Record<string, readonly string[]>>, name: string): number {
  let latest = 0;
  for (const [release, names] of Object.entries(changes)) {
    if (!names.some((pattern) => fits(name, pattern))) continue;
    const [major = 0, minor = 0] = release.split(".").map(Number);
    latest = Math.max(latest, (major << 16) | (minor << 8));
  }
  return latest;
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
