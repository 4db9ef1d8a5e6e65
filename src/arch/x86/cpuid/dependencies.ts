/**
 * Which features make no sense without others (SDM volume 1, the chapters "Programming with ...";
 * Linux keeps such a list in arch/x86/kernel/cpu/cpuid-deps.c).
 *
 * @module
 */

import type { CpuidFeature } from "./features.ts";

/** A feature, and those that can't be without it. */
const dependents: readonly (readonly [CpuidFeature, readonly CpuidFeature[]])[] = [
  ["apic", ["x2apic", "tsc_deadline_timer"]],
  ["tsc", ["tsc_deadline_timer", "tsc_adjust", "rdtscp", "constant_tsc"]],
  ["pae", ["lm", "nx"]],
  ["mmx", ["mmxext", "3dnow"]],
  ["3dnow", ["3dnowext"]],
  ["fxsr", ["sse", "fxsr_opt", "mmxext"]],
  ["sse", ["sse2"]],
  ["sse2", ["pni", "pclmulqdq", "aes", "sha_ni", "gfni", "xsave"]],
  ["pni", ["ssse3", "sse4a"]],
  ["ssse3", ["sse4_1"]],
  ["sse4_1", ["sse4_2"]],
  ["xsave", ["osxsave", "xsaveopt", "xsavec", "xgetbv1", "avx", "pku", "mpx", "xsaveerptr"]],
  ["xsavec", ["xsaves"]],
  ["xsaves", ["xfd", "shstk", "ibt", "arch_lbr"]],
  ["xfd", ["amx_tile"]],
  ["pku", ["ospke"]],
  ["avx", ["avx2", "fma", "f16c", "fma4", "xop", "vaes", "vpclmulqdq", "sha512", "sm3", "sm4"]],
  ["avx2", ["avx512f", "avx_vnni", "avx_ifma", "avx_vnni_int8", "avx_vnni_int16"]],
  ["avx2", ["avx_ne_convert", "avx10"]],
  ["avx512f", ["avx512cd", "avx512er", "avx512pf", "avx512dq", "avx512bw", "avx512vl"]],
  ["avx512f", ["avx512ifma", "avx512_vnni", "avx512_vpopcntdq", "avx512_4vnniw"]],
  ["avx512f", ["avx512_4fmaps", "avx512_vp2intersect"]],
  ["avx512bw", ["avx512vbmi", "avx512_vbmi2", "avx512_bitalg", "avx512_bf16", "avx512_fp16"]],
  ["avx10", ["avx10_128", "avx10_256", "avx10_512"]],
  ["amx_tile", ["amx_int8", "amx_bf16", "amx_fp16", "amx_complex"]],
  ["sgx", ["sgx_lc", "sgx1", "sgx2", "sgx_edeccssa"]],
  ["sgx1", ["sgx2"]],
  ["rtm", ["tsxldtrk"]],
  ["npt", ["gmet"]],
  ["sev", ["sev_es"]],
  ["sev_es", ["sev_snp"]],
  ["sev_snp", ["vmpl"]],
];

/** The other way round; made when it is first asked for. */
let needs: Map<CpuidFeature, CpuidFeature[]> | undefined;

function invert(): Map<CpuidFeature, CpuidFeature[]> {
  const needs = new Map<CpuidFeature, CpuidFeature[]>();
  for (const [feature, others] of dependents) {
    for (const other of others) needs.set(other, [...needs.get(other) ?? [], feature]);
  }
  return needs;
}

/** The features that this one makes no sense without; those may have such of their own. */
export function featureNeeds(feature: CpuidFeature): readonly CpuidFeature[] {
  needs ??= invert();
  return needs.get(feature) ?? [];
}

/**
 * State that XSAVE handles, by bit of XCR0, and the feature it is for (SDM volume 1, "XSAVE-Supported
 * Features and State-Component Bitmaps").
 */
export const stateOf: readonly (readonly [bit: number, feature: CpuidFeature])[] = [
  [2, "avx"],
  [3, "mpx"],
  [4, "mpx"],
  [5, "avx512f"],
  [6, "avx512f"],
  [7, "avx512f"],
  [9, "pku"],
  [17, "amx_tile"],
  [18, "amx_tile"],
];
