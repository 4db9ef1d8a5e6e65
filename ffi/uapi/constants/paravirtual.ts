/**
 * Numbers of the Hyper-V and Xen interfaces.
 *
 * @module
 */

/** `KVM_EXIT_HYPERV_*`: kinds of `ExitReason.HYPERV`. */
export const HypervExit = {
  /** A register of the synthetic interrupt controller. */
  SYNIC: 1,
  /** A hypercall. */
  HCALL: 2,
  /** A register of the synthetic debugger. */
  SYNDBG: 3,
} as const;

/** `KVM_HYPERV_EVENTFD_*`. */
export const HypervEventfd = {
  /** Undo the connection. */
  DEASSIGN: 1,
} as const;

/** `KVM_EXIT_XEN_*`: kinds of `ExitReason.XEN`. */
export const XenExit = {
  HCALL: 1,
} as const;

/** `KVM_XEN_HVM_CONFIG_*`: what `KVM_XEN_HVM_CONFIG` turns on and `Cap.XEN_HVM` announces. */
export const XenHvmConfig = {
  /** The MSR that writes the hypercall page. */
  HYPERCALL_MSR: 0x1,
  /** Hypercalls exit to user space. */
  INTERCEPT_HCALL: 0x2,
  /** The shared-info page. */
  SHARED_INFO: 0x4,
  /** The run state. */
  RUNSTATE: 0x8,
  /** Routes to two-level event channels. */
  EVTCHN_2LEVEL: 0x10,
  /** Event channels sent by guest and user space. */
  EVTCHN_SEND: 0x20,
  /** The run state's update flag. */
  RUNSTATE_UPDATE_FLAG: 0x40,
  /** The guest's clock is told to be unstable. */
  PVCLOCK_TSC_UNSTABLE: 0x80,
  /** Shared info by host address. */
  SHARED_INFO_HVA: 0x100,
} as const;

/** `KVM_XEN_ATTR_TYPE_*`: attributes of a VM. */
export const XenAttrType = {
  LONG_MODE: 0,
  SHARED_INFO: 1,
  UPCALL_VECTOR: 2,
  EVTCHN: 3,
  XEN_VERSION: 4,
  RUNSTATE_UPDATE_FLAG: 5,
  SHARED_INFO_HVA: 6,
} as const;

/** `KVM_XEN_VCPU_ATTR_TYPE_*`: attributes of a vCPU. */
export const XenVcpuAttrType = {
  VCPU_INFO: 0,
  VCPU_TIME_INFO: 1,
  RUNSTATE_ADDR: 2,
  RUNSTATE_CURRENT: 3,
  RUNSTATE_DATA: 4,
  RUNSTATE_ADJUST: 5,
  VCPU_ID: 6,
  TIMER: 7,
  UPCALL_VECTOR: 8,
  VCPU_INFO_HVA: 9,
} as const;

/** `KVM_XEN_EVTCHN_*`: what `XenAttrType.EVTCHN` does. */
export const XenEvtchn = {
  DEASSIGN: 1,
  UPDATE: 2,
  RESET: 4,
} as const;

/** `KVM_XEN_INVALID_*`: no address. */
export const XenInvalid = {
  GFN: 0xffffffffffffffffn,
  GPA: 0xffffffffffffffffn,
} as const;

/** `KVM_XEN_MSR_*_INDEX`: the MSRs that can install the hypercall page. */
export const XenMsr = {
  MIN: 0x40000000,
  MAX: 0x4fffffff,
} as const;
