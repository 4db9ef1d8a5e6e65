/**
 * Constants that the kernel's headers have and this folder does not, with the reason.
 *
 * @module
 */

/** Constants of x86 or of every architecture that are left out. */
export const leftOutConstants = {
  KVM_COALESCED_MMIO_MAX: "derived: how many entries fit in the ring's page",
  KVM_IOEVENTFD_VALID_FLAG_MASK: "the kernel's own check; it includes a flag of no use outside",
  KVM_MAX_MSIX_PER_DEV: "of the removed device assignment",
  KVM_NR_IRQCHIPS: "derived: how many members Irqchip has",
  KVM_PMU_ENCODE_MASKED_ENTRY: "a function; PmuMaskedEntry has the fields it packs",
  KVM_SEV_NR_MAX: "derived: the number behind the last command",
  KVM_SEV_PAGE_TYPE_INVALID: "marks a page type that no command takes",
  KVM_TDX_CMD_NR_MAX: "derived: the number behind the last command",
  KVM_X86_DISABLE_VALID_EXITS: "all DisableExits of its day; newer headers have dropped it",
  KVM_X86_KVM_REG_SIZE: "a function that packs OneReg",
  KVM_X86_REG_ID: "a function that packs OneReg",
  KVM_X86_REG_KVM: "a function that packs OneReg",
  KVM_X86_REG_MSR: "a function that packs OneReg",
  KVM_X86_REG_TYPE_SIZE: "a function that packs OneReg",
  KVM_REG_SIZE: "a function that unpacks OneReg",
  KVM_DEV_TYPE_MAX: "derived: the number behind the last type",
  KVMIO: "ffi/ioctl.ts has it: the type of every request number",
} as const;

/** Beginnings of families of the removed device assignment and tracing. */
export const retiredPrefixes = ["KVM_DEV_ASSIGN_", "KVM_DEV_IRQ_", "KVM_TRC_"] as const;

/** Constants of other architectures whose names do not tell, with the architecture. */
export const otherArchitectureConstants = {
  KVM_DEV_TYPE_FSL_MPIC_20: "ppc",
  KVM_DEV_TYPE_FSL_MPIC_42: "ppc",
  KVM_DEV_TYPE_XICS: "ppc",
  KVM_DEV_TYPE_XIVE: "ppc",
  KVM_DEV_TYPE_FLIC: "s390",
  KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY: "s390",
  KVM_MMU_FSL_BOOKE_HV: "ppc",
  KVM_MMU_FSL_BOOKE_NOHV: "ppc",
  KVM_MP_STATE_STOPPED: "arm, riscv and s390",
  KVM_MP_STATE_CHECK_STOP: "s390",
  KVM_MP_STATE_OPERATING: "s390",
  KVM_MP_STATE_LOAD: "s390",
  KVM_MP_STATE_SUSPENDED: "arm",
  KVM_REG_IA64: "ia64",
} as const;

/** Words that mark a name as another architecture's; PV is s390's protected virtualization. */
export const otherArchitectures = [
  "S390",
  "PV",
  "PPC",
  "SPAPR",
  "ARM",
  "ARM64",
  "RISCV",
  "MIPS",
  "LOONGARCH",
] as const;
