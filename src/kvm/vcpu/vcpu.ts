/**
 * The vCPU layer: run, and see why it stopped.
 *
 * @module
 */

import {
  checkNames,
  checkNumber,
  closedError,
  Errno,
  type Fd,
  type KickHandle,
  KvmError,
  type Names,
  PAGE_SIZE,
} from "../../../ffi/mod.ts";
import { ExitReason, MpState, PageOffset } from "../../../ffi/uapi/mod.ts";
import { CoalescedMmioRing, type CoalescedQueue } from "../coalesced.ts";
import { mayBePending } from "../completion.ts";
import { type Exit, ExitDecoder } from "../exits/mod.ts";
import { KVM } from "../ioctls.ts";
import {
  readOptions,
  refuseAborted,
  type RunAsyncOptions,
  RunControl,
  type RunOptions,
} from "./run_control.ts";
import type { VcpuShare } from "../thread/mod.ts";
import { VcpuShared, type VcpuShareInit } from "./shared.ts";

const KVM_RUN = { request: KVM.KVM_RUN.request };
const LIMITS: Names<RunOptions> = { timeout: true };
const RUNNING = "It is running: wait for the promise of runAsync, or abort it, first";
const ONLY_ASYNC = ": a signal can end runAsync only";
const YEAR = 366 * 86_400_000;

/** What a VM gives its vCPUs. */
interface VcpuInit extends VcpuShareInit {
  readonly id: number;
  readonly queue: CoalescedQueue;
  readonly onClose: (vcpu: Vcpu) => void;
}

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
export class Vcpu extends VcpuShared {
  /** The id it was created with; its APIC id unless CPUID says otherwise. */
  readonly id: number;
  readonly #decoder: ExitDecoder;
  readonly #control: RunControl;
  readonly #onClose: (vcpu: Vcpu) => void;
  readonly #queue: CoalescedQueue;
  #coalescedMmio: CoalescedMmioRing | undefined;
  /** Why nobody else may run it. */
  #held: string | undefined;

  /** @internal vCPUs are made by `vm.createVcpu`. */
  constructor(handle: Fd, init: VcpuInit) {
    super(handle, init);
    this.id = init.id;
    this.#decoder = new ExitDecoder(this.page);
    this.#control = new RunControl(handle, this.mapping, this.page);
    this.#onClose = init.onClose;
    this.#queue = init.queue;
    Object.freeze(this);
  }

  /**
   * Runs the guest until it exits to user space (KVM_RUN). It blocks this thread.
   *
   * The exit's object is reused by the next run. A signal of the process does not end the run; a
   * `timeout`, {@linkcode interruptAfter} and a kick do, and that is an `"intr"` exit.
   *
   * @throws {KvmError} EFAULT if the host memory behind guest memory can't be used, EINVAL for a
   * timeout that can't be, EBUSY while something else runs it, EBADF once closed.
   */
  run(options?: RunOptions): Exit {
    if (this.#held !== undefined) throw this.#refusal(this.#held);
    return this.#run(options);
  }

  #run(options?: RunOptions): Exit {
    if (this.handle.busy) this.handle.refuse(KVM.KVM_RUN, `run ${this.handle.what}`);
    if (options !== undefined) {
      checkNames(`run ${this.handle.what}`, "What limits it", options, LIMITS, ONLY_ASYNC);
      const { timeout } = options;
      // It begins anew, since reading an option may have run anything.
      if (timeout !== undefined) return this.#runLimited(timeout);
    }
    for (;;) {
      const result = this.handle.invoke(KVM_RUN);
      if (result >= 0) return this.#decoder.decode();
      const exit = this.#stopped(-result);
      if (exit !== undefined) return exit;
    }
  }

