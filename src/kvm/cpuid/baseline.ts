/**
 * A processor that every host can offer.
 *
 * @module
 */

import type { CpuidFeature } from "../../arch/x86/mod.ts";
import { KVM_SIGNATURE } from "../../arch/x86/cpuid/mod.ts";
import type { CpuidFeatures } from "./features.ts";

/** x86-64-v1 (System V ABI for AMD64, 3.1.1), and what 64-bit kernels take for granted. */
const features: readonly CpuidFeature[] = [
  ...["fpu", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr"] as const,
  ...["pge", "mca", "cmov", "pat", "pse36", "clflush", "mmx", "fxsr", "sse", "sse2"] as const,
  ...["syscall", "nx", "lm", "hypervisor"] as const,
];

/** Leaf 1's EBX: cache lines of 64 bytes, in units of 8. */
const CLFLUSH_LINE = 8 << 8;
/** 36 bits of physical addresses, as the first 64-bit processors had, and 48 of linear ones. */
const ADDRESS_SIZES = 48 << 8 | 36;

/** Fills an empty list. */
export function describeBaseline<T extends CpuidFeatures>(cpuid: T): T {
  cpuid.set(0, { eax: 0xb }).set(1, { ebx: CLFLUSH_LINE });
  cpuid.set(0x8000_0000, { eax: 0x8000_0008 }).set(0x8000_0008, { eax: ADDRESS_SIZES });
  cpuid.vendor = "GenuineIntel";
  cpuid.signature = { family: 15, model: 6, stepping: 1 };
  cpuid.brand = "Baseline x86-64 processor";
  cpuid.hypervisor = KVM_SIGNATURE;
  return cpuid.enable(...features);
}
