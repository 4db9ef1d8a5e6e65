/**
 * Devices, their attributes, and those of /dev/kvm itself.
 *
 * @module
 */

/** `KVM_DEV_TYPE_*` that x86 has. */
export const DeviceType = {
  /** Tells KVM about VFIO devices of the VM. */
  VFIO: 4,
} as const;

/** A value of {@linkcode DeviceType}. */
export type DeviceType = (typeof DeviceType)[keyof typeof DeviceType];

/** `KVM_CREATE_DEVICE_*`. */
export const CreateDevice = {
  /** Only ask whether the type could be created. */
  TEST: 1,
} as const;

/** `KVM_DEV_VFIO_*`: the group and attributes of the VFIO device; `GROUP*` are its old names. */
export const VfioAttr = {
  FILE: 1,
  FILE_ADD: 1,
  FILE_DEL: 2,
  GROUP: 1,
  GROUP_ADD: 1,
  GROUP_DEL: 2,
} as const;

/** `KVM_X86_*`: groups and attributes of /dev/kvm (`Cap.SYS_ATTRIBUTES`). */
export const SystemAttr = {
  /** A group. */
  GRP_SYSTEM: 0,
  /** XSAVE features that a guest can have, as a u64. */
  XCOMP_GUEST_SUPP: 0,
  /** A group. */
  GRP_SEV: 1,
  /** VMSA features that an SEV-ES guest can have, as a u64. */
  SEV_VMSA_FEATURES: 0,
  /** SEV-SNP policy bits that can be set, as a u64. */
  SNP_POLICY_BITS: 1,
  /** Whether `ExitReason.SNP_REQ_CERTS` can be asked for, as a u64. */
  SEV_SNP_REQ_CERTS: 2,
} as const;
