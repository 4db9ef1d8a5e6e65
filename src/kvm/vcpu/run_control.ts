/**
 * How a run is ended from outside: by a time limit, by another thread, by an abort signal.
 *
 * All three set `immediate_exit` and interrupt the thread, in this order, so that none is lost; what
 * is left of them is cleared when the run has ended, so that none ends a later run.
 *
 * @module
 */

import {
  Alarm,
  closedError,
  Errno,
  type Fd,
  Kickable,
  type KickHandle,
  KvmError,
  type Mapping,
  PoolRun,
} from "../../../ffi/mod.ts";
import { RunPage } from "../exits/mod.ts";
import { KVM } from "../ioctls.ts";

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

/** Milliseconds by which the two clocks, the timer's and this one, may seem to differ. */
const CLOCK_SLACK = 0.5;

const OFFSET = RunPage.immediateExitOffset;
const KVM_RUN = { request: KVM.KVM_RUN.request };

/** The ways to end one vCPU's run. Each costs nothing until it is first used. */
export class RunControl {
  readonly #fd: Fd;
  readonly #mapping: Mapping;
  readonly #page: RunPage;
  #alarm: Alarm | undefined;
  /** When each time limit rings, by its number. */
  readonly #limits = new Map<number, number>();
  #lastLimit = 0;
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

  /** Starts a time limit of this thread's runs; its number. Of several, the earliest rings. */
  arm(milliseconds: number): number {
    if (this.#fd.closed) throw closedError("limit a run", this.#fd.what);
    this.#alarm ??= new Alarm(this.#mapping, OFFSET);
    // Before the alarm is set, for it must not seem to ring early.
    const now = performance.now();
    // It checks the time, too: a limit that can't be leaves no trace.
    this.#alarm.arm(milliseconds);
    this.#limits.set(++this.#lastLimit, now + milliseconds);
    if (this.#limits.size > 1) this.#rearm();
    return this.#lastLimit;
  }

  /** Ends a time limit; the others go on. */
  disarm(limit: number): void {
    if (this.#fd.closed || !this.#limits.delete(limit)) return;
    this.#rearm();
    this.#takeBack();
  }

  #rearm(): void {
    if (this.#limits.size === 0) this.#alarm?.disarm();
    else this.#alarm?.arm(Math.max(0, Math.min(...this.#limits.values()) - performance.now()));
  }

  /** Takes back what a limit may have left, but no kick and no abort. */
  #takeBack(): void {
    this.#page.immediateExit = false;
    // One of that very moment was cleared as well: it is still known.
    const now = performance.now();
    const rung = this.#limits.values().some((deadline) => deadline <= now);
    if (rung || this.#kickable?.pending || this.#aborted) this.#page.immediateExit = true;
  }

  /** What other threads kick with. */
  get kickHandle(): KickHandle {
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
    this.#kickable?.takePending();
    this.#aborted = false;
    this.#dropRung();
    return true;
  }

  /** A limit that has rung is over; the next one is still to come. */
  #dropRung(): void {
    if (this.#limits.size === 0) return;
    const now = performance.now() + CLOCK_SLACK;
    for (const [limit, deadline] of this.#limits) {
      if (deadline <= now) this.#limits.delete(limit);
    }
    this.#rearm();
  }

  /** Ends the runs on the pool by a time limit and an abort signal, until disposed of. */
  limit({ timeout, signal }: RunAsyncOptions): Disposable {
    signal?.throwIfAborted();
    checkTimeout(timeout);
    const pool = this.#poolRun;
    const kick = () => {
      if (this.#fd.closed) return;
      this.#aborted = true;
      pool.kick();
    };
    const timer = timeout === undefined ? undefined : setTimeout(kick, timeout);
    signal?.addEventListener("abort", kick);
    return {
      [Symbol.dispose]: () => {
        signal?.removeEventListener("abort", kick);
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
    const pool = this.#poolRun;
    using _lent = this.#fd.lend();
    return await pool.run(this.#fd.number, KVM_RUN);
  }

  /** Stops a run under way and gives everything back; the mapping may be closed afterwards. */
  close(): void {
    // Kicks use the pool's memory: they end first.
    this.#kickable?.close();
    if (this.#pool?.running) this.#pool.kick();
    this.#pool?.close();
    this.#alarm?.close();
  }

  get #poolRun(): PoolRun {
    if (this.#pool === undefined) {
      this.#pool = new PoolRun(this.#mapping, OFFSET);
      this.#kickable?.setPool(this.#pool.tidAddress);
    }
    return this.#pool;
  }
}

/** What setTimeout takes: beyond it, it would fire at once. */
const LONGEST = 2 ** 31 - 1;

function checkTimeout(timeout: number | undefined): void {
  if (timeout === undefined) return;
  if (Number.isFinite(timeout) && timeout >= 0 && timeout <= LONGEST) return;
  const hint = `A time limit is a number of milliseconds from 0 to ${LONGEST}`;
  throw new KvmError({ operation: `run for ${timeout} ms`, errno: Errno.EINVAL, hint });
}
