/**
 * Runs a vCPU that another thread owns.
 *
 * @module
 */

import { Errno, Fd, Kickable, type KickHandle, Mapping } from "../../../ffi/mod.ts";
import { completeRun, mayBePending } from "../completion.ts";
import { type Exit, ExitDecoder, RunPage } from "../exits/mod.ts";
import { KVM } from "../ioctls.ts";
import type { VcpuShare } from "./share.ts";

const KVM_RUN = { request: KVM.KVM_RUN.request };

/** A vCPU that another thread owns, to be run on this one. */
export class VcpuRunner implements Disposable {
  readonly #fd: Fd;
  readonly #mapping: Mapping;
  readonly #page: RunPage;
  readonly #decoder: ExitDecoder;
  readonly #kickable: Kickable;

  /** Makes descriptor and mapping of its own. */
  constructor({ id, vcpuFd, mmapSize }: VcpuShare) {
    this.#fd = Fd.duplicate(vcpuFd, `vCPU ${id}`);
    this.#mapping = Mapping.shared(this.#fd, mmapSize, `run page of vCPU ${id}`);
    this.#page = new RunPage(this.#mapping.buffer);
    this.#decoder = new ExitDecoder(this.#page);
    this.#kickable = new Kickable(this.#mapping, RunPage.immediateExitOffset);
  }

  /** What ends a run, from any thread. */
  get kickHandle(): KickHandle {
    return this.#kickable.handle;
  }

  /** Runs the guest until it exits, or until a kick, which is an `"intr"` exit. */
  run(): Exit {
    for (;;) {
      const result = this.#fd.invoke(KVM_RUN);
      if (result >= 0) return this.#decoder.decode();
      switch (-result) {
        case Errno.EINTR:
          if (!this.#page.immediateExit) continue;
          this.#takeKick();
          return this.#decoder.interrupted();
        case Errno.EAGAIN:
          // A vCPU that waited for INIT or SIPI got it; KVM wants to be called again.
          continue;
      }
      return this.#fd.fail(KVM.KVM_RUN, -result, `run ${this.#fd.what}`);
    }
  }

  /**
   * Completes the last exit as `Vcpu` does: another one of the same instruction, or `"intr"` when
   * there is none. That answers a kick as well: whoever sent it has left its orders before.
   */
  completeOperations(): Exit {
    if (!mayBePending(this.#page)) return this.#decoder.interrupted();
    for (;;) {
      const result = completeRun(this.#fd, this.#page, () => this.#kickable.pending);
      if (result >= 0) return this.#decoder.decode();
      if (result === -Errno.EINTR) {
        this.#takeKick();
        return this.#decoder.interrupted();
      }
      if (result === -Errno.EAGAIN) continue;
      return this.#fd.fail(KVM.KVM_RUN, -result, `complete the exit of ${this.#fd.what}`);
    }
  }

  #takeKick(): void {
    this.#page.immediateExit = false;
    this.#kickable.takePending();
  }

  /** Gives descriptor and mapping back. */
  [Symbol.dispose](): void {
    this.#kickable.close();
    this.#page.close();
    this.#mapping.close();
    this.#fd.close();
  }
}
