/**
 * A list of CPUID leaves, by feature.
 *
 * @module
 */

import type { CpuidFeature, CpuidFeatureName } from "../../arch/x86/mod.ts";
import {
  cpuidFeature,
  cpuidFeatures,
  featureNeeds,
  KVM_FEATURES_LEAF,
  KVM_SIGNATURE,
  stateOf,
} from "../../arch/x86/cpuid/mod.ts";
import { CpuidIdentity } from "./identity.ts";

/** Leaf 1's EDX bits that AMD repeats in leaf 0x80000001. */
const REPEATED = 0x0183_f3ff;
/** What XSAVE handles: a bit of EAX, and a subleaf, for each kind of state. */
const XSTATE_LEAF = 0xd;

/** The feature part of {@linkcode Cpuid}. */
export class CpuidFeatures extends CpuidIdentity {
  /**
   * Whether a feature is there, by its name in /proc/cpuinfo or the manuals'.
   *
   * @throws {KvmError} ENOENT for an unknown name.
   */
  has(feature: CpuidFeatureName): boolean {
    const { leaf, subleaf, register, mask } = cpuidFeature(feature);
    return ((this.find(leaf, subleaf)?.[register] ?? 0) & mask) !== 0;
  }

  /** The features that are there, in the order of leaves. */
  get features(): CpuidFeature[] {
    return cpuidFeatures.map(({ name }) => name).filter((name) => this.has(name));
  }

  /**
   * Sets features' bits. Whether KVM supports them is not looked at; `Cpuid.fromModel` does. KVM
   * itself keeps `apic`, `osxsave` and `ospke` in step with the guest's registers.
   *
   * @throws {KvmError} ENOENT for an unknown name.
   */
  enable(...features: CpuidFeatureName[]): this {
    for (const feature of features) this.#change(feature, true);
    return this;
  }

  /**
   * Clears features' bits, and no others: {@linkcode prune} clears those that need them.
   *
   * @throws {KvmError} ENOENT for an unknown name.
   */
  disable(...features: CpuidFeatureName[]): this {
    for (const feature of features) this.#change(feature, false);
    return this;
  }

  /**
   * Clears features that need one that is off (`avx2` needs `avx`), and the extended state of
   * features that are off. Returns the features cleared.
   */
  prune(): CpuidFeature[] {
    const cleared: CpuidFeature[] = [];
    for (let before = -1; before < cleared.length;) {
      before = cleared.length;
      for (const feature of this.features) {
        if (featureNeeds(feature).every((needed) => this.has(needed))) continue;
        this.disable(feature);
        cleared.push(feature);
      }
    }
    for (const [bit, feature] of stateOf) {
      if (this.has(feature)) continue;
      this.mask(XSTATE_LEAF, { eax: ~(1 << bit) });
      this.remove(XSTATE_LEAF, bit);
    }
    return cleared;
  }

  #change(name: string, on: boolean): void {
    const { leaf, subleaf, register, mask } = cpuidFeature(name);
    const bits = this.find(leaf, subleaf)?.[register] ?? 0;
    if (on !== ((bits & mask) !== 0)) {
      // Without KVM's name a guest does not look for its features.
      if (leaf === KVM_FEATURES_LEAF && on) this.hypervisor = KVM_SIGNATURE;
      this.set(leaf, { [register]: (bits ^ mask) >>> 0 }, subleaf);
    }
    if (leaf !== 1 || register !== "edx" || (mask & REPEATED) === 0) return;
    const extended = this.find(0x8000_0001);
    if (extended === undefined || (on && !this.amdLike)) return;
    extended.edx = (on ? extended.edx | mask : extended.edx & ~mask) >>> 0;
  }
}
