/**
 * What happens to a vCPU: interrupts, exceptions, NMI, SMI, machine checks, and signals of its
 * thread.
 *
 * @module
 */

import {
  assign,
  bytesOf,
  checkInteger,
  checkU64,
  Errno,
  from,
  isView,
  KvmError,
  listOf,
  show,
  type StructInit,
  type StructOf,
  U32_MAX,
} from "../../../ffi/mod.ts";
import {
  Cap,
  kvmInterrupt,
  kvmSignalMask,
  kvmVcpuEvents,
  kvmX86Mce,
} from "../../../ffi/uapi/mod.ts";
import { CR0, EXCEPTION_VECTORS, hasErrorCode, NMI_VECTOR, VECTORS } from "../../arch/x86/mod.ts";
import { KVM } from "../ioctls.ts";
import { VcpuState } from "./state.ts";

/** What is pending or about to be delivered. */
export type VcpuEventState = StructOf<typeof kvmVcpuEvents>;

/** Signals are numbered from 1 to this. */
const SIGNALS = 64;
const SIGSET_BYTES = SIGNALS / 8;

/** The event part of {@linkcode Vcpu}. */
export abstract class VcpuEvents extends VcpuState {
  /** What is pending or about to be delivered (KVM_GET_VCPU_EVENTS). */
  getVcpuEvents(into?: VcpuEventState): VcpuEventState {
    return this.handle.get(KVM.KVM_GET_VCPU_EVENTS, into);
  }

  /**
   * Sets what is pending or about to be delivered (KVM_SET_VCPU_EVENTS); what is not given stays as
   * it is. `flags` says which of the optional fields count, see `VcpuEventFlag`.
   *
   * @throws {KvmError} EINVAL for flags of a capability that the VM has not enabled.
   */
  setVcpuEvents(events: VcpuEventState | StructInit<typeof kvmVcpuEvents>): void {
    const all = isView(kvmVcpuEvents, events) ? events : assign(this.getVcpuEvents(), events);
    this.handle.set(KVM.KVM_SET_VCPU_EVENTS, all, `set events of ${this.handle.what}`);
  }

  /**
   * Takes back all that is pending or about to be delivered, and leaves handlers of NMIs and SMIs
   * (KVM_SET_VCPU_EVENTS). What waits in interrupt controllers stays there. Without `Cap.VCPU_EVENTS`
   * it does nothing.
   *
   * @example
   * ```ts
   * import { guests, Kvm, longMode, Vector } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.halt });
   * vcpu.injectException(Vector.GP);
   * vcpu.clearEvents();
   * console.log(vcpu.run().reason); // "hlt"
   * ```
   */
  clearEvents(): void {
    if (this.check(Cap.VCPU_EVENTS) === 0) return;
    const events = this.getVcpuEvents();
    // Those that KVM has told count, and no field that the VM has not asked for.
    const { flags } = events;
    events.flags = 0;
    const bytes = bytesOf(events);
    if (bytes.every((byte) => byte === 0)) return;
    bytes.fill(0);
    events.flags = flags;
    this.handle.set(KVM.KVM_SET_VCPU_EVENTS, events, `clear events of ${this.handle.what}`);
  }

  /**
   * Delivers an exception on the next entry, through the guest's IDT (KVM_SET_VCPU_EVENTS): instead
   * of one that was about to be delivered. RIP and, for #PF, CR2 are for the caller to set before.
   *
   * @param vector 0 to 31, but 2: see {@linkcode nmi}.
   * @param errorCode What the processor pushes. By default 0 for the exceptions that have one, none
   * for the others and in real mode.
   *
   * @example
   * ```ts
   * import { Kvm, longMode, readException, Vector } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 64 << 10 });
   * using vcpu = vm.createVcpu(0);
   * const boot = longMode(vcpu, memory, { code: Uint8Array.of(0x90), idt: true });
   * vcpu.injectException(Vector.GP, 0x18);
   * vcpu.run();
   * console.log(readException(memory, boot)?.errorCode); // 24
   * ```
   *
   * @throws {KvmError} EINVAL for a vector that is no exception's.
   */
  injectException(vector: number, errorCode?: number): void {
    const operation = `inject exception ${show(vector)} into ${this.handle.what}`;
    checkInteger(operation, "An exception's vector", vector, 0, EXCEPTION_VECTORS - 1);
    if (vector === NMI_VECTOR) {
      throw new KvmError({
        operation,
        errno: Errno.EINVAL,
        hint: "Vector 2 is the NMI: use nmi()",
      });
    }
    let code = errorCode;
    if (code !== undefined) checkInteger(operation, "An error code", code, 0, U32_MAX);
    else if (hasErrorCode(vector) && (this.getSregs().cr0 & CR0.PE) !== 0n) code = 0;
    this.setVcpuEvents({
      exception: {
        injected: 1,
        pending: 0,
        nr: vector,
        hasErrorCode: code === undefined ? 0 : 1,
        errorCode: code ?? 0,
      },
      exceptionHasPayload: 0,
    });
  }

