/**
 * The names that the x86 manuals give to bits, registers, vectors and tables, and the tables
 * themselves.
 *
 * @module
 */

export { CR0, CR4, EFER, XCR0 } from "./control_registers.ts";
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
export { MSR } from "./msr.ts";
export {
  CANONICAL_END,
  IdentityMap,
  PAGE_BYTES,
  pageDirectory32,
  PageEntry,
  type PageSize,
  TABLE_BYTES,
} from "./paging.ts";
export { RFLAGS } from "./rflags.ts";
export { encodeTss, TSS_BYTES, type TssStacks } from "./tss.ts";
export {
  EXCEPTION_VECTORS,
  hasErrorCode,
  PageFault,
  Vector,
  vectorName,
  VECTORS,
} from "./vectors.ts";
