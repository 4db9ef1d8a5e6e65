/**
 * The leaves of CPUID: their names, and how they are built (SDM volume 2, "CPUID"; APM volume 3,
 * appendix E).
 *
 * @module
 */

import { checkInteger, U32_MAX } from "../../../../ffi/mod.ts";

/** What leaves are about. */
const names: Readonly<Record<number, string>> = {
  0x0: "highest basic leaf, vendor",
  0x1: "family, model, stepping; features",
  0x2: "caches, by descriptor",
  0x3: "serial number",
  0x4: "caches",
  0x5: "MONITOR and MWAIT",
  0x6: "power and temperature",
  0x7: "features",
  0x9: "direct cache access",
  0xa: "performance monitoring",
  0xb: "topology",
  0xd: "extended state",
  0xf: "monitoring of caches and memory bandwidth",
  0x10: "allocation of caches and memory bandwidth",
  0x12: "enclaves",
  0x14: "processor trace",
  0x15: "TSC's frequency",
  0x16: "frequencies",
  0x17: "system on chip",
  0x18: "TLBs",
  0x19: "key locker",
  0x1a: "hybrid cores",
  0x1b: "PCONFIG",
  0x1c: "last-branch records",
  0x1d: "AMX tiles",
  0x1e: "AMX multiplication",
  0x1f: "topology, second version",
  0x20: "HRESET",
  0x21: "TDX",
  0x23: "performance monitoring, second version",
  0x24: "AVX10",
  0x40000000: "highest hypervisor leaf, hypervisor",
  0x40000001: "hypervisor's features",
  0x40000010: "frequencies",
  0x80000000: "highest extended leaf, vendor",
  0x80000001: "features",
  0x80000002: "brand string",
  0x80000003: "brand string",
  0x80000004: "brand string",
  0x80000005: "first-level caches and TLBs",
  0x80000006: "second-level caches and TLBs",
  0x80000007: "power and errors",
  0x80000008: "address sizes, features, core count",
  0x8000000a: "SVM",
  0x80000019: "TLBs of 1 GiB pages",
  0x8000001a: "how fast instructions are",
  0x8000001b: "instruction-based sampling",
  0x8000001c: "lightweight profiling",
  0x8000001d: "caches",
  0x8000001e: "topology",
  0x8000001f: "memory encryption",
  0x80000020: "memory bandwidth",
  0x80000021: "features",
  0x80000022: "performance monitoring, second version",
  0x80000023: "memory encryption keys",
  0x80000026: "topology, second version",
  0xc0000000: "highest VIA leaf",
  0xc0000001: "VIA's features",
};

/** What a leaf is about, in a few words; nothing for one that no manual has. */
export function cpuidLeafName(leaf: number): string | undefined {
  checkInteger("name a CPUID leaf", "A leaf", leaf, 0, U32_MAX);
  return names[leaf];
}

/** Leaves whose answer depends on ECX. */
const indexed: ReadonlySet<number> = new Set([
  ...[0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1b, 0x1d, 0x1e, 0x1f, 0x20, 0x23],
  ...[0x24, 0x8000001d, 0x80000020, 0x80000026],
]);

/** Whether a leaf has subleaves: its answer depends on ECX. */
export function hasSubleaves(leaf: number): boolean {
  return indexed.has(leaf);
}

/** Leaves whose first subleaf tells the highest in EAX. */
const counted: ReadonlySet<number> = new Set([0x7, 0x14, 0x17, 0x18, 0x1d, 0x20, 0x24]);

/** Whether EAX of a leaf's subleaf 0 is the number of its highest subleaf. */
export function countsSubleaves(leaf: number): boolean {
  return counted.has(leaf);
}

/** The leaf that tells the highest one of a leaf's range: 0, 0x40000000, 0x80000000, 0xc0000000. */
export function rangeOf(leaf: number): number {
  return leaf >= 0x4000_0000 ? (leaf & 0xffff_0000) >>> 0 : 0;
}