  /**
   * Runs the guest on another thread, while this one goes on: for a vCPU or two beside an event loop.
   * It costs some microseconds more than {@linkcode run}. Meanwhile the vCPU takes no other call.
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
   * const exit = await vcpu.runAsync({ timeout: 20 });
   * console.log(exit.reason); // "intr"
   * await vcpu.runAsync({ signal: AbortSignal.timeout(20) }).catch((error) => {
   *   console.log(error.name); // "TimeoutError"
   * });
   * ```
   *
   * @throws {KvmError} as {@linkcode run}; EBUSY while another run is under way; EBADF if the vCPU is
   * closed meanwhile.
   */
  async runAsync(options: RunAsyncOptions = {}): Promise<Exit> {
    const operation = `run ${this.handle.what}`;
    const limits = readOptions(operation, options);
    if (this.#held !== undefined) throw this.#refusal(this.#held);
    if (this.handle.busy) this.handle.refuse(KVM.KVM_RUN, operation);
    if (this.closed) throw closedError(operation, this.handle.what);
    const lent = this.handle.lend(RUNNING);
    try {
      return await this.#runOnPool(operation, limits);
    } finally {
      // Just before the caller's turn, which is the next one: whatever is queued already could take
      // another exit in between, and the page would show that.
      queueMicrotask(() => lent[Symbol.dispose]());
    }
  }

  async #runOnPool(operation: string, options: RunAsyncOptions): Promise<Exit> {
    const { signal } = options;
    refuseAborted(signal);
    using _limit = this.#control.limit(options);
    for (;;) {
      const result = await this.#control.runOnPool();
      if (this.closed) throw closedError(operation, this.handle.what);
      // An exit that came before the abort is returned: the guest would be lost without it.
      if (result >= 0) return this.#decoder.decode();
      const exit = this.#stopped(-result);
      if (exit === undefined) continue;
      refuseAborted(signal);
      return exit;
    }
  }

  /** The queue of the VM's coalesced writes, see `vm.registerCoalescedMmio`. */
  get coalescedMmio(): CoalescedMmioRing {
    const offset = PageOffset.COALESCED_MMIO * PAGE_SIZE;
    return this.#coalescedMmio ??= new CoalescedMmioRing(this.mapping.buffer, offset, this.#queue);
  }

  /**
   * Completes what the last exit left pending, without running another instruction (KVM_RUN with
   * `immediate_exit`): what an IN or a load has read reaches its register, an OUT is over. Then it
   * returns an `"intr"` exit, and registers and memory are in order to be looked at, saved or
   * replaced. The instruction may have another exit before: handle that one, and call again. Requests,
   * limits and kicks are left to the next {@linkcode run}.
   *
   * The start helpers call it: what was pending would happen to the new guest.
   *
   * @example
   * ```ts
   * import { Kvm, realMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 64 << 10 });
   * using vcpu = vm.createVcpu(0);
   * realMode(vcpu, memory, { code: Uint8Array.of(0xe4, 0x60, 0xf4) }); // in al, 0x60; hlt
   * const exit = vcpu.run();
   * if (exit.reason === "io") exit.value = 42;
   * while (vcpu.completeOperations().reason !== "intr");
   * console.log(vcpu.getRegs().rax, vcpu.getRegs().rip); // 42n 4098n
   * ```
   *
   * @throws {KvmError} as {@linkcode run}.
   */
  completeOperations(): Exit {
    const operation = `complete the exit of ${this.handle.what}`;
    if (this.closed) throw closedError(operation, this.handle.what);
    if (this.handle.busy) this.handle.refuse(KVM.KVM_RUN, operation);
    if (!mayBePending(this.page)) return this.#decoder.interrupted();
    if (this.#held !== undefined) throw this.#refusal(this.#held);
    // KVM_RUN of one that waits for INIT completes nothing.
    const waits = this.getMpState() === MpState.UNINITIALIZED;
    if (waits) this.setMpState(MpState.RUNNABLE);
    try {
      return this.#complete();
    } finally {
      if (waits) this.setMpState(MpState.UNINITIALIZED);
    }
  }

  #complete(): Exit {
    for (;;) {
      const result = this.#control.complete();
      if (result >= 0) return this.#decoder.decode();
      if (result === -Errno.EINTR) return this.#decoder.interrupted();
      const exit = this.#stopped(-result);
      if (exit !== undefined) return exit;
    }
  }

