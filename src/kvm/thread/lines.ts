/**
 * Interrupt lines from any thread.
 *
 * @module
 */

import { Fd, from } from "../../../ffi/mod.ts";
import { kvmIrqLevel } from "../../../ffi/uapi/mod.ts";
import { KVM } from "../ioctls.ts";
import type { VcpuShare } from "./share.ts";

/** The interrupt lines of a VM that another thread owns. */
export class VmLines implements Disposable {
  readonly #fd: Fd;
  readonly #level = from(kvmIrqLevel, {});

  /** Makes a descriptor of its own. */
  constructor({ vmFd }: VcpuShare) {
    this.#fd = Fd.duplicate(vmFd, "VM");
  }

  /** Sets the level of a line (KVM_IRQ_LINE). */
  set(irq: number, level: boolean): void {
    this.#level.line.irq = irq;
    this.#level.level = level ? 1 : 0;
    this.#fd.set(KVM.KVM_IRQ_LINE, this.#level);
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#fd.close();
  }
}
