/**
 * What the boot tests share: memory and vCPUs without KVM, and a run to the guest's end.
 *
 * @module
 */

import { Mapping } from "../../ffi/mod.ts";
import type { StructInit } from "../../ffi/mod.ts";
import { type kvmRegs, type kvmSregs, MemFlag } from "../../ffi/uapi/mod.ts";
import type { PagedModeVcpu } from "../../src/boot/mod.ts";
import { type ExitName, Kvm, type Vcpu } from "../../src/kvm/mod.ts";
import { GuestMemory, memoryOwner, MemorySlot } from "../../src/memory/mod.ts";

/** A slot that no VM has. */
export interface SlotShape {
  readonly guestPhysAddr: number;
  readonly size: number;
  readonly readonly?: boolean;
}

/** Guest memory that no VM has, for tests of what is put where. */
export class LooseMemory implements Disposable {
  readonly memory: GuestMemory = new GuestMemory();

  constructor(shapes: readonly SlotShape[]) {
    shapes.forEach(({ guestPhysAddr, size, readonly }, slot) => {
      const mapping = Mapping.anonymous(size, `test memory ${slot}`);
      const flags = readonly ? MemFlag.READONLY : 0;
      memoryOwner.add(this.memory, new MemorySlot({ slot, guestPhysAddr, mapping, flags }));
    });
  }

  [Symbol.dispose](): void {
    memoryOwner.close(this.memory);
  }
}

/** A vCPU that only remembers what it was set to. */
export class NotedVcpu implements PagedModeVcpu {
  regs: StructInit<typeof kvmRegs> = {};
  sregs: StructInit<typeof kvmSregs> = {};
  sets = 0;

  setRegs(regs: StructInit<typeof kvmRegs>): void {
    this.regs = regs;
    this.sets++;
  }

  setSregs(sregs: StructInit<typeof kvmSregs>): void {
    this.sregs = sregs;
    this.sets++;
  }

  setMpState(): void {
    this.sets++;
  }

  getSregs(): { cr0: bigint } {
    return { cr0: this.sregs.cr0 ?? 0n };
  }
}

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

/** A short piece of machine code, from lines of bytes whose comments are the instructions. */
export function code(...bytes: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
