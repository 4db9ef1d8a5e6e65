/**
 * CPUID's leaves and feature flags by name, and what they are made of.
 *
 * @module
 */

export { basicFeatures } from "./basic.ts";
export { featureNeeds, stateOf } from "./dependencies.ts";
export { extendedFeatures } from "./extended.ts";
export {
  type CpuidFeature,
  cpuidFeature,
  type CpuidFeatureInfo,
  type CpuidFeatureName,
  cpuidFeatures,
  type CpuidRegister,
  type MemberOf,
} from "./features.ts";
export {
  type CpuSignature,
  decodeSignature,
  decodeText,
  encodeSignature,
  encodeText,
  isAmdLike,
} from "./identity.ts";
export { countsSubleaves, cpuidLeafName, hasSubleaves, rangeOf } from "./leaves.ts";
export { type CpuModel, parseCpuModel } from "./model.ts";
export {
  HYPERVISOR_LEAF,
  KVM_FEATURES_LEAF,
  KVM_SIGNATURE,
  needsIrqchip,
  paravirtualFeatures,
} from "./paravirtual.ts";
export { apicIdOf, type Topology, type TopologyLayout, topologyLayout } from "./topology.ts";
