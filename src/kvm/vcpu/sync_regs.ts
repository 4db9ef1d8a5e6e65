/**
 * Registers that come and go with the run page, without a call of their own (api.rst 5, 6.74).
 *
 * @module
 */

import { Errno, KvmError, offsetOf, type StructOf } from "../../../ffi/mod.ts";
import { kvmRegs, kvmRun, kvmSregs, kvmVcpuEvents, SyncRegs } from "../../../ffi/uapi/mod.ts";
import type { RunPage } from "../exits/mod.ts";

const VALID = offsetOf(kvmRun, "kvmValidRegs");
const DIRTY = offsetOf(kvmRun, "kvmDirtyRegs");
const REGS = offsetOf(kvmRun, "s.regs.regs");
const SREGS = offsetOf(kvmRun, "s.regs.sregs");
const EVENTS = offsetOf(kvmRun, "s.regs.events");

/**
 * A vCPU's registers on its run page. Once enabled, every exit leaves them there, and what is written
 * and marked goes to the vCPU on the next run: where each exit needs registers, it saves their calls.
 *
 * They are not those that `getRegs` reads and `setRegs` writes until the next run, or exit.
 *
 * @example
 * ```ts
 * import { Cap, guests, Kvm, longMode, SyncRegs } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 * longMode(vcpu, memory, { code: guests.hello });
 * if ((BigInt(vm.check(Cap.SYNC_REGS)) & SyncRegs.REGS) !== 0n) {
 *   const { syncRegs } = vcpu;
 *   syncRegs.enable(SyncRegs.REGS);
 *   vcpu.run();
 *   console.log(syncRegs.regs.rip);
 *   syncRegs.regs.rbx = 1n;
 *   syncRegs.markDirty(SyncRegs.REGS);
 * }
 * ```
 */
export class SyncedRegisters {
  readonly #page: RunPage;
  readonly #supported: bigint;
  #regs: StructOf<typeof kvmRegs> | undefined;
  #sregs: StructOf<typeof kvmSregs> | undefined;
  #events: StructOf<typeof kvmVcpuEvents> | undefined;

  /** @internal It is `vcpu.syncRegs`; `supported` is what KVM answers to `Cap.SYNC_REGS`. */
  constructor(page: RunPage, supported: bigint) {
    this.#page = page;
    this.#supported = supported;
    Object.freeze(this);
  }

  /** What this host's KVM can carry: `SyncRegs`. */
  get supported(): bigint {
    return this.#supported;
  }

  /** What exits leave on the page: `SyncRegs`; 0 at first. */
  get enabled(): bigint {
    return this.#page.view.getBigUint64(VALID, true);
  }

  /**
   * From the next exit on, the page holds these: `SyncRegs.REGS | SyncRegs.SREGS`; 0 ends it.
   *
   * @throws {KvmError} EOPNOTSUPP for what the host does not carry, EINVAL for what is no `SyncRegs`.
   */
  enable(registers: bigint): void {
    this.#check("have registers on the run page", registers);
    this.#page.view.setBigUint64(VALID, registers, true);
  }

  /**
   * The next run begins with these as they are on the page then. KVM clears the marks; they need not
   * be enabled.
   *
   * @throws {KvmError} EOPNOTSUPP for what the host does not carry, EINVAL for what is no `SyncRegs`.
   */
  markDirty(registers: bigint): void {
    this.#check("set registers by the run page", registers);
    const { view } = this.#page;
    view.setBigUint64(DIRTY, view.getBigUint64(DIRTY, true) | registers, true);
  }

  /** General registers, in place. */
  get regs(): StructOf<typeof kvmRegs> {
    void this.#page.view;
    return this.#regs ??= this.#page.struct(kvmRegs, REGS);
  }

  /** Special registers, in place. */
  get sregs(): StructOf<typeof kvmSregs> {
    void this.#page.view;
    return this.#sregs ??= this.#page.struct(kvmSregs, SREGS);
  }

  /** Events, in place. */
  get events(): StructOf<typeof kvmVcpuEvents> {
    void this.#page.view;
    return this.#events ??= this.#page.struct(kvmVcpuEvents, EVENTS);
  }

  #check(operation: string, registers: bigint): void {
    if (typeof registers !== "bigint" || (registers & ~SyncRegs.VALID_FIELDS) !== 0n) {
      const hint = "They are bits of SyncRegs: REGS, SREGS, EVENTS";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    if ((registers & ~this.#supported) === 0n) return;
    const hint = `This host's KVM carries 0x${
      this.#supported.toString(16)
    }: ask check(Cap.SYNC_REGS)`;
    throw new KvmError({ operation, errno: Errno.EOPNOTSUPP, hint });
  }
}
