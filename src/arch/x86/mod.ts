/**
 * The names that the x86 manuals give to bits, registers, vectors and tables, and the tables
 * themselves.
 *
 * @module
 */

export {
  BREAKPOINT_SLOTS,
  type DebugRegisters,
  decodeBreakpoints,
  decodeDr6,
  DR6,
  DR7,
  encodeBreakpoints,
  type HardwareBreakpoint,
} from "./debug_registers.ts";
export { CR0, CR4, EFER, XCR0 } from "./control_registers.ts";
export {
  apicIdOf,
  basicFeatures,
  type CpuidFeature,
  cpuidFeature,
  type CpuidFeatureInfo,
  type CpuidFeatureName,
  cpuidFeatures,
  cpuidLeafName,
  type CpuidRegister,
  type CpuModel,
  type CpuSignature,
  extendedFeatures,
  type MemberOf,
  paravirtualFeatures,
  parseCpuModel,
  type Topology,
} from "./cpuid/mod.ts";
export {
  codeSegment32,
  codeSegment64,
  dataSegment,
  decodeDescriptor,
  decodeSystemDescriptor,
  encodeDescriptor,
  encodeSystemDescriptor,
  realModeSegment,
  type SegmentState,
  SegmentType,
  selector,
  SystemType,
  taskRegister,
  unusableSegment,
} from "./descriptors.ts";
export { decodeGate, encodeGate, type Gate, GATE_BYTES, interruptGate } from "./gates.ts";
export {
  LAPIC,
  type LapicBank,
  type LapicRegister,
  LapicRegisters,
  LVT,
  SVR_ENABLE,
} from "./lapic.ts";
export {
  amdMsrs,
  commonMsrs,
  hypervMsrNumbers,
  intelMsrs,
  kvmMsrNumbers,
  MSR,
  msrName,
  vmxMsrs,
} from "./msr.ts";
export {
  CANONICAL_END,
  IdentityMap,
  PAGE_BYTES,
  pageDirectory32,
  PageEntry,
  type PageSize,
  PHYSICAL_END,
  TABLE_BYTES,
} from "./paging.ts";
export {
  type PageWalk,
  type PageWalkFault,
  type PageWalkStep,
  type PagingMode,
  pagingMode,
  type PagingState,
  type PhysicalMemory,
  walkPages,
} from "./page_walk.ts";
export { RFLAGS } from "./rflags.ts";
export { encodeTss, TSS_BYTES, type TssStacks } from "./tss.ts";
export {
  EXCEPTION_VECTORS,
  hasErrorCode,
  NMI_VECTOR,
  PageFault,
  Vector,
  vectorName,
  VECTORS,
} from "./vectors.ts";
export {
  type CpuidLeaf,
  XsaveArea,
  type XsaveComponent,
  type XsaveImage,
  type XsaveRegister,
} from "./xsave.ts";
