/**
 * KVM's three layers of file descriptors: the system, a VM, a vCPU.
 *
 * @module
 */

export { CoalescedMmioRing, CoalescedWrite } from "./coalesced.ts";
export { type Connected, Connection } from "./connection.ts";
export {
  Cpuid,
  type CpuidEntry,
  CpuidFeatures,
  CpuidIdentity,
  CpuidLeaves,
  type CpuidOptions,
  type CpuidSource,
} from "./cpuid.ts";
export { kick, type KickHandle } from "../../ffi/mod.ts";
export { Device } from "./device.ts";
export type { DirtyRange } from "./dirty_pages.ts";
export { DirtyTracker, type DirtyTracking } from "./dirty_tracker.ts";
export { formatRegisters } from "./dump.ts";
export { EventFd, type EventFdOptions, type WaitOptions } from "./event_fd.ts";
export * from "./exits/mod.ts";
export { Kvm } from "./kvm.ts";
export type { NestedVcpuState } from "./nested_state.ts";
export { GuestMemfd, type GuestMemfdOptions } from "./guest_memfd.ts";
export type { MsrAllowances, MsrDenials, Msrs } from "./msr_filter.ts";
export { KvmObject } from "./object.ts";
export { x86RegKvm, x86RegMsr } from "./one_reg.ts";
export type { PmuEventFilter, PmuFilterEvent } from "./pmu_filter.ts";
export { type sevData, type SevDataCommand } from "./sev.ts";
export { StatsFd } from "./stats.ts";
export type { Stat, StatBucket, StatDescriptor, StatKind, StatUnit } from "./stats_value.ts";
export * from "./vcpu/mod.ts";
export * from "./vm/mod.ts";
