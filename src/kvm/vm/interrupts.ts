/**
 * A VM's interrupt controllers and timer, those that the kernel emulates.
 *
 * @module
 */

import {
  bytesOf,
  checkInteger,
  checkList,
  checkObject,
  create,
  Errno,
  from,
  isView,
  show,
  type StructOf,
  U32_MAX,
} from "../../../ffi/mod.ts";
import {
  Irqchip,
  kvmIrqchip,
  kvmIrqLevel,
  kvmMsi,
  kvmPitConfig,
  type kvmPitState2,
  kvmReinjectControl,
} from "../../../ffi/uapi/mod.ts";
import { KVM } from "../ioctls.ts";
import type { MsiMessage } from "./apic_messages.ts";
import { VmParavirt } from "./paravirt.ts";
import { encodeRoutes, type GsiRoute } from "./routes.ts";

/** The state of one of the in-kernel interrupt controllers. */
export type IrqchipState = StructOf<typeof kvmIrqchip>;
/** The state of the in-kernel 8254 timer. */
export type PitState2 = StructOf<typeof kvmPitState2>;

/**
 * What became of a line that was raised: it was `"delivered"`; it was `"coalesced"` with one that the
 * guest has not taken yet; or it was `"ignored"`, since the line is masked.
 */
export type IrqLineStatus = "delivered" | "coalesced" | "ignored";

/**
 * What became of a message: it was `"delivered"`, or `"blocked"`, since the local APIC that it
 * addresses is disabled, or there is none.
 */
export type MsiStatus = "delivered" | "blocked";

/** The interrupt part of {@linkcode Vm}. */
export abstract class VmInterrupts extends VmParavirt {
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
   * @throws {KvmError} ENOENT without the irqchip, EEXIST the second time.
   */
  createPit2(flags = 0): void {
    const operation = "create the timer";
    checkInteger(operation, "The flags", flags, 0, U32_MAX);
    this.handle.set(KVM.KVM_CREATE_PIT2, from(kvmPitConfig, { flags }), operation);
  }

  /**
   * Sets the level of an interrupt line (KVM_IRQ_LINE).
   *
   * With kvm_pvm, an interrupt that the I/O APIC sends by level comes again if the line is still
   * raised when the guest takes it, though it be lowered before the end of the interrupt.
   *
   * @param irq A GSI: an IOAPIC pin; up to 15, a PIC's pin as well.
   * @throws {KvmError} ENXIO without the irqchip.
   */
  setIrqLine(irq: number, level: boolean): void {
    const operation = `set interrupt line ${show(irq)}`;
    checkInteger(operation, "An interrupt line", irq, 0, U32_MAX);
    const line = from(kvmIrqLevel, { line: { irq }, level: level ? 1 : 0 });
    this.handle.set(KVM.KVM_IRQ_LINE, line, operation);
  }

  /**
   * Sets the level of an interrupt line, and says what became of it (KVM_IRQ_LINE_STATUS;
   * `Cap.IRQ_INJECT_STATUS`). Of a line that falls, it says nothing of use.
   *
   * @param irq A GSI, as for {@linkcode setIrqLine}.
   * @throws {KvmError} ENXIO without the irqchip.
   */
  irqLineStatus(irq: number, level: boolean): IrqLineStatus {
    const operation = `set interrupt line ${show(irq)}`;
    checkInteger(operation, "An interrupt line", irq, 0, U32_MAX);
    const line = from(kvmIrqLevel, { line: { irq }, level: level ? 1 : 0 });
    this.handle.set(KVM.KVM_IRQ_LINE_STATUS, line, operation);
    const { status } = line.line;
    return status > 0 ? "delivered" : status === 0 ? "coalesced" : "ignored";
  }

  /**
   * Delivers a message-signalled interrupt at once (KVM_SIGNAL_MSI; `Cap.SIGNAL_MSI`).
   *
   * @example
   * ```ts
   * import { Kvm, msiMessage } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * vm.createIrqchip();
   * using _vcpu = vm.createVcpu(0);
   * // The guest has not enabled its local APIC.
   * console.log(vm.signalMsi(msiMessage({ vector: 0x31 }))); // "blocked"
   * ```
   *
   * @throws {KvmError} EINVAL without in-kernel local APICs, or for a message that is none.
   */
  signalMsi(message: MsiMessage): MsiStatus {
    checkObject("signal an MSI", "A message", message);
    const { addressLo, addressHi, data } = message;
    const operation = `signal the MSI of address ${show(addressLo)} and data ${show(data)}`;
    checkInteger(operation, "The address", addressLo, 0, U32_MAX);
    checkInteger(operation, "The address's high half", addressHi, 0, U32_MAX);
    checkInteger(operation, "The data", data, 0, U32_MAX);
    const msi = from(kvmMsi, { addressLo, addressHi, data });
    const result = this.handle.trySetBytes(KVM.KVM_SIGNAL_MSI, bytesOf(msi));
    if (result >= 0) return result > 0 ? "delivered" : "blocked";
    // The kernel's other answer for "nobody", -1, only happens to read as an errno.
    if (result === -Errno.EPERM) return "blocked";
    return this.handle.fail(KVM.KVM_SIGNAL_MSI, -result, operation);
  }

