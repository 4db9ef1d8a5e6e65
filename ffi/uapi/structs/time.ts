/**
 * Guest time: the paravirtual clock and the 8254 timer (api.rst 4.29-4.30, 4.71-4.73, 4.99).
 *
 * @module
 */

/** `struct kvm_clock_data`: the VM's kvmclock (`KVM_GET_CLOCK`, `KVM_SET_CLOCK`). */
export const kvmClockData = {
  /** Nanoseconds on the guest's clock. */
  clock: "u64",
  /** `ClockFlag`: which fields count. */
  flags: "u32",
  pad0: "u32",
  /** Host CLOCK_REALTIME at that instant, in nanoseconds. */
  realtime: "u64",
  /** Host TSC at that instant. */
  hostTsc: "u64",
  pad: "u32[4]",
} as const;

/** `struct kvm_pit_config`: how to create the 8254 (`KVM_CREATE_PIT2`). */
export const kvmPitConfig = {
  /** `PitConfig`. */
  flags: "u32",
  pad: "u32[15]",
} as const;

/** `struct kvm_pit_channel_state`: one of the 8254's three counters. */
export const kvmPitChannelState = {
  /** The reload value; 65536 where the guest wrote 0. */
  count: "u32",
  latchedCount: "u16",
  countLatched: "u8",
  statusLatched: "u8",
  status: "u8",
  readState: "u8",
  writeState: "u8",
  writeLatch: "u8",
  rwMode: "u8",
  mode: "u8",
  bcd: "u8",
  gate: "u8",
  /** Host monotonic nanoseconds of the last load. */
  countLoadTime: "s64",
} as const;

/** `struct kvm_pit_state2`: the 8254 (`KVM_GET_PIT2`, `KVM_SET_PIT2`). */
export const kvmPitState2 = {
  channels: [kvmPitChannelState, 3],
  /** `PitFlag`. */
  flags: "u32",
  reserved: "u32[9]",
} as const;

/** `struct kvm_reinject_control`: what becomes of lost PIT ticks (`KVM_REINJECT_CONTROL`). */
export const kvmReinjectControl = {
  /** 1 delivers ticks late, 0 drops them. */
  pitReinject: "u8",
  reserved: "u8[31]",
} as const;
