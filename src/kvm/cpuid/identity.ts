/**
 * Who a list of CPUID leaves says the processor is.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../../ffi/mod.ts";
import type { CpuSignature } from "../../arch/x86/mod.ts";
import {
  cpuidFeature,
  decodeSignature,
  decodeText,
  encodeSignature,
  encodeText,
  HYPERVISOR_LEAF,
  isAmdLike,
  KVM_FEATURES_LEAF,
  KVM_SIGNATURE,
  rangeOf,
} from "../../arch/x86/cpuid/mod.ts";
import { CpuidLeaves } from "./leaves.ts";

const EXTENDED = 0x8000_0000;
const BRAND = [0x8000_0002, 0x8000_0003, 0x8000_0004] as const;
const VENDOR_LENGTH = 12;

/** The identity part of {@linkcode Cpuid}. */
export class CpuidIdentity extends CpuidLeaves {
  /** The vendor: `"GenuineIntel"`, `"AuthenticAMD"`. Exactly 12 characters; throws EINVAL else. */
  get vendor(): string {
    const { ebx = 0, ecx = 0, edx = 0 } = this.find(0) ?? {};
    return decodeText([ebx, edx, ecx]);
  }

  set vendor(vendor: string) {
    if (typeof vendor !== "string" || vendor.length !== VENDOR_LENGTH) {
      const operation = `set the vendor ${show(vendor)}`;
      const hint = `A vendor has ${VENDOR_LENGTH} characters, as "GenuineIntel" has`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    const [ebx = 0, edx = 0, ecx = 0] = encodeText("vendor", vendor, 3);
    this.set(0, { ebx, ecx, edx });
    // AMD's repeat it, Intel's have nothing there.
    const repeated = this.amdLike ? { ebx, ecx, edx } : { ebx: 0, ecx: 0, edx: 0 };
    if (this.find(EXTENDED) !== undefined) this.set(EXTENDED, repeated);
  }

  /** The brand string, 47 characters at most; empty where the host tells none. */
  get brand(): string {
    return decodeText(BRAND.flatMap((leaf) => {
      const { eax = 0, ebx = 0, ecx = 0, edx = 0 } = this.find(leaf) ?? {};
      return [eax, ebx, ecx, edx];
    }));
  }

  set brand(brand: string) {
    // The 48th byte is 0.
    const words = encodeText("brand", brand, 12, 47);
    BRAND.forEach((leaf, at) => {
      const [eax = 0, ebx = 0, ecx = 0, edx = 0] = words.slice(4 * at);
      this.set(leaf, { eax, ebx, ecx, edx });
    });
  }

  /** Family, model and stepping; throws EINVAL for what does not fit. */
  get signature(): CpuSignature {
    return decodeSignature(this.find(1)?.eax ?? 0);
  }

  set signature(signature: CpuSignature) {
    const eax = encodeSignature(signature);
    this.set(1, { eax });
    if (this.amdLike && this.find(EXTENDED + 1) !== undefined) this.set(EXTENDED + 1, { eax });
  }

  /**
   * The hypervisor's name, 12 characters at most: `"KVMKVMKVM"`; undefined if there seems to be none.
   * Setting another hides KVM's features from the guest, and undefined hides that it has a
   * hypervisor.
   */
  get hypervisor(): string | undefined {
    const entry = this.find(HYPERVISOR_LEAF);
    const { mask } = cpuidFeature("hypervisor");
    if (entry === undefined || ((this.find(1)?.ecx ?? 0) & mask) === 0) return undefined;
    return decodeText([entry.ebx, entry.ecx, entry.edx]);
  }

  set hypervisor(name: string | undefined) {
    const { mask } = cpuidFeature("hypervisor");
    const words = encodeText("hypervisor's name", name ?? "", 3);
    if (name !== this.hypervisor) {
      const others = this.entries.filter((entry) => rangeOf(entry.function) !== HYPERVISOR_LEAF);
      this.entries.splice(0, Infinity, ...others);
    }
    const ecx = this.find(1)?.ecx ?? 0;
    if (name === undefined) {
      this.mask(1, { ecx: ~mask });
      return;
    }
    this.set(1, { ecx: (ecx | mask) >>> 0 });
    const [ebx = 0, signatureEcx = 0, edx = 0] = words;
    const eax = this.find(HYPERVISOR_LEAF)?.eax ?? HYPERVISOR_LEAF;
    this.set(HYPERVISOR_LEAF, { eax, ebx, ecx: signatureEcx, edx });
    if (name === KVM_SIGNATURE) this.set(KVM_FEATURES_LEAF, {});
  }

  /** Whether it is a processor of AMD's, or one that answers as they do. */
  protected get amdLike(): boolean {
    return isAmdLike(this.vendor);
  }
}
