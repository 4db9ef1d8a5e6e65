/**
 * Numbers of a nested hypervisor's state (api.rst 4.114).
 *
 * @module
 */

/** `KVM_STATE_NESTED_*`: formats, flags and sizes. */
export const NestedState = {
  FORMAT_VMX: 0,
  FORMAT_SVM: 1,
  /** The nested guest runs. */
  GUEST_MODE: 0x1,
  /** Its entry was asked for and has not happened. */
  RUN_PENDING: 0x2,
  /** Hyper-V's enlightened VMCS is in use. */
  EVMCS: 0x4,
  /** A monitor-trap exit is due. */
  MTF_PENDING: 0x8,
  /** SVM's global interrupt flag. */
  GIF_SET: 0x100,
  /** VMX: the SMI came in the nested guest. */
  SMM_GUEST_MODE: 0x1,
  /** VMX: the SMI came in VMX operation. */
  SMM_VMXON: 0x2,
  /** Bytes. */
  VMX_VMCS_SIZE: 0x1000,
  /** Bytes. */
  SVM_VMCB_SIZE: 0x1000,
} as const;

/** `KVM_STATE_VMX_*`. */
export const VmxStateFlag = {
  /** `preemptionTimerDeadline` counts. */
  PREEMPTION_TIMER_DEADLINE: 1,
} as const;
