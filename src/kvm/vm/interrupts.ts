/**
 * A VM's interrupt controllers and timer, those that the kernel emulates.
 *
 * @module
 */

import { create, type StructOf } from "../../../ffi/mod.ts";
import { kvmIrqchip, kvmIrqLevel, kvmPitConfig, type kvmPitState2 } from "../../../ffi/uapi/mod.ts";
import { checkInteger, U32_MAX } from "../check.ts";
import { KVM } from "../ioctls.ts";
import { VmMemory } from "./memory.ts";

/** The state of one of the in-kernel interrupt controllers. */
export type IrqchipState = StructOf<typeof kvmIrqchip>;
/** The state of the in-kernel 8254 timer. */
export type PitState2 = StructOf<typeof kvmPitState2>;

/** The interrupt part of {@linkcode Vm}. */
export abstract class VmInterrupts extends VmMemory {
  /**
   * Gives the VM two 8259 PICs and an IOAPIC, and each vCPU a local APIC (KVM_CREATE_IRQCHIP). Before
   * the first vCPU. From then on a HLT waits in the kernel for an interrupt, and is no exit.
   *
   * @throws {KvmError} EEXIST the second time, EINVAL after the first vCPU.
   */
  createIrqchip(): void {
    this.handle.call(KVM.KVM_CREATE_IRQCHIP, 0, "create the interrupt controllers");
  }

  /**
   * Gives the VM an 8254 timer at ports 0x40-0x43, on IRQ 0 (KVM_CREATE_PIT2). It needs the irqchip.
   *
   * @param flags `PitConfig`: `SPEAKER_DUMMY` answers port 0x61, too.
   * @throws {KvmError} ENXIO without the irqchip, EEXIST the second time.
   */
  createPit2(flags = 0): void {
    const config = create(kvmPitConfig);
    config.flags = flags;
    this.handle.set(KVM.KVM_CREATE_PIT2, config, "create the timer");
  }

  /**
   * Sets the level of an interrupt line (KVM_IRQ_LINE).
   *
   * @param irq A GSI: an IOAPIC pin; up to 15, a PIC's pin as well.
   * @throws {KvmError} ENXIO without the irqchip.
   */
  setIrqLine(irq: number, level: boolean): void {
    const operation = `set interrupt line ${irq}`;
    checkInteger(operation, "An interrupt line", irq, 0, U32_MAX);
    const line = create(kvmIrqLevel);
    line.line.irq = irq;
    line.level = level ? 1 : 0;
    this.handle.set(KVM.KVM_IRQ_LINE, line, operation);
  }

  /** The state of a PIC or of the IOAPIC, by `Irqchip` number (KVM_GET_IRQCHIP). */
  getIrqchip(chipId: number): IrqchipState {
    const chip = create(kvmIrqchip);
    chip.chipId = chipId;
    return this.handle.get(KVM.KVM_GET_IRQCHIP, chip);
  }

  /** Sets the state of the chip that it names (KVM_SET_IRQCHIP). */
  setIrqchip(chip: IrqchipState): void {
    this.handle.set(KVM.KVM_SET_IRQCHIP, chip);
  }

  /** The timer's state (KVM_GET_PIT2). */
  getPit2(): PitState2 {
    return this.handle.get(KVM.KVM_GET_PIT2);
  }

  /** Sets the timer's state (KVM_SET_PIT2). */
  setPit2(state: PitState2): void {
    this.handle.set(KVM.KVM_SET_PIT2, state);
  }
}
