/**
 * Hyper-V's interface, as KVM offers it to Windows guests (api.rst 4.113, 5).
 *
 * @module
 */

/** `struct kvm_hyperv_exit`: a Hyper-V call or register for user space (`ExitReason.HYPERV`). */
export const kvmHypervExit = {
  /** `HypervExit`: which member of `u` counts. */
  type: "u32",
  pad1: "u32",
  u: {
    union: {
      synic: {
        msr: "u32",
        pad2: "u32",
        control: "u64",
        evtPage: "u64",
        msgPage: "u64",
      },
      hcall: {
        input: "u64",
        /** Written by user space. */
        result: "u64",
        params: "u64[2]",
      },
      syndbg: {
        msr: "u32",
        pad2: "u32",
        control: "u64",
        /** Written by user space. */
        status: "u64",
        sendPage: "u64",
        recvPage: "u64",
        pendingPage: "u64",
      },
    },
  },
} as const;

/** `struct kvm_hyperv_eventfd`: HvSignalEvent calls that signal an eventfd. */
export const kvmHypervEventfd = {
  /** The connection id, within `Abi.HYPERV_CONN_ID_MASK`. */
  connId: "u32",
  /** The eventfd. */
  fd: "s32",
  /** `HypervEventfd`. */
  flags: "u32",
  padding: "u32[3]",
} as const;