  /**
   * Makes the next {@linkcode run} return an `"intr"` exit at once, after what the last exit left to
   * do: the value of an IN reaches its register, an OUT is over. {@linkcode completeOperations} does
   * that alone.
   */
  requestImmediateExit(): void {
    this.#control.request();
  }

  /**
   * What another thread needs to end this vCPU's run: `postMessage` it there, and call `kick` with
   * it. The run under way, or else the next one, then returns an `"intr"` exit.
   *
   * @throws {KvmError} EBADF once closed, ENOSPC for more vCPUs than the process has handles for.
   *
   * @example
   * ```ts
   * import { guests, kick, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.spin });
   * kick(vcpu.kickHandle); // from this thread or any other
   * console.log(vcpu.run().reason); // "intr"
   * ```
   */
  get kickHandle(): KickHandle {
    return this.#control.kickHandle;
  }

  /**
   * From now on until disposed of, the guest has so many milliseconds: when they are over, the
   * {@linkcode run} under way, or else the next one, returns an `"intr"` exit, once. Of several limits
   * each ends a run of its own, at its own time. It is for runs on this thread: {@linkcode runAsync}
   * has a timeout of its own.
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
    const operation = `limit the runs of ${this.handle.what}`;
    checkNumber(operation, "A time limit in milliseconds", milliseconds, 0, YEAR);
    const limit = this.#control.arm(milliseconds);
    return { [Symbol.dispose]: () => this.#control.disarm(limit) };
  }

  /** The exit that the run page shows: the last one, of whatever thread. */
  get lastExit(): Exit {
    return this.#decoder.decode();
  }

  /** @internal For the thread that is to run it. */
  share(vmFd: number): VcpuShare {
    return { id: this.id, vcpuFd: this.fd, vmFd, mmapSize: this.mapping.size };
  }

  /**
   * @internal Another thread runs it until disposed of: calls here would wait, perhaps for ever, and
   * are refused.
   *
   * @param hint What the user should do instead.
   */
  lend(hint: string): Disposable {
    return this.handle.lend(hint);
  }

  /**
   * @internal Runs it on behalf of its user, whose own runs are refused until disposed of: an exit that
   * they took would be missing here.
   *
   * @param hint What the user should do instead.
   */
  hold(hint: string): Disposable & { run(): Exit } {
    if (this.closed) throw closedError(`run ${this.handle.what}`, this.handle.what);
    if (this.#held !== undefined) throw this.#refusal(this.#held);
    this.#held = hint;
    return {
      run: () => this.#run(),
      [Symbol.dispose]: () => {
        this.#held = undefined;
      },
    };
  }

  #refusal(hint: string): KvmError {
    return new KvmError({ operation: `run ${this.handle.what}`, errno: Errno.EBUSY, hint });
  }

  /** Closes the vCPU; a run under way on another thread ends. Its id stays taken in the VM. */
  override close(): void {
    if (this.closed) return;
    this.#control.close();
    this.page.close();
    this.mapping.close();
    super.close();
    this.#onClose(this);
  }

  #runLimited(timeout: number): Exit {
    using _limit = this.interruptAfter(timeout);
    return this.#run();
  }

  /** What a failed KVM_RUN means: an exit, an error, or nothing, and the guest runs on. */
  #stopped(errno: number): Exit | undefined {
    switch (errno) {
      case Errno.EINTR:
        return this.#control.takeRequest() ? this.#decoder.interrupted() : undefined;
      case Errno.EAGAIN:
        // A vCPU that waited for INIT or SIPI got it; KVM wants to be called again.
        return undefined;
      case Errno.EFAULT:
      case Errno.EHWPOISON:
        // The one exit that comes with an error (api.rst 5, KVM_EXIT_MEMORY_FAULT).
        if (this.page.exitReason === ExitReason.MEMORY_FAULT) return this.#decoder.decode();
    }
    return this.handle.fail(KVM.KVM_RUN, errno, `run ${this.handle.what}`);
  }
}
