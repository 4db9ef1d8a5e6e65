/**
 * Flags and numbers of x86 KVM, in families. A member's name is the kernel's without the family's
 * prefix, so that `MemFlag.READONLY` is `KVM_MEM_READONLY`. Families that fill a `u64` field are
 * bigints, as the field is.
 *
 * @module
 */

export * from "./confidential.ts";
export * from "./device.ts";
export * from "./interrupts.ts";
export * from "./memory.ts";
export * from "./nested.ts";
export * from "./paravirtual.ts";
export * from "./policy.ts";
export * from "./run.ts";
export * from "./stats.ts";
export * from "./vcpu.ts";
