/**
 * The state of a guest that is itself a hypervisor (api.rst 4.114, 4.115).
 *
 * @module
 */

/** `struct kvm_vmx_nested_state_hdr`: what a nested VMX hypervisor is doing. */
export const kvmVmxNestedStateHdr = {
  /** Guest-physical address given to VMXON; all ones outside VMX operation. */
  vmxonPa: "u64",
  /** Guest-physical address of the current VMCS; all ones without one. */
  vmcs12Pa: "u64",
  smm: {
    /** `NestedState.SMM_GUEST_MODE`, `NestedState.SMM_VMXON`. */
    flags: "u16",
  },
  pad: "u16",
  /** `VmxStateFlag`. */
  flags: "u32",
  preemptionTimerDeadline: "u64",
} as const;

/** `struct kvm_svm_nested_state_hdr`: what a nested SVM hypervisor is doing. */
export const kvmSvmNestedStateHdr = {
  /** Guest-physical address of the VMCB that runs. */
  vmcbPa: "u64",
  /** The nested guest's own PAT, where `Quirk.NESTED_SVM_SHARED_PAT` is off. Linux 7.3. */
  gpat: "u64",
} as const;

/** `struct kvm_vmx_nested_state_data`: what follows the header for VMX. */
export const kvmVmxNestedStateData = {
  vmcs12: "u8[4096]",
  shadowVmcs12: "u8[4096]",
} as const;

/** `struct kvm_svm_nested_state_data`: what follows the header for SVM. */
export const kvmSvmNestedStateData = {
  vmcb12: "u8[4096]",
} as const;

/** `struct kvm_nested_state`: 128 bytes of header, then vendor data (`KVM_GET_NESTED_STATE`). */
export const kvmNestedState = {
  /** `NestedState`. */
  flags: "u16",
  /** `NestedState.FORMAT_VMX` or `NestedState.FORMAT_SVM`. */
  format: "u16",
  /** Bytes of the whole, header included. In: room. Out: used or needed. */
  size: "u32",
  hdr: {
    union: {
      vmx: kvmVmxNestedStateHdr,
      svm: kvmSvmNestedStateHdr,
      pad: "u8[120]",
    },
  },
  /** {@linkcode kvmVmxNestedStateData} or {@linkcode kvmSvmNestedStateData}, as `format` says. */
  data: "u8[]",
} as const;
