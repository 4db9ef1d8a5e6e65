/**
 * How guests start: code, stack and tables into memory, registers into the vCPU, in each of the four
 * modes that an x86 processor goes through on its way up.
 *
 * @module
 */

export { type BootVcpu } from "./enter.ts";
export {
  type ExceptionLayout,
  type GuestException,
  type IdtOptions,
  readException,
} from "./exceptions.ts";
export { type FlatBoot, FlatSelector } from "./flat.ts";
export { longMode, type LongModeBoot, type LongModeVcpu, LongSelector } from "./long.ts";
export type { LongModeOptions } from "./long_plan.ts";
export type { Boot, BootOptions, GeneralRegisters } from "./options.ts";
export { pagedMode, type PagedModeBoot, type PagedModeVcpu } from "./paged.ts";
export { protectedMode } from "./protected.ts";
export { type FarAddress, realMode, type RealModeOptions } from "./real.ts";
