/**
 * Memory and vCPUs without KVM, for tests of what is put where.
 *
 * @module
 */

import { Mapping } from "../../ffi/mod.ts";
import type { StructInit } from "../../ffi/mod.ts";
import { type kvmRegs, type kvmSregs, MemFlag } from "../../ffi/uapi/mod.ts";
import type { LongModeVcpu, PagedModeVcpu } from "../../src/boot/mod.ts";
import type { Cpuid } from "../../src/kvm/mod.ts";
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
export class NotedVcpu implements LongModeVcpu, PagedModeVcpu {
  readonly id = 0;
  regs: StructInit<typeof kvmRegs> = {};
  sregs: StructInit<typeof kvmSregs> = {};
  readonly kvmRun = { cr8: 0n, kvmDirtyRegs: 0n };
  sets = 0;

  completeOperations(): { reason: string } {
    return { reason: "intr" };
  }

  clearEvents(): void {
    this.sets++;
  }

  resetExtendedState(): void {
    this.sets++;
  }

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

  getCpuid(): Cpuid {
    throw new Error("nothing asks for it");
  }

  setCpuid(_cpuid: Cpuid): void {
    throw new Error("nothing sets it");
  }

  getSregs(): { cr0: bigint } {
    return { cr0: this.sregs.cr0 ?? 0n };
  }
}
