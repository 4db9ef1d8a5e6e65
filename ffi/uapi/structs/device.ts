/**
 * Capabilities to enable, and devices that KVM emulates, with their attributes (api.rst 4.37,
 * 4.79-4.81).
 *
 * @module
 */

/** `struct kvm_enable_cap`: turns a capability on, with its arguments (`KVM_ENABLE_CAP`). */
export const kvmEnableCap = {
  /** `Cap`. */
  cap: "u32",
  /** No flag is defined: 0. */
  flags: "u32",
  /** What they mean is the capability's affair (api.rst 6, 7). */
  args: "u64[4]",
  pad: "u8[64]",
} as const;

/** `struct kvm_create_device`: a device to create (`KVM_CREATE_DEVICE`). */
export const kvmCreateDevice = {
  /** `DeviceType`. */
  type: "u32",
  /** Out: the device's file descriptor. */
  fd: "u32",
  /** `CreateDevice`. */
  flags: "u32",
} as const;

/** `struct kvm_device_attr`: one attribute of a device, vCPU or of KVM (`KVM_GET_DEVICE_ATTR`). */
export const kvmDeviceAttr = {
  /** No flag is defined: 0. */
  flags: "u32",
  group: "u32",
  /** The attribute's number within its group. */
  attr: "u64",
  /** Host address of the value. */
  addr: "u64",
} as const;
