/**
 * From a CPU model's text to leaves.
 *
 * @module
 */

import { Errno, KvmError } from "../../../ffi/mod.ts";
import { type CpuModel, parseCpuModel } from "../../arch/x86/mod.ts";
import { needsIrqchip } from "../../arch/x86/cpuid/mod.ts";
import type { CpuidFeatures } from "./features.ts";
import type { CpuidOptions } from "./options.ts";

/** Makes the changes that a CPU model wants to what it starts from. */
export function applyModel<T extends CpuidFeatures>(
  text: string,
  start: (base: CpuModel["base"]) => T,
  offered: readonly CpuidFeatures[],
  options: CpuidOptions,
): T {
  const model = parseCpuModel(text);
  const refuse = (operation: string, hint: string) =>
    new KvmError({ operation, errno: Errno.EOPNOTSUPP, hint });
  const without: readonly string[] = options.irqchip === false ? needsIrqchip : [];
  for (const feature of model.enable) {
    const operation = `turn the CPU feature "${feature}" on`;
    if (without.includes(feature)) throw refuse(operation, "It needs in-kernel APICs");
    if (offered.some((cpuid) => cpuid.has(feature))) continue;
    throw refuse(operation, "KVM does not support it on this host: kvm.getSupportedCpuid()");
  }
  const cpuid = start(model.base).enable(...model.enable).disable(...model.disable);
  if (model.disable.length > 0) {
    const lost = cpuid.prune().find((feature) => model.enable.includes(feature));
    if (lost !== undefined) {
      const hint = "It needs one that the model turns off, or that the host lacks";
      throw refuse(`turn the CPU feature "${lost}" on`, hint);
    }
  }
  if (model.vendor !== undefined) cpuid.vendor = model.vendor;
  if (model.brand !== undefined) cpuid.brand = model.brand;
  const { family, model: number, stepping } = cpuid.signature;
  cpuid.signature = {
    family: model.family ?? family,
    model: model.model ?? number,
    stepping: model.stepping ?? stepping,
  };
  return model.maxLeaf === undefined ? cpuid : cpuid.limit(model.maxLeaf);
}
