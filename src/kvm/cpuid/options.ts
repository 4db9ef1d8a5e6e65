/**
 * From a kind of processor to one vCPU's.
 *
 * @module
 */

import { checkNames } from "../../../ffi/mod.ts";
import type { Topology } from "../../arch/x86/mod.ts";
import { needsIrqchip } from "../../arch/x86/cpuid/mod.ts";
import type { CpuidFeatures } from "./features.ts";
import { setTopology } from "./topology.ts";

/** Which vCPU the leaves are for. */
export interface CpuidOptions {
  /** The vCPU's id, which is its APIC id; 0 by default. */
  readonly id?: number | undefined;
  /** How the machine's vCPUs are arranged; one alone by default. */
  readonly topology?: Topology | undefined;
  /**
   * Whether the VM's APICs are in the kernel, which is so by default. Without, `x2apic`,
   * `tsc_deadline_timer` and the features of KVM's that its APIC carries are left out.
   */
  readonly irqchip?: boolean | undefined;
}

/** Makes the leaves those of one vCPU. */
export function adapt<T extends CpuidFeatures>(cpuid: T, options: CpuidOptions): T {
  const names = { id: true, topology: true, irqchip: true } as const;
  checkNames("make CPUID leaves", "What says of which vCPU", options, names);
  const { id = 0, topology = {}, irqchip = true } = options;
  setTopology(cpuid, id, topology);
  return irqchip ? cpuid : cpuid.disable(...needsIrqchip);
}
