/**
 * KVM_ENABLE_CAP, the same on a VM and on a vCPU (api.rst 4.37).
 *
 * @module
 */

import { checkInteger, create, Errno, type Fd, KvmError, show, U32_MAX } from "../../ffi/mod.ts";
import { Cap, kvmEnableCap } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(Cap).map(([name, cap]) => [cap, name]),
);

/** Those whose first argument is a mask, of bits that KVM_CHECK_EXTENSION answers. */
const masks: ReadonlySet<Cap> = new Set<Cap>([
  Cap.X2APIC_API,
  Cap.X86_DISABLE_EXITS,
  Cap.MANUAL_DIRTY_LOG_PROTECT2,
  Cap.X86_BUS_LOCK_EXIT,
  Cap.EXIT_HYPERCALL,
  Cap.PMU_CAPABILITY,
  Cap.DISABLE_QUIRKS2,
]);

/** A capability's name, `"HALT_POLL"`, or the number of one that this library does not know. */
export function capName(cap: number): string {
  return names.get(cap) ?? show(cap);
}

/** The error for a capability that the host lacks. */
export function lacking(operation: string, cap: Cap): KvmError {
  const name = capName(cap);
  const hint = `This host's KVM, or this type of VM, lacks it: ask check(Cap.${name}) first`;
  return new KvmError({ operation, call: `KVM_CAP_${name}`, errno: Errno.EOPNOTSUPP, hint });
}

/** How many arguments the struct has room for. */
const MOST = 4;

/** Turns a capability on; `check` is what the VM says to one. */
export function enableCap(
  fd: Fd,
  check: (cap: Cap) => number,
  cap: Cap,
  args: readonly (number | bigint)[],
): void {
  const operation = `enable KVM_CAP_${capName(cap)} on ${fd.what}`;
  checkInteger(operation, "A capability", cap, 0, U32_MAX);
  checkInteger(operation, "The number of arguments", args.length, 0, MOST);
  const struct = create(kvmEnableCap);
  struct.cap = cap;
  args.forEach((value, index) => struct.args[index] = unsigned(operation, value));
  const answer = check(cap);
  if (answer === 0) throw lacking(operation, cap);
  const beyond = masks.has(cap) ? struct.args[0]! & ~BigInt(answer) : 0n;
  if (beyond !== 0n) {
    const hint = `The host can 0x${answer.toString(16)} of it, and not 0x${beyond.toString(16)}`;
    throw new KvmError({ operation, errno: Errno.EOPNOTSUPP, hint });
  }
  fd.set(KVM.KVM_ENABLE_CAP, struct, operation);
}

/** A number or a bigint as a u64. */
function unsigned(operation: string, value: number | bigint): bigint {
  if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  const hint = `An argument is a whole number from 0 to 2^64 - 1, not ${show(value)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
