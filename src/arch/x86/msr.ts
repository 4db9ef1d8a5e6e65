/**
 * Numbers of model-specific registers, named as in the manuals without `IA32_` and `MSR_` (SDM
 * volume 4, "Model-Specific Registers"; AMD APM volume 2, appendix A; KVM's own:
 * Documentation/virt/kvm/x86/msr.rst).
 *
 * @module
 */

import { checkInteger, U32_MAX } from "../../../ffi/mod.ts";
import { amdMsrs } from "./msr/amd.ts";
import { commonMsrs } from "./msr/common.ts";
import { intelMsrs } from "./msr/intel.ts";
import { rowName } from "./msr/names.ts";
import { hypervMsrNumbers, kvmMsrNumbers } from "./msr/paravirtual.ts";
import { vmxMsrs } from "./msr/vmx.ts";

export { amdMsrs, commonMsrs, hypervMsrNumbers, intelMsrs, kvmMsrNumbers, vmxMsrs };

/** MSR numbers: `MSR.EFER`. Of those that come in rows (`MTRR_PHYSBASE0`...) the first. */
export const MSR:
  & typeof commonMsrs
  & typeof intelMsrs
  & typeof vmxMsrs
  & typeof amdMsrs
  & typeof kvmMsrNumbers
  & typeof hypervMsrNumbers = {
    ...commonMsrs,
    ...intelMsrs,
    ...vmxMsrs,
    ...amdMsrs,
    ...kvmMsrNumbers,
    ...hypervMsrNumbers,
  };

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(MSR).map(([name, index]) => [index, name]),
);

/**
 * An MSR's name, and for those without one the number in hexadecimal.
 *
 * @example
 * ```ts
 * import { msrName } from "@deno-kvm/kvm";
 *
 * console.log(msrName(0xc0000080)); // "EFER"
 * console.log(msrName(0x405)); // "MC1_STATUS"
 * console.log(msrName(0x1234)); // "0x1234"
 * ```
 *
 * @throws {KvmError} EINVAL for what is no number of 32 bits.
 */
export function msrName(index: number): string {
  checkInteger("name an MSR", "An MSR", index, 0, U32_MAX);
  if (index === MSR.X2APIC_FIRST) return "X2APIC_0";
  return names.get(index) ?? rowName(index) ?? `0x${index.toString(16)}`;
}
