/**
 * Debugging a guest: breakpoints, single step, debug registers (api.rst 4.33, 4.34, 4.87).
 *
 * @module
 */

/** `struct kvm_guest_debug_arch`: the debug registers that the host's debugger wants. */
export const kvmGuestDebugArch = {
  /** DR0-DR3 addresses, DR7 control; DR4-DR6 are not used. */
  debugreg: "u64[8]",
} as const;

/** `struct kvm_guest_debug`: what shall stop the guest (`KVM_SET_GUEST_DEBUG`). */
export const kvmGuestDebug = {
  /** `GuestDebug`. */
  control: "u32",
  pad: "u32",
  arch: kvmGuestDebugArch,
} as const;

/** `struct kvm_debug_exit_arch`: why the guest stopped (`ExitReason.DEBUG`). */
export const kvmDebugExitArch = {
  /** The vector: 1 is #DB, 3 is #BP. */
  exception: "u32",
  pad: "u32",
  /** Linear address of the instruction. */
  pc: "u64",
  /** Says which breakpoint it was, or single step in bit 14. */
  dr6: "u64",
  dr7: "u64",
} as const;

/** `struct kvm_debugregs`: the guest's own debug registers (`KVM_GET_DEBUGREGS`). */
export const kvmDebugregs = {
  /** DR0 to DR3. */
  db: "u64[4]",
  dr6: "u64",
  dr7: "u64",
  /** No flag is defined: 0. */
  flags: "u64",
  reserved: "u64[9]",
} as const;
