/**
 * ioctls of devices and of whatever else has attributes: vCPUs and /dev/kvm (api.rst 4.80, 4.81).
 *
 * @module
 */

import { kvmDeviceAttr } from "../structs/device.ts";

/**
 * The ioctls of a device. On a vCPU they are `Cap.VCPU_ATTRIBUTES`'s, on /dev/kvm
 * `Cap.SYS_ATTRIBUTES`'s.
 */
export const deviceIoctls = {
  /** Writes an attribute. */
  KVM_SET_DEVICE_ATTR: {
    nr: 0xe1,
    dir: "w",
    arg: kvmDeviceAttr,
    on: ["device", "vcpu"],
    cap: "DEVICE_CTRL",
    hints: {
      ENXIO: "There is no such group or attribute here: KVM_HAS_DEVICE_ATTR tells.",
      EPERM: "This attribute cannot be written, or not now.",
    },
  },
  /** Reads an attribute. */
  KVM_GET_DEVICE_ATTR: {
    nr: 0xe2,
    dir: "w",
    arg: kvmDeviceAttr,
    on: ["device", "vcpu", "system"],
    cap: "DEVICE_CTRL",
    hints: {
      ENXIO: "There is no such group or attribute here: KVM_HAS_DEVICE_ATTR tells.",
      EPERM: "This attribute cannot be read.",
    },
  },
  /** Whether there is such an attribute. */
  KVM_HAS_DEVICE_ATTR: {
    nr: 0xe3,
    dir: "w",
    arg: kvmDeviceAttr,
    on: ["device", "vcpu", "system"],
    cap: "DEVICE_CTRL",
    hints: { ENXIO: "There is no such group or attribute here." },
  },
} as const;
