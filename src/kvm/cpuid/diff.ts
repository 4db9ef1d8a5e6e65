/**
 * Two lists of CPUID leaves side by side.
 *
 * @module
 */

import { cpuidFeatures } from "../../arch/x86/mod.ts";
import type { CpuidLeaves } from "./leaves.ts";

const registers = ["eax", "ebx", "ecx", "edx"] as const;

/** Bits that KVM sets by itself as the guest's registers change (kvm_update_cpuid_runtime). */
const kept: ReadonlySet<string> = new Set(["apic", "osxsave", "ospke"]);

/** What differs, a line each: features first, then the other bits of registers. */
export function differences(from: CpuidLeaves, to: CpuidLeaves): string[] {
  const leaves = new Map<string, [leaf: number, subleaf: number]>();
  for (const entry of [...from.entries, ...to.entries]) {
    leaves.set(`${entry.function}.${entry.index}`, [entry.function, entry.index]);
  }
  const changes: string[] = [];
  const rest: string[] = [];
  for (const [leaf, subleaf] of [...leaves.values()].sort(byNumber)) {
    for (const register of registers) {
      const before = from.find(leaf, subleaf)?.[register] ?? 0;
      const after = to.find(leaf, subleaf)?.[register] ?? 0;
      let unnamed = before ^ after;
      for (const feature of cpuidFeatures) {
        if (feature.leaf !== leaf || feature.subleaf !== subleaf) continue;
        if (feature.register !== register || (unnamed & feature.mask) === 0) continue;
        const note = kept.has(feature.name) ? " (KVM keeps it in step with the guest)" : "";
        changes.push(`${after & feature.mask ? "+" : "-"}${feature.name}${note}`);
        unnamed &= ~feature.mask;
      }
      if (unnamed === 0) continue;
      rest.push(`${place(leaf, subleaf)} ${register}: ${hex(before)} -> ${hex(after)}`);
    }
  }
  return [...changes, ...rest];
}

function byNumber([a, i]: [number, number], [b, j]: [number, number]): number {
  return a - b || i - j;
}

function place(leaf: number, subleaf: number): string {
  return `0x${leaf.toString(16)}${subleaf === 0 ? "" : `.${subleaf}`}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
