/**
 * Structures that the kernel's headers have and this folder does not, with the reason.
 *
 * @module
 */

/** Structures of interfaces that a newer one replaced, or that Linux took away. */
export const retiredStructs = {
  kvm_memory_region: "of KVM_SET_MEMORY_REGION",
  kvm_memory_alias: "of KVM_SET_MEMORY_ALIAS",
  kvm_cpuid_entry: "of KVM_SET_CPUID",
  kvm_cpuid: "of KVM_SET_CPUID",
  kvm_pit_state: "of KVM_GET_PIT and KVM_SET_PIT",
  kvm_breakpoint: "of KVM_DEBUG_GUEST",
  kvm_debug_guest: "of KVM_DEBUG_GUEST",
  kvm_user_trace_setup: "of KVM_TRACE_ENABLE",
  kvm_assigned_pci_dev: "of KVM_ASSIGN_PCI_DEVICE",
  kvm_assigned_irq: "of KVM_ASSIGN_DEV_IRQ",
  kvm_assigned_msix_nr: "of KVM_ASSIGN_SET_MSIX_NR",
  kvm_assigned_msix_entry: "of KVM_ASSIGN_SET_MSIX_ENTRY",
} as const;

/** Structures of other architectures whose names do not begin with the architecture's. */
export const otherArchitectureStructs = {
  kvm_pv_cmd: "s390",
  kvm_config_tlb: "ppc",
  kvm_dirty_tlb: "ppc",
  kvm_vfio_spapr_tce: "ppc",
} as const;
