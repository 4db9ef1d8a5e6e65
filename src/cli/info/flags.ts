/**
 * What the bits mean that some capabilities answer.
 *
 * @module
 */

import {
  BusLockDetection,
  Cap,
  ClockFlag,
  DirtyLogMode,
  DisableExits,
  GuestDebug,
  GuestMemfdFlag,
  MemoryAttribute,
  PmuCap,
  Quirk,
  SyncRegs,
  VmType,
  X2apic,
  XenHvmConfig,
} from "../../../ffi/uapi/mod.ts";

type Flags = Readonly<Record<string, number | bigint>>;

const flags: ReadonlyMap<number, Flags> = new Map<number, Flags>([
  [Cap.ADJUST_CLOCK, ClockFlag],
  [Cap.DISABLE_QUIRKS2, Quirk],
  [Cap.GUEST_MEMFD_FLAGS, GuestMemfdFlag],
  [Cap.MANUAL_DIRTY_LOG_PROTECT2, DirtyLogMode],
  [Cap.MEMORY_ATTRIBUTES, MemoryAttribute],
  [Cap.PMU_CAPABILITY, PmuCap],
  [Cap.SET_GUEST_DEBUG2, GuestDebug],
  [Cap.SYNC_REGS, SyncRegs],
  [Cap.X2APIC_API, X2apic],
  [Cap.X86_BUS_LOCK_EXIT, BusLockDetection],
  [Cap.X86_DISABLE_EXITS, DisableExits],
  [Cap.XEN_HVM, XenHvmConfig],
]);

/** The names of the bits in a capability's answer; undefined for one that answers a number. */
export function flagNames(cap: number, value: number): string[] | undefined {
  if (cap === Cap.VM_TYPES) {
    return Object.entries(VmType).flatMap(([name, type]) => value & (1 << type) ? [name] : []);
  }
  const names = flags.get(cap);
  if (names === undefined) return undefined;
  return Object.entries(names).flatMap(([name, flag]) => {
    const mask = BigInt(flag);
    // Some tables have a member for all of them.
    const single = mask !== 0n && (mask & (mask - 1n)) === 0n;
    return single && (BigInt(value) & mask) !== 0n ? [name] : [];
  });
}
