/**
 * Xen's interface, as KVM offers it to Xen guests (api.rst 4.28, 4.126-4.129, 4.135, 5).
 *
 * @module
 */

/** `struct kvm_xen_exit`: a Xen hypercall for user space (`ExitReason.XEN`). */
export const kvmXenExit = {
  /** `XenExit`. */
  type: "u32",
  u: {
    union: {
      hcall: {
        /** 1 when the guest called in 64-bit mode. */
        longmode: "u32",
        cpl: "u32",
        /** The hypercall's number. */
        input: "u64",
        /** Written by user space. */
        result: "u64",
        params: "u64[6]",
      },
    },
  },
} as const;

/** `struct kvm_xen_hvm_config`: how a guest reaches Xen's hypercall page (`KVM_XEN_HVM_CONFIG`). */
export const kvmXenHvmConfig = {
  /** `XenHvmConfig`. */
  flags: "u32",
  /** The MSR that installs the hypercall page. */
  msr: "u32",
  /** Host address of the 32-bit hypercall page to copy. */
  blobAddr32: "u64",
  /** Host address of the 64-bit one. */
  blobAddr64: "u64",
  /** Pages. */
  blobSize32: "u8",
  /** Pages. */
  blobSize64: "u8",
  pad2: "u8[30]",
} as const;

/** `struct kvm_xen_hvm_attr`: an attribute of the VM (`KVM_XEN_HVM_GET_ATTR`). */
export const kvmXenHvmAttr = {
  /** `XenAttrType`: which member of `u` counts. */
  type: "u16",
  pad: "u16[3]",
  u: {
    union: {
      longMode: "u8",
      vector: "u8",
      runstateUpdateFlag: "u8",
      sharedInfo: {
        union: {
          /** Guest frame number, or `XenInvalid.GFN`. */
          gfn: "u64",
          /** Host address, or 0. */
          hva: "u64",
        },
      },
      evtchn: {
        sendPort: "u32",
        /** EVTCHNSTAT_ipi or EVTCHNSTAT_interdomain. */
        type: "u32",
        /** `XenEvtchn`. */
        flags: "u32",
        deliver: {
          union: {
            port: { port: "u32", vcpu: "u32", priority: "u32" },
            /** `port` is 0 here. */
            eventfd: { port: "u32", fd: "s32" },
            padding: "u32[4]",
          },
        },
      },
      xenVersion: "u32",
      pad: "u64[8]",
    },
  },
} as const;

/** `struct kvm_xen_vcpu_attr`: an attribute of a vCPU (`KVM_XEN_VCPU_GET_ATTR`). */
export const kvmXenVcpuAttr = {
  /** `XenVcpuAttrType`: which member of `u` counts. */
  type: "u16",
  pad: "u16[3]",
  u: {
    union: {
      /** Guest-physical, or `XenInvalid.GPA`. */
      gpa: "u64",
      /** Host address, or 0. */
      hva: "u64",
      pad: "u64[8]",
      /** Times in nanoseconds. */
      runstate: {
        state: "u64",
        stateEntryTime: "u64",
        timeRunning: "u64",
        timeRunnable: "u64",
        timeBlocked: "u64",
        timeOffline: "u64",
      },
      vcpuId: "u32",
      timer: {
        port: "u32",
        priority: "u32",
        /** When it fires, on the guest's clock; 0 disarms. */
        expiresNs: "u64",
      },
      vector: "u8",
    },
  },
} as const;
