/**
 * What a vCPU and its user tell each other through the run page, beside exits (api.rst 5).
 *
 * @module
 */

import { Errno, type Fd, KvmError, Mapping, offsetOf, show } from "../../../ffi/mod.ts";
import { Cap, kvmRun } from "../../../ffi/uapi/mod.ts";
import type { GuestMemory } from "../../memory/mod.ts";
import { type KvmRun, RunPage } from "../exits/mod.ts";
import { VcpuParavirt } from "./paravirt.ts";
import { SyncedRegisters } from "./sync_regs.ts";

const REQUEST_INTERRUPT_WINDOW = offsetOf(kvmRun, "requestInterruptWindow");
const READY_FOR_INTERRUPT_INJECTION = offsetOf(kvmRun, "readyForInterruptInjection");
const IF_FLAG = offsetOf(kvmRun, "ifFlag");
const FLAGS = offsetOf(kvmRun, "flags");
const CR8 = offsetOf(kvmRun, "cr8");
const APIC_BASE = offsetOf(kvmRun, "apicBase");
const HIGHEST_PRIORITY = 15n;

/** What a VM gives its vCPUs. */
export interface VcpuShareInit {
  /** Bytes of the run mapping. */
  readonly mmapSize: number;
  /** What the VM says to a capability. */
  readonly check: (cap: Cap) => number;
  /** The VM's memory. */
  readonly memory: GuestMemory;
}

/** The shared part of {@linkcode Vcpu}. */
export abstract class VcpuShared extends VcpuParavirt {
  /** @internal */
  protected readonly mapping: Mapping;
  /** @internal */
  protected readonly page: RunPage;
  #syncRegs: SyncedRegisters | undefined;

  /** @internal */
  constructor(handle: Fd, { mmapSize, check, memory }: VcpuShareInit) {
    super(handle, check, memory);
    this.mapping = Mapping.shared(handle, mmapSize, `${handle.what}'s run page`);
    this.page = new RunPage(this.mapping.buffer);
  }

  /** The run page, `struct kvm_run`: each field in place. */
  get kvmRun(): KvmRun {
    return this.page.fields;
  }

  /** Registers that come and go with the run page (`Cap.SYNC_REGS`). */
  get syncRegs(): SyncedRegisters {
    return this.#syncRegs ??= new SyncedRegisters(this.page, BigInt(this.check(Cap.SYNC_REGS)));
  }

  /** Whether the guest takes interrupts, its RFLAGS.IF, as of the last exit. */
  get ifFlag(): boolean {
    return this.page.view.getUint8(IF_FLAG) !== 0;
  }

  /** Whether {@linkcode interrupt} may be called, as of the last exit; without an in-kernel irqchip. */
  get readyForInterruptInjection(): boolean {
    return this.page.view.getUint8(READY_FOR_INTERRUPT_INJECTION) !== 0;
  }

  /**
   * Asks for an `"irqWindowOpen"` exit as soon as the guest can take an interrupt, until set to false
   * again; without an in-kernel irqchip.
   */
  get requestInterruptWindow(): boolean {
    return this.page.view.getUint8(REQUEST_INTERRUPT_WINDOW) !== 0;
  }

  set requestInterruptWindow(value: boolean) {
    this.page.view.setUint8(REQUEST_INTERRUPT_WINDOW, value ? 1 : 0);
  }

  /** Where the guest was, `RunFlag`, as of the last exit. */
  get flags(): number {
    return this.page.view.getUint16(FLAGS, true);
  }

  /**
   * The guest's task priority, as of the last exit. Without an in-kernel irqchip the next run takes it
   * from here, whatever `setSregs` said: it can be set, from 0 to 15.
   */
  get cr8(): bigint {
    return this.page.view.getBigUint64(CR8, true);
  }

  set cr8(value: bigint) {
    if (typeof value !== "bigint" || value < 0n || value > HIGHEST_PRIORITY) {
      const operation = `set the task priority of ${this.handle.what} to ${show(value)}`;
      const hint = "CR8 is a bigint from 0 to 15";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.page.view.setBigUint64(CR8, value, true);
  }

  /** IA32_APIC_BASE, as of the last exit; `setSregs` sets it. */
  get apicBase(): bigint {
    return this.page.view.getBigUint64(APIC_BASE, true);
  }
}