  /**
   * Replaces the table of where lines lead (KVM_SET_GSI_ROUTING; `Cap.IRQ_ROUTING`, which answers how
   * many routes there can be). A line without a route leads nowhere.
   *
   * @example Line 24 sends a message, and the others do what they did
   * ```ts
   * import { defaultGsiRoutes, Kvm, msiMessage } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * vm.createIrqchip();
   * vm.setGsiRouting([...defaultGsiRoutes(), { gsi: 24, msi: msiMessage({ vector: 0x31 }) }]);
   * ```
   *
   * @throws {KvmError} EINVAL without an in-kernel irqchip, for a pin that there is not, or for more
   * routes or lines than KVM takes.
   */
  setGsiRouting(routes: readonly GsiRoute[]): void {
    checkList("set interrupt routes", "What to set", routes);
    const operation = `set ${routes.length} interrupt routes`;
    const table = encodeRoutes(operation, routes);
    this.handle.set(KVM.KVM_SET_GSI_ROUTING, table, operation);
  }

  /**
   * Says which vCPU is the bootstrap processor (KVM_SET_BOOT_CPU_ID; `Cap.SET_BOOT_CPU_ID`): it starts
   * at once, and the others wait for it. vCPU 0 unless set. Before the first vCPU.
   *
   * @throws {KvmError} EBUSY after the first vCPU, EINVAL for an id that can't be.
   */
  setBootCpuId(id: number): void {
    const operation = `make vCPU ${show(id)} the bootstrap processor`;
    checkInteger(operation, "A vCPU's id", id, 0, U32_MAX);
    this.handle.call(KVM.KVM_SET_BOOT_CPU_ID, id, operation);
  }

  /**
   * Whether the timer's ticks that the guest was not ready for are delivered late, as they are by
   * default, or dropped (KVM_REINJECT_CONTROL; `Cap.REINJECT_CONTROL`).
   *
   * @throws {KvmError} ENXIO without the timer.
   */
  reinjectControl(pitReinject: boolean): void {
    const control = from(kvmReinjectControl, { pitReinject: pitReinject ? 1 : 0 });
    const operation = `${pitReinject ? "keep" : "drop"} lost ticks of the timer`;
    this.handle.set(KVM.KVM_REINJECT_CONTROL, control, operation);
  }

  /**
   * The state of a PIC or of the IOAPIC (KVM_GET_IRQCHIP): `chip.pic` or `chip.ioapic`. For the
   * entries of `redirtbl` see {@linkcode decodeRedirection}.
   *
   * @param chipId One of `Irqchip`.
   * @throws {KvmError} ENXIO without the irqchip.
   */
  getIrqchip(chipId: number, into?: IrqchipState): IrqchipState {
    const operation = `read interrupt controller ${show(chipId)}`;
    checkInteger(operation, "A controller's number", chipId, 0, Irqchip.IOAPIC);
    const chip = into ?? create(kvmIrqchip);
    if (isView(kvmIrqchip, chip)) chip.chipId = chipId;
    return this.handle.get(KVM.KVM_GET_IRQCHIP, chip, operation);
  }

  /**
   * Sets the state of the controller that it names, as {@linkcode getIrqchip} gave it
   * (KVM_SET_IRQCHIP).
   *
   * @throws {KvmError} ENXIO without the irqchip, EINVAL for what is no such state.
   */
  setIrqchip(chip: IrqchipState): void {
    this.handle.set(KVM.KVM_SET_IRQCHIP, chip, "set an interrupt controller");
  }

  /**
   * The timer's state (KVM_GET_PIT2; `Cap.PIT_STATE2`).
   *
   * @throws {KvmError} ENXIO without the timer.
   */
  getPit2(into?: PitState2): PitState2 {
    return this.handle.get(KVM.KVM_GET_PIT2, into, "read the timer");
  }

  /**
   * Sets the timer's state, as {@linkcode getPit2} gave it (KVM_SET_PIT2). Its channels start anew.
   *
   * @throws {KvmError} ENXIO without the timer, EINVAL for what is no such state.
   */
  setPit2(state: PitState2): void {
    this.handle.set(KVM.KVM_SET_PIT2, state, "set the timer");
  }
}
