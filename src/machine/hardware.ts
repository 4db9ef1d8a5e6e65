/**
 * The VM of a machine: memory, the kernel's interrupt controllers and timer, vCPUs.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import { Irqchip, PitConfig } from "../../ffi/uapi/mod.ts";
import type { InterruptLine } from "../devices/mod.ts";
import { IO_APIC_PINS, Irq, PIT_PIN } from "../firmware/layout/mod.ts";
import type { MemoryMap } from "../firmware/mod.ts";
import {
  Cpuid,
  type CpuidSource,
  defaultGsiRoutes,
  type GsiRoute,
  type Kvm,
  type Vcpu,
  type Vm,
} from "../kvm/mod.ts";
import type { GsiLines } from "./board.ts";
import { PowerOnState } from "./power_on.ts";

/** A machine without devices. */
export interface Hardware {
  /** The VM, which owns the rest. */
  readonly vm: Vm;
  /** Its vCPUs. */
  readonly vcpus: readonly Vcpu[];
  /** What CPUID says on the first one. */
  readonly cpuid: Cpuid;
  /** How to get back to where they are now. */
  readonly powerOn: PowerOnState;
}

/** @throws {KvmError} EINVAL for more vCPUs than KVM takes. */
export function checkCpus(kvm: Kvm, cpus: number): void {
  if (cpus <= kvm.maxVcpus) return;
  const hint = `KVM takes ${kvm.maxVcpus} at most on this host`;
  throw new KvmError({ operation: `make ${cpus} vCPUs`, errno: Errno.EINVAL, hint });
}

/**
 * Creates it.
 *
 * @param model The CPU model, see `Cpuid.fromModel`.
 * @throws {KvmError} as the calls that it makes.
 */
export function createHardware(kvm: Kvm, map: MemoryMap, cpus: number, model: string): Hardware {
  const source = remembering(kvm);
  const cpuids = Array.from(
    { length: cpus },
    (_, id) => Cpuid.fromModel(source, model, { id, topology: { cores: cpus } }),
  );
  const vm = kvm.createVm();
  try {
    for (const slot of map.slots) vm.addMemory({ ...slot, hugePages: "transparent" });
    vm.createIrqchip();
    vm.setGsiRouting(boardRoutes());
    vm.createPit2(PitConfig.SPEAKER_DUMMY);
    const vcpus = cpuids.map((cpuid, id) => {
      const vcpu = vm.createVcpu(id);
      vcpu.setCpuid(cpuid);
      return vcpu;
    });
    return { vm, vcpus, cpuid: cpuids[0]!, powerOn: new PowerOnState(kvm, vm, vcpus) };
  } catch (error) {
    vm.close();
    throw error;
  }
}

/** What KVM says of the host's CPUID, asked once: it takes longer than all that is made of it. */
function remembering(kvm: Kvm): CpuidSource {
  const supported = kvm.getSupportedCpuid();
  const emulated = kvm.getEmulatedCpuid();
  return {
    getSupportedCpuid: () => supported.clone(),
    getEmulatedCpuid: () => emulated.clone(),
    check: (cap) => kvm.check(cap),
  };
}

/**
 * A PC's wiring, which the firmware tables tell of: the PIT comes in at the I/O APIC's pin 2, and line
 * 2 leads nowhere, for there the PICs are cascaded.
 */
function boardRoutes(): GsiRoute[] {
  return defaultGsiRoutes()
    .filter(({ gsi }) => gsi !== PIT_PIN)
    .map((route) =>
      route.gsi === Irq.PIT && "irqchip" in route && route.irqchip.irqchip === Irqchip.IOAPIC
        ? { gsi: Irq.PIT, irqchip: { ...route.irqchip, pin: PIT_PIN } }
        : route
    );
}

/** The lines of the board's devices. */
export function linesOf(vm: Vm): GsiLines {
  return {
    set: (gsi, level) => {
      // A device may do so at any time; whoever resumes the machine hears that its VM is closed.
      if (!vm.closed) vm.setIrqLine(gsi, level);
    },
  };
}

/**
 * An interrupt line by its GSI.
 *
 * @throws {KvmError} EINVAL for one that no pin has: KVM would take it, and have it lead nowhere.
 */
export function lineOf(vm: Vm, gsi: number): InterruptLine {
  if (Number.isInteger(gsi) && gsi >= 0 && gsi < IO_APIC_PINS && gsi !== PIT_PIN) {
    return {
      set: (level) => {
        if (typeof level === "boolean") return vm.setIrqLine(gsi, level);
        const hint = "A level is true or false";
        const operation = `set interrupt line ${gsi} to ${show(level)}`;
        throw new KvmError({ operation, errno: Errno.EINVAL, hint });
      },
    };
  }
  const hint = `GSIs are 0 to ${IO_APIC_PINS - 1}: the ISA interrupts up to 15 but for ` +
    `${PIT_PIN}, where the PICs are cascaded, and the I/O APIC's other pins`;
  throw new KvmError({ operation: `use interrupt line ${show(gsi)}`, errno: Errno.EINVAL, hint });
}
