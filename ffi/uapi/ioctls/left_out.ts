/**
 * ioctls that the kernel's headers have and the tables do not, with the reason.
 *
 * @module
 */

/** ioctls that a newer one replaced, and which. */
export const superseded = {
  KVM_SET_MEMORY_REGION: "KVM_SET_USER_MEMORY_REGION",
  KVM_SET_MEMORY_ALIAS: "KVM_SET_USER_MEMORY_REGION",
  KVM_CREATE_PIT: "KVM_CREATE_PIT2",
  KVM_GET_PIT: "KVM_GET_PIT2",
  KVM_SET_PIT: "KVM_SET_PIT2",
  KVM_SET_CPUID: "KVM_SET_CPUID2",
  KVM_DEBUG_GUEST: "KVM_SET_GUEST_DEBUG",
} as const;

/** ioctls that Linux took away, and what to use. */
export const removed = {
  KVM_TRACE_ENABLE: "the tracepoints of the kernel's kvm events",
  KVM_TRACE_PAUSE: "the tracepoints of the kernel's kvm events",
  KVM_TRACE_DISABLE: "the tracepoints of the kernel's kvm events",
  KVM_ASSIGN_PCI_DEVICE: "VFIO",
  KVM_ASSIGN_IRQ: "VFIO",
  KVM_ASSIGN_DEV_IRQ: "VFIO",
  KVM_ASSIGN_SET_INTX_MASK: "VFIO",
  KVM_ASSIGN_SET_MSIX_NR: "VFIO",
  KVM_ASSIGN_SET_MSIX_ENTRY: "VFIO",
  KVM_DEASSIGN_PCI_DEVICE: "VFIO",
  KVM_DEASSIGN_DEV_IRQ: "VFIO",
} as const;

/** ioctls that no x86 kernel has, and the architecture that has them. */
export const otherArchitectures = {
  KVM_S390_ENABLE_SIE: "s390",
  KVM_S390_UCAS_MAP: "s390",
  KVM_S390_UCAS_UNMAP: "s390",
  KVM_S390_VCPU_FAULT: "s390",
  KVM_S390_KEYOP: "s390",
  KVM_S390_INTERRUPT: "s390",
  KVM_S390_STORE_STATUS: "s390",
  KVM_S390_SET_INITIAL_PSW: "s390",
  KVM_S390_INITIAL_RESET: "s390",
  KVM_S390_MEM_OP: "s390",
  KVM_S390_GET_SKEYS: "s390",
  KVM_S390_SET_SKEYS: "s390",
  KVM_S390_IRQ: "s390",
  KVM_S390_SET_IRQ_STATE: "s390",
  KVM_S390_GET_IRQ_STATE: "s390",
  KVM_S390_GET_CMMA_BITS: "s390",
  KVM_S390_SET_CMMA_BITS: "s390",
  KVM_S390_NORMAL_RESET: "s390",
  KVM_S390_CLEAR_RESET: "s390",
  KVM_S390_PV_COMMAND: "s390",
  KVM_S390_PV_CPU_COMMAND: "s390",
  KVM_S390_ZPCI_OP: "s390",
  KVM_PPC_GET_PVINFO: "ppc",
  KVM_PPC_GET_SMMU_INFO: "ppc",
  KVM_PPC_ALLOCATE_HTAB: "ppc",
  KVM_CREATE_SPAPR_TCE: "ppc",
  KVM_CREATE_SPAPR_TCE_64: "ppc",
  KVM_ALLOCATE_RMA: "ppc",
  KVM_PPC_GET_HTAB_FD: "ppc",
  KVM_PPC_RTAS_DEFINE_TOKEN: "ppc",
  KVM_PPC_RESIZE_HPT_PREPARE: "ppc",
  KVM_PPC_RESIZE_HPT_COMMIT: "ppc",
  KVM_PPC_CONFIGURE_V3_MMU: "ppc",
  KVM_PPC_GET_RMMU_INFO: "ppc",
  KVM_PPC_GET_CPU_CHAR: "ppc",
  KVM_PPC_SVM_OFF: "ppc",
  KVM_PPC_GET_COMPAT_CAPS: "ppc",
  KVM_DIRTY_TLB: "ppc",
  KVM_ARM_SET_DEVICE_ADDR: "arm",
  KVM_ARM_VCPU_INIT: "arm",
  KVM_ARM_PREFERRED_TARGET: "arm",
  KVM_ARM_VCPU_FINALIZE: "arm",
  KVM_ARM_MTE_COPY_TAGS: "arm",
  KVM_ARM_SET_COUNTER_OFFSET: "arm",
  KVM_ARM_GET_REG_WRITABLE_MASKS: "arm",
} as const;
