/**
 * What the host's KVM can do, as data.
 *
 * @module
 */

import { Cap } from "../../../ffi/uapi/mod.ts";
import { cpuidFeatures, MSR, msrName } from "../../arch/x86/mod.ts";
import { Cpuid, type CpuidEntry, type Kvm } from "../../kvm/mod.ts";
import { capMeanings } from "./cap_meanings.ts";
import { flagNames } from "./flags.ts";
import { msrMeanings } from "./msr_meanings.ts";

/** A limit. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly meaning: string;
}

/** A capability and what the host says to it. */
export interface Capability {
  /** Without `KVM_CAP_`. */
  readonly name: string;
  /** The number that KVM_CHECK_EXTENSION takes. */
  readonly number: number;
  /** The answer: 0 if the host lacks it. */
  readonly value: number;
  /** The names of the answer's bits, where it consists of such. */
  readonly flags?: readonly string[];
  readonly meaning: string;
}

/** A CPUID feature and whether KVM supports it here. */
export interface Feature {
  readonly name: string;
  /** `"0x7.1 eax[4]"`. */
  readonly place: string;
  readonly present: boolean;
  readonly meaning: string;
}

/** What guests' CPUID can be. */
export interface CpuidInfo {
  readonly vendor: string;
  readonly brand: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly maxLeaf: number;
  readonly features: readonly Feature[];
  /** What KVM emulates although the host lacks it. */
  readonly emulated: readonly string[];
  readonly entries: readonly CpuidEntry[];
}

/** An MSR. */
export interface Msr {
  readonly name: string;
  readonly index: number;
  /**
   * Listed by KVM as part of a vCPU's state, as a feature of the host's, as both, or not at all: it
   * may be there all the same, as EFER is.
   */
  readonly kind: "state" | "feature" | "state, feature" | "unlisted";
  /** A feature's value, in hexadecimal. */
  readonly value?: string;
  readonly meaning: string;
}

/** The host's KVM; a section that was not asked for is not there. */
export interface HostInfo {
  readonly device: string;
  readonly apiVersion: number;
  limits?: Limit[];
  capabilities?: Capability[];
  cpuid?: CpuidInfo;
  msrs?: Msr[];
}

/** The sections, in the order in which they are shown. */
export const sections = ["limits", "capabilities", "cpuid", "msrs"] as const;
/** The name of a section. */
export type Section = (typeof sections)[number];

/** Asks the host; `all` also for what it lacks. */
export function collect(
  kvm: Kvm,
  device: string,
  wanted: readonly Section[],
  all: boolean,
): HostInfo {
  const info: HostInfo = { device, apiVersion: kvm.apiVersion };
  if (wanted.includes("limits")) info.limits = limits(kvm);
  if (wanted.includes("capabilities")) info.capabilities = capabilities(kvm, all);
  if (wanted.includes("cpuid")) info.cpuid = cpuid(kvm, all);
  if (wanted.includes("msrs")) info.msrs = msrs(kvm, all);
  return info;
}

function limits(kvm: Kvm): Limit[] {
  const addressBits = (Cpuid.host(kvm).find(0x8000_0008)?.eax ?? 0) & 255;
  const values: [string, number, string][] = [
    ["recommendedVcpus", kvm.recommendedVcpus, "vCPUs that a VM should have at most"],
    ["maxVcpus", kvm.maxVcpus, "vCPUs that a VM can have"],
    ["maxVcpuId", kvm.maxVcpuId, "vCPU ids are below this"],
    ["vcpuMmapSize", kvm.vcpuMmapSize, "bytes of a vCPU's run page and what follows it"],
    ["maxMemorySlots", kvm.maxMemorySlots, "memory slots that a VM can have"],
    ["physicalAddressBits", addressBits, "bits of a guest-physical address"],
    ["irqRoutes", kvm.check(Cap.IRQ_ROUTING), "interrupt routes that a VM can have"],
    ["mceBanks", kvm.check(Cap.MCE), "machine-check banks that a vCPU can have"],
    ["xsaveSize", kvm.check(Cap.XSAVE2), "bytes of a vCPU's extended state"],
    ["dirtyRingSize", kvm.check(Cap.DIRTY_LOG_RING), "bytes of the largest dirty ring"],
  ];
  return values.map(([name, value, meaning]) => ({ name, value, meaning }));
}

function capabilities(kvm: Kvm, all: boolean): Capability[] {
  return Object.entries(Cap)
    .map(([name, number]): Capability => {
      const value = kvm.check(number);
      const flags = value > 0 ? flagNames(number, value) : undefined;
      const meaning = capMeanings[name] ?? "";
      return { name, number, value, ...(flags === undefined ? {} : { flags }), meaning };
    })
    .filter(({ value }) => all || value > 0);
}

function cpuid(kvm: Kvm, all: boolean): CpuidInfo {
  const supported = kvm.getSupportedCpuid();
  const features = cpuidFeatures.map(({ name, leaf, subleaf, register, bit, meaning }): Feature => {
    const where = `0x${leaf.toString(16)}${subleaf === 0 ? "" : `.${subleaf}`}`;
    const place = `${where} ${register}[${bit}]`;
    return { name, place, present: supported.has(name), meaning };
  });
  return {
    vendor: supported.vendor,
    brand: supported.brand,
    ...supported.signature,
    maxLeaf: supported.maxLeaf,
    features: features.filter(({ present }) => all || present),
    emulated: kvm.getEmulatedCpuid().features,
    entries: supported.entries,
  };
}

function msrs(kvm: Kvm, all: boolean): Msr[] {
  const state = new Set(kvm.getMsrIndexList());
  const features = new Set(kvm.getMsrFeatureIndexList());
  const known = all ? Object.values<number>(MSR) : [];
  const indices = [...new Set([...state, ...features, ...known])].sort((a, b) => a - b);
  return indices.map((index) => {
    const kinds = [state.has(index) && "state", features.has(index) && "feature"];
    const kind = (kinds.filter(Boolean).join(", ") || "unlisted") as Msr["kind"];
    const name = msrName(index);
    const value = features.has(index) ? { value: hex(kvm.getMsrs([index])[0]!) } : {};
    return { name, index, kind, ...value, meaning: msrMeanings[name] ?? "" };
  });
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