  /**
   * Queues an external interrupt, where interrupt controllers are in user space (KVM_INTERRUPT). It
   * may be called while `readyForInterruptInjection`; setting `requestInterruptWindow` makes `run`
   * return `"irqWindowOpen"` as soon as that is so.
   *
   * @example
   * ```ts
   * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.interrupt });
   * vcpu.run(); // until HLT
   * vcpu.interrupt(0x30);
   * console.log(vcpu.run().reason); // "io": the handler reports
   * ```
   *
   * @throws {KvmError} EINVAL for a vector above 255, EEXIST if the last one was not taken yet, ENXIO
   * with an in-kernel irqchip.
   */
  interrupt(vector: number): void {
    const operation = `interrupt ${this.handle.what}`;
    checkInteger(operation, "A vector", vector, 0, VECTORS - 1);
    this.handle.set(KVM.KVM_INTERRUPT, from(kvmInterrupt, { irq: vector }), operation);
  }

  /** Queues a non-maskable interrupt (KVM_NMI): vector 2 of the guest's IDT. */
  nmi(): void {
    this.handle.call(KVM.KVM_NMI, 0, `send an NMI to ${this.handle.what}`);
  }

  /**
   * Queues a system-management interrupt (KVM_SMI).
   *
   * @throws {KvmError} ENOTTY on hosts without `Cap.X86_SMM`.
   */
  smi(): void {
    this.handle.call(KVM.KVM_SMI, 0, `send an SMI to ${this.handle.what}`);
  }

  /**
   * Gives the vCPU its machine-check banks (KVM_X86_SETUP_MCE).
   *
   * @param mcgCap IA32_MCG_CAP: the number of banks in its low byte, and features of those that
   * `kvm.getMceCapSupported` has.
   * @throws {KvmError} EINVAL for no bank or more than `vm.check(Cap.MCE)`, or for other features.
   */
  setupMce(mcgCap: bigint): void {
    const operation = `set up machine checks of ${this.handle.what}`;
    checkU64(operation, "MCG_CAP", mcgCap);
    const bytes = new Uint8Array(new BigUint64Array([mcgCap]).buffer);
    this.handle.setBytes(KVM.KVM_X86_SETUP_MCE, bytes, operation);
  }

  /**
   * Reports a machine check (KVM_X86_SET_MCE): the bank gets its values, and with the uncorrected bit
   * of `status` (bit 61) the guest a #MC, if it has CR4.MCE set, else a triple fault.
   *
   * @throws {KvmError} EINVAL for a bank that `setupMce` did not make, or without the valid bit of
   * `status` (bit 63).
   */
  setMce(mce: StructOf<typeof kvmX86Mce> | StructInit<typeof kvmX86Mce>): void {
    const all = isView(kvmX86Mce, mce) ? mce : from(kvmX86Mce, mce);
    this.handle.set(KVM.KVM_X86_SET_MCE, all, `report a machine check to ${this.handle.what}`);
  }

  /**
   * The signals that are blocked while the guest runs (KVM_SET_SIGNAL_MASK): one that is blocked
   * otherwise but not here ends the run. It replaces the thread's own set meanwhile; without an
   * argument that one is used again. `interruptAfter`, `timeout` and kicks work by real-time signals
   * and by a byte: a run that blocks all of them is ended by none.
   *
   * @throws {KvmError} EINVAL for what is no signal's number, 1 to 64.
   */
  setSignalMask(signals?: Iterable<number>): void {
    const operation = `set the signal mask of ${this.handle.what}`;
    if (signals === undefined) {
      this.handle.call(KVM.KVM_SET_SIGNAL_MASK, 0, operation);
      return;
    }
    const mask = from(kvmSignalMask, { len: SIGSET_BYTES }, SIGSET_BYTES);
    for (const signal of listOf(operation, "What is blocked", signals, SIGNALS)) {
      checkInteger(operation, "A signal", signal, 1, SIGNALS);
      mask.sigset[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7);
    }
    this.handle.set(KVM.KVM_SET_SIGNAL_MASK, mask, operation);
  }
}
