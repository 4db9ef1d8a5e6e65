/**
 * What the boot tests share: a VM, and a run to the guest's end.
 *
 * @module
 */

import { type ExitName, Kvm, type Vcpu } from "../../src/kvm/mod.ts";
import type { GuestMemory } from "../../src/memory/mod.ts";

/** A VM with memory and one vCPU. */
export class Machine implements Disposable {
  readonly #kvm = Kvm.open();
  readonly vm = this.#kvm.createVm();
  readonly vcpu: Vcpu = this.vm.createVcpu(0);

  constructor(size = 64 << 10, guestPhysAddr = 0) {
    this.vm.addMemory({ size, guestPhysAddr });
    this.vcpu.setCpuid(this.#kvm.getSupportedCpuid());
  }

  get memory(): GuestMemory {
    return this.vm.memory;
  }

  /** Runs to the first exit that is no IN or OUT, or to a port; what went to the serial port. */
  run(untilPort?: number): { reason: ExitName; text: string } {
    let text = "";
    for (;;) {
      const exit = this.vcpu.run();
      if (exit.reason !== "io" || exit.port === untilPort) return { reason: exit.reason, text };
      if (exit.direction === "in") exit.value = 0x8765_4321;
      else if (exit.port === SERIAL) text += new TextDecoder().decode(exit.data);
    }
  }

  [Symbol.dispose](): void {
    this.vm.close();
    this.#kvm.close();
  }
}

const SERIAL = 0x3f8;
