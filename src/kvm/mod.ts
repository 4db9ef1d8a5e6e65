/**
 * KVM's three layers of file descriptors: the system, a VM, a vCPU.
 *
 * @module
 */

export { Cpuid, type CpuidEntry } from "./cpuid.ts";
export { kick, type KickHandle } from "../../ffi/mod.ts";
export { formatRegisters } from "./dump.ts";
export * from "./exits/mod.ts";
export { Kvm } from "./kvm.ts";
export { KvmObject } from "./object.ts";
export * from "./vcpu/mod.ts";
export * from "./vm/mod.ts";
