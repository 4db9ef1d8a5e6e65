/**
 * How a run is ended from outside: by a time limit, by another thread, by an abort signal.
 *
 * All three set `immediate_exit` and interrupt the thread, in this order, so that none is lost; what
 * is left of them is cleared when the run has ended, so that none ends a later run.
 *
 * @module
 */

import {
  checkNames,
  checkNumber,
  closedError,
  Errno,
  type Fd,
  Kickable,
  type KickHandle,
  KvmError,
  type Mapping,
  type Names,
  PoolRun,
  show,
} from "../../../ffi/mod.ts";
import { completeRun } from "../completion.ts";
import { RunPage } from "../exits/mod.ts";
import { KVM } from "../ioctls.ts";
import { type Limit, Limits } from "./limits.ts";

/** How long a run may take. */
export interface RunOptions {
  /**
   * Milliseconds, at most a year, with `runAsync` 2^31 - 1 (25 days); when they are over, the run
   * returns an `"intr"` exit.
   */
  readonly timeout?: number | undefined;
}

/** How long an asynchronous run may take, and what else ends it. */
export interface RunAsyncOptions extends RunOptions {
  /** Aborted, it stops the guest and rejects the promise with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const OFFSET = RunPage.immediateExitOffset;
const KVM_RUN = { request: KVM.KVM_RUN.request };

/** The ways to end one vCPU's run. Each costs nothing until it is first used. */
export class RunControl {
  readonly #fd: Fd;
  readonly #mapping: Mapping;
  readonly #page: RunPage;
  #limits: Limits | undefined;
  /** Whether the next run has been asked to end. */
  #requested = false;
  /** Whether the run on the pool has been asked to end, and has not ended for that. */
  #aborted = false;
  #kickable: Kickable | undefined;
  #pool: PoolRun | undefined;

  /** For a vCPU's descriptor, run mapping and the page in it. */
  constructor(fd: Fd, mapping: Mapping, page: RunPage) {
    this.#fd = fd;
    this.#mapping = mapping;
    this.#page = page;
  }

  /** Starts a time limit of this thread's runs. Each rings at its own time. */
  arm(milliseconds: number): Limit {
    if (this.#fd.closed) throw closedError("limit a run", this.#fd.what);
    return (this.#limits ??= new Limits(this.#mapping, OFFSET)).add(milliseconds);
  }

  /** Ends a time limit; the others go on. */
  disarm(limit: Limit): void {
    if (!this.#fd.closed && this.#limits?.delete(limit)) this.#takeBack();
  }

  /** Makes the next run end at once. */
  request(): void {
    this.#page.immediateExit = true;
    this.#requested = true;
  }

  /** KVM_RUN that only completes the last exit: whoever has asked for a run's end still gets it. */
  complete(): number {
    return completeRun(this.#fd, this.#page, () => this.#isAsked);
  }

  /** Takes back what a limit or an abort may have left, and nothing of the others'. */
  #takeBack(): void {
    this.#page.immediateExit = false;
    // One of that very moment was cleared as well: it is still known.
    if (this.#isAsked) this.#page.immediateExit = true;
  }

  get #isAsked(): boolean {
    const others = this.#requested || this.#aborted || this.#kickable?.pending;
    return (others || this.#limits?.rung) ?? false;
  }

  /** What other threads kick with. */
  get kickHandle(): KickHandle {
    if (this.#fd.closed) throw closedError("kick a vCPU", this.#fd.what);
    if (this.#kickable === undefined) {
      this.#kickable = new Kickable(this.#mapping, OFFSET);
      if (this.#pool !== undefined) this.#kickable.setPool(this.#pool.tidAddress);
    }
    return this.#kickable.handle;
  }

  /** Whether somebody asked for the EINTR of a run; takes back what asked. */
  takeRequest(): boolean {
    if (!this.#page.immediateExit) return false;
    this.#page.immediateExit = false;
    const asked = this.#kickable?.takePending() || this.#requested || this.#aborted;
    this.#requested = false;
    this.#aborted = false;
    // A limit has an exit of its own, for its user may be another one: the next, if it rang as well.
    if (!asked) this.#limits?.dropRung();
    this.#takeBack();
    return true;
  }

  /** Ends the runs on the pool by a time limit and an abort signal, until disposed of. */
  limit({ timeout, signal }: RunAsyncOptions): Disposable {
    const pool = this.#poolRun;
    const kick = () => {
      if (this.#fd.closed) return;
      this.#aborted = true;
      pool.kick();
    };
    const timer = timeout === undefined ? undefined : setTimeout(kick, timeout);
    if (signal) addEventListener.call(signal, "abort", kick);
    return {
      [Symbol.dispose]: () => {
        if (signal) removeEventListener.call(signal, "abort", kick);
        clearTimeout(timer);
        // The run may have ended by itself just before the kick.
        if (!this.#aborted) return;
        this.#aborted = false;
        if (!this.#fd.closed) this.#takeBack();
      },
    };
  }

  /** KVM_RUN on a pool thread; its result, -errno on failure. */
  async runOnPool(): Promise<number> {
    return await this.#poolRun.run(this.#fd.number, KVM_RUN);
  }

  /** Stops a run under way and gives everything back; the mapping may be closed afterwards. */
  close(): void {
    // Kicks use the pool's memory: they end first.
    this.#kickable?.close();
    if (this.#pool?.running) this.#pool.kick();
    this.#pool?.close();
    this.#limits?.close();
  }

  get #poolRun(): PoolRun {
    if (this.#pool === undefined) {
      this.#pool = new PoolRun(this.#mapping, OFFSET);
      this.#kickable?.setPool(this.#pool.tidAddress);
    }
    return this.#pool;
  }
}

const OPTIONS: Names<RunAsyncOptions> = { timeout: true, signal: true };
/** What setTimeout takes: beyond it, it would fire at once. */
const LONGEST = 2 ** 31 - 1;

// Anyone can put other methods on a signal: these are its class's own.
const { throwIfAborted, addEventListener, removeEventListener } = AbortSignal.prototype;
const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")!.get!;

/** Throws an aborted signal's reason. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal !== undefined) throwIfAborted.call(signal);
}

/** Reads each option once; EINVAL for one that can't be. */
export function readOptions(operation: string, options: RunAsyncOptions): RunAsyncOptions {
  checkNames(operation, "What limits it", options, OPTIONS);
  const { timeout, signal } = options;
  if (timeout !== undefined) {
    checkNumber(operation, "A time limit in milliseconds", timeout, 0, LONGEST);
  }
  if (signal !== undefined) checkSignal(operation, signal);
  return { timeout, signal };
}

function checkSignal(operation: string, signal: AbortSignal): void {
  try {
    isAborted.call(signal);
  } catch {
    const hint = `The signal is an AbortSignal, not ${show(signal)}`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
}
