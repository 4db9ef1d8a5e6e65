/**
 * CPUID's feature flags by name.
 *
 * @module
 */

import { Errno, isName, KvmError, show } from "../../../../ffi/mod.ts";
import { basicFeatures } from "./basic.ts";
import { extendedFeatures } from "./extended.ts";
import { paravirtualFeatures } from "./paravirtual.ts";

/** The name of a feature flag, as /proc/cpuinfo has it: `"x2apic"`, `"avx512f"`, `"kvm_clock"`. */
export type CpuidFeature =
  | MemberOf<typeof basicFeatures>
  | MemberOf<typeof extendedFeatures>
  | MemberOf<typeof paravirtualFeatures>;

/** The names in any of a table's registers. */
export type MemberOf<T> = { [K in keyof T]: keyof T[K] }[keyof T];

/** A feature flag's name, or another that {@linkcode cpuidFeature} knows it by. */
export type CpuidFeatureName = CpuidFeature | (string & Record<never, never>);

/** A register of CPUID's answer. */
export type CpuidRegister = "eax" | "ebx" | "ecx" | "edx";

/** Where a feature flag stands, and what it means. */
export interface CpuidFeatureInfo {
  /** Its name. */
  readonly name: CpuidFeature;
  /** EAX when CPUID is called. */
  readonly leaf: number;
  /** ECX when CPUID is called. */
  readonly subleaf: number;
  /** The register of the answer. */
  readonly register: CpuidRegister;
  /** The bit in it: 0 to 31. */
  readonly bit: number;
  /** The bit's value: 1 << bit, unsigned. */
  readonly mask: number;
  /** What it says, in a few words. */
  readonly meaning: string;
}

type Tables = Readonly<Record<string, Readonly<Record<string, readonly [number, string]>>>>;

/** Plain loops: every program that imports the library waits for them. */
function flatten(all: readonly Tables[]): CpuidFeatureInfo[] {
  const features: CpuidFeatureInfo[] = [];
  for (const tables of all) {
    for (const place in tables) {
      const flags = tables[place]!;
      const parts = place.split(".");
      const leaf = Number(parts[0]);
      const subleaf = Number(parts[1]);
      const register = parts[2] as CpuidRegister;
      for (const name in flags) {
        const flag = flags[name]!;
        const bit = flag[0];
        features.push({
          name: name as CpuidFeature,
          leaf,
          subleaf,
          register,
          bit,
          mask: 2 ** bit,
          meaning: flag[1],
        });
      }
    }
  }
  return features;
}

/** All feature flags, in the order of leaves. */
export const cpuidFeatures: readonly CpuidFeatureInfo[] = flatten([
  basicFeatures,
  extendedFeatures,
  paravirtualFeatures,
]);

let byName: Map<string, CpuidFeatureInfo> | undefined;

/** The flags by name; made when one is first looked for. */
function named(): ReadonlyMap<string, CpuidFeatureInfo> {
  return byName ??= new Map(cpuidFeatures.map((feature) => [feature.name, feature]));
}

/** Other names that people know a flag by: the manuals', QEMU's. */
const aliases: Readonly<Record<string, CpuidFeature>> = {
  sse3: "pni",
  lzcnt: "abm",
  sha: "sha_ni",
  sse41: "sse4_1",
  sse42: "sse4_2",
  mwait: "monitor",
  tsc_deadline: "tsc_deadline_timer",
  xd: "nx",
  gbpages: "pdpe1gb",
  invtsc: "constant_tsc",
  nonstop_tsc: "constant_tsc",
  ibrs: "spec_ctrl",
  stibp: "intel_stibp",
  ssbd: "spec_ctrl_ssbd",
  ibpb: "amd_ibpb",
  kvmclock: "kvm_clock2",
  kvmclock_stable_bit: "kvm_clock_stable",
  kvm_hint_dedicated: "kvm_hint_realtime",
};

/**
 * A flag by its name; capitals, `-` and `.` make no difference, and the manuals' and QEMU's names
 * are known, too: `"SSE4.1"`, `"lzcnt"`, `"tsc-deadline"`.
 *
 * @throws {KvmError} ENOENT for an unknown name; its hint has those like it.
 */
export function cpuidFeature(name: string): CpuidFeatureInfo {
  const known = named().get(name);
  if (known !== undefined) return known;
  if (typeof name !== "string") {
    const hint = "A feature's name is a string";
    throw new KvmError({
      operation: `find the CPUID feature ${show(name)}`,
      errno: Errno.EINVAL,
      hint,
    });
  }
  const plain = name.trim().toLowerCase().replaceAll(/[-.]/g, "_");
  const feature = named().get(isName(aliases, plain) ? aliases[plain]! : plain);
  if (feature !== undefined) return feature;
  const near = closest(plain, [...named().keys(), ...Object.keys(aliases)]);
  throw new KvmError({
    operation: `find the CPUID feature "${name}"`,
    errno: Errno.ENOENT,
    hint: near.length === 0
      ? "Features go by their names in /proc/cpuinfo"
      : `Did you mean ${near.join(" or ")}?`,
  });
}

/** Up to three names that differ from this one by at most two letters. */
function closest(name: string, names: readonly string[]): string[] {
  const scored = names.map((other): [string, number] => [other, distance(name, other)]);
  const limit = Math.min(2, Math.floor(name.length / 3));
  const near = scored.filter(([, letters]) => letters <= limit);
  return near.sort(([, a], [, b]) => a - b).slice(0, 3).map(([other]) => other);
}

/** How many letters to change, add or leave out (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
