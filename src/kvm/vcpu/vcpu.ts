/**
 * The vCPU layer: run, and see why it stopped.
 *
 * @module
 */

import { Alarm, Errno, Fd, Mapping } from "../../../ffi/mod.ts";
import { ExitReason } from "../../../ffi/uapi/mod.ts";
import { type Exit, ExitDecoder, type KvmRun, RunPage } from "../exits/mod.ts";
import { KVM } from "../ioctls.ts";
import { VcpuState } from "./state.ts";

const KVM_RUN = { request: KVM.KVM_RUN.request };

/**
 * A virtual processor. One thread uses it: the one that created it.
 *
 * @example
 * ```ts
 * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 * longMode(vcpu, memory, { code: guests.halt });
 * console.log(vcpu.run().reason); // "hlt"
 * ```
 */
export class Vcpu extends VcpuState {
  /** The id it was created with; its APIC id unless CPUID says otherwise. */
  readonly id: number;
  readonly #mapping: Mapping;
  readonly #page: RunPage;
  readonly #decoder: ExitDecoder;
  readonly #onClose: (vcpu: Vcpu) => void;
  #alarm: Alarm | undefined;

  /** @internal vCPUs are made by `vm.createVcpu`. */
  constructor(handle: Fd, id: number, mmapSize: number, onClose: (vcpu: Vcpu) => void) {
    super(handle);
    this.id = id;
    this.#mapping = Mapping.shared(handle, mmapSize, `${handle.what}'s run page`);
    this.#page = new RunPage(this.#mapping.buffer);
    this.#decoder = new ExitDecoder(this.#page);
    this.#onClose = onClose;
  }

  /**
   * Runs the guest until it exits to user space (KVM_RUN). It blocks this thread.
   *
   * The exit's object is reused by the next run. A signal does not end the run; a limit does, see
   * {@linkcode interruptAfter}.
   *
   * @throws {KvmError} EFAULT if the host memory behind guest memory can't be used; EBADF once
   * closed.
   */
  run(): Exit {
    for (;;) {
      const result = this.handle.invoke(KVM_RUN);
      if (result >= 0) return this.#decoder.decode();
      const exit = this.#stopped(-result);
      if (exit !== undefined) return exit;
    }
  }

  /** The run page, `struct kvm_run`: each field in place. */
  get kvmRun(): KvmRun {
    return this.#page.fields;
  }

  /**
   * Makes the next {@linkcode run} return an `"intr"` exit at once, after what the last exit left to
   * do: the value of an IN reaches its register, an OUT is over.
   */
  requestImmediateExit(): void {
    this.#page.immediateExit = true;
  }

  /**
   * From now on until disposed of, the guest has so many milliseconds: when they are over, the run
   * under way, or else the next one, returns an `"intr"` exit. A second call starts them anew.
   *
   * @example
   * ```ts
   * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.spin });
   * using _limit = vcpu.interruptAfter(20);
   * console.log(vcpu.run().reason); // "intr"
   * ```
   *
   * @throws {KvmError} EINVAL for a negative time or one of more than a year.
   */
  interruptAfter(milliseconds: number): Disposable {
    this.#alarm ??= new Alarm(this.#mapping, RunPage.immediateExitOffset);
    this.#alarm.arm(milliseconds);
    return {
      [Symbol.dispose]: () => {
        if (this.closed) return;
        this.#alarm?.arm(0);
        this.#page.immediateExit = false;
      },
    };
  }

  /** Closes the vCPU. Its id stays taken until the VM is closed. */
  override close(): void {
    if (this.closed) return;
    this.#alarm?.close();
    this.#page.close();
    this.#mapping.close();
    super.close();
    this.#onClose(this);
  }

  /** What a failed KVM_RUN means: an exit, an error, or nothing, and the guest runs on. */
  #stopped(errno: number): Exit | undefined {
    switch (errno) {
      case Errno.EINTR:
        if (!this.#page.immediateExit) return undefined;
        // Left set, it would end every run from now on.
        this.#page.immediateExit = false;
        return this.#decoder.interrupted();
      case Errno.EAGAIN:
        // A vCPU that waited for INIT or SIPI got it; KVM wants to be called again.
        return undefined;
      case Errno.EFAULT:
      case Errno.EHWPOISON:
        // The one exit that comes with an error (api.rst 5, KVM_EXIT_MEMORY_FAULT).
        if (this.#page.exitReason === ExitReason.MEMORY_FAULT) return this.#decoder.decode();
    }
    return this.handle.fail(KVM.KVM_RUN, errno, `run ${this.handle.what}`);
  }
}
