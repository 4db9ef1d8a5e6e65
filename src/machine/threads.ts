/**
 * The vCPUs' threads, as main sees them: what they are told, and what they ask.
 *
 * @module
 */

import { closedError, kick, type KvmError } from "../../ffi/mod.ts";
import type { Vcpu, Vm } from "../kvm/mod.ts";
import type { BoardOptions } from "./board.ts";
import { nextTask } from "./next_task.ts";
import { Bell, Command, type SharedState, Status } from "./shared/mod.ts";
import { type VcpuFailure, type VcpuJob, VcpuWorker } from "./worker/mod.ts";

/** What main does for the threads. */
export interface ThreadHandlers {
  /**
   * A vCPU has an exit for main, and waits. Its registers can be read until the promise resolves, or
   * the call returns; and set, but where it reads from a device: KVM then forgets what the device has
   * answered, which reaches its register in the next run only.
   *
   * @param isCurrent Whether it still waits for what comes of that exit.
   */
  onExit(vcpu: Vcpu, isCurrent: () => boolean): Promise<void> | void;
  /** There may be output. */
  onOutput(): void;
  /** The guest has asked for the machine's end; all threads are about to wait. */
  onEnding(): void;
  /** A device's deadline has moved. */
  onTimer(): void;
  /** A thread can't go on. */
  onFailure(error: unknown): void;
}

/** What the threads run. */
export interface ThreadsInit {
  /** The VM. */
  readonly vm: Vm;
  /** Its vCPUs, in the order of the shared state. */
  readonly vcpus: readonly Vcpu[];
  /** A thread for each; whoever started them ends them, unless {@linkcode VcpuThreads.stop} has. */
  readonly workers: readonly VcpuWorker[];
  /** What they share. */
  readonly shared: SharedState;
  /** The devices on the board. */
  readonly board: BoardOptions;
}

/** Milliseconds for which one exit after the other may keep this thread from all else. */
const SLICE = 4;

const RUNNING = "Its machine is running: await machine.pause() first";
const HELD = "Its machine runs it: a device or a handler answers the exit, and returns";

/**
 * Starts a thread for each vCPU, which waits for its job; they end with `owner`. Hundreds take many
 * seconds, in which timers and signals have their turn.
 */
export async function startWorkers(
  cpus: number,
  owner: DisposableStack,
  signal?: AbortSignal,
): Promise<VcpuWorker[]> {
  const workers: VcpuWorker[] = [];
  for (let id = 0; id < cpus; id++) {
    workers.push(owner.use(new VcpuWorker(id)));
    await nextTask();
    signal?.throwIfAborted();
    for (const [at, { crash }] of workers.entries()) {
      if (crash !== undefined) throw threadError(at, crash);
    }
  }
  return workers;
}

/** The threads at their work. */
export class VcpuThreads {
  readonly #vm: Vm;
  readonly #vcpus: readonly Vcpu[];
  readonly #shared: SharedState;
  readonly #handlers: ThreadHandlers;
  readonly #workers: readonly VcpuWorker[];
  /** Descriptors on their way to threads that have not begun. */
  readonly #shares: Map<number, Disposable>;
  /** The user's own runs would take exits from the machine. */
  readonly #holds = new DisposableStack();
  /** The vCPUs whose exit main is handling, each with a token of that exit. */
  readonly #handling = new Map<number, symbol>();
  readonly #lent = new Map<number, Disposable>();
  /** Those who wait for the threads to wait. */
  #waiters: (() => void)[] = [];
  #failed = false;
  #stopping = false;

  /** Gives the threads their vCPUs; they wait for {@linkcode resume}. */
  constructor({ vm, vcpus, workers, shared, board }: ThreadsInit, handlers: ThreadHandlers) {
    this.#vm = vm;
    this.#vcpus = vcpus;
    this.#workers = workers;
    this.#shared = shared;
    this.#handlers = handlers;
    using stack = new DisposableStack();
    const shares = vcpus.map((vcpu) => stack.use(vm.share(vcpu)));
    this.#shares = new Map(shares.entries());
    for (const [id, { share }] of shares.entries()) {
      const { cpus, buffer } = shared;
      this.#begin({ id, cpus, buffer, share, board });
    }
    for (const vcpu of vcpus) this.#holds.use(vcpu.hold(HELD));
    stack.move();
    this.#serve();
  }

  /**
   * Lets the guest run.
   *
   * @throws {KvmError} EBADF if the user has closed a vCPU.
   */
  resume(): void {
    if (this.#stopping) return;
    const gone = this.#vcpus.find(({ closed }) => closed);
    if (gone !== undefined) throw this.#goneError(gone);
    for (const [id, vcpu] of this.#vcpus.entries()) {
      // One whose exit is being handled is main's until then.
      if (!this.#handling.has(id)) this.#lend(id, vcpu);
      this.#shared.setCommand(id, Command.RUN);
    }
  }

  #lend(id: number, vcpu: Vcpu): void {
    if (!this.#lent.has(id)) this.#lent.set(id, vcpu.lend(RUNNING));
  }

  /**
   * Stops the guest for a while; resolves when all vCPUs wait, and their registers are in order, or
   * when they have ended.
   *
   * @param abandon Answers exits that main still handles, and forgets what comes of them.
   */
  async pause(abandon = false): Promise<void> {
    if (this.#stopping) return;
    this.#command(Command.PAUSE);
    await this.#until(() => {
      if (abandon) this.#abandonExits();
      // An exit that nobody has looked at is still to be completed.
      return this.#all((id, status) =>
        status === Status.PAUSED || status === Status.STOPPED || this.#handling.has(id)
      );
    });
    this.#takeBack();
  }

  /** Ends the threads; resolves when the last one has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#command(Command.STOP);
    for (const id of this.#vcpus.keys()) this.#shared.answer(id);
    await this.#until(() => this.#hasEnded);
    this.#takeBack();
    this.#holds.dispose();
    for (const worker of this.#workers) worker[Symbol.dispose]();
  }

  #begin(job: VcpuJob): void {
    this.#workers[job.id]!.begin(job, {
      onFailure: (failure) => this.#fail(remoteError(failure)),
      onCrash: (message) => {
        this.#shared.setStatus(job.id, Status.STOPPED);
        this.#fail(threadError(job.id, message));
      },
    });
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#handlers.onFailure(error);
  }

  #command(command: number): void {
    for (const id of this.#vcpus.keys()) this.#shared.setCommand(id, command);
    for (const id of this.#vcpus.keys()) {
      const handle = this.#shared.kickHandle(id);
      if (handle !== 0) kick(handle);
    }
  }

  #all(is: (id: number, status: number) => boolean): boolean {
    return [...this.#vcpus.keys()].every((id) => is(id, this.#shared.status(id)));
  }

  get #hasEnded(): boolean {
    return this.#all((_, status) => status === Status.STOPPED);
  }

  /** Resolves when something is so; it is asked whenever a thread has done something. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #takeBack(): void {
    for (const lent of this.#lent.values()) lent[Symbol.dispose]();
    this.#lent.clear();
  }

  /** Answers the bell until all threads have ended. */
  async #serve(): Promise<void> {
    let turn = performance.now();
    do {
      if (await this.#shared.bell()) turn = performance.now();
      else if (performance.now() - turn > SLICE) {
        await nextTask();
        turn = performance.now();
      }
      try {
        this.#answer(this.#shared.takeBell());
      } catch (error) {
        this.#fail(error);
      }
      for (const resolve of this.#waiters.splice(0)) resolve();
    } while (!this.#hasEnded);
  }

  #answer(rung: number): void {
    if (rung & Bell.VCPU) {
      this.#closeShares();
      this.#answerExits();
    }
    if (rung & Bell.OUTPUT) this.#handlers.onOutput();
    if (rung & Bell.TIMER) this.#handlers.onTimer();
    if (rung & Bell.ENDING) this.#handlers.onEnding();
  }

  #closeShares(): void {
    for (const [id, share] of this.#shares) {
      if (this.#shared.status(id) === Status.STARTING) continue;
      share[Symbol.dispose]();
      this.#shares.delete(id);
    }
  }

  #answerExits(): void {
    for (const [id, vcpu] of this.#vcpus.entries()) {
      if (this.#shared.status(id) !== Status.ASKING || this.#handling.has(id)) continue;
      const exit = Symbol();
      this.#handling.set(id, exit);
      const isCurrent = () => this.#handling.get(id) === exit;
      const fail = (error: unknown) => {
        if (isCurrent()) this.#fail(error);
      };
      const finish = () => {
        if (isCurrent()) this.#goOn(id, vcpu);
      };
      // It waits: its owner may use it.
      this.#lent.get(id)?.[Symbol.dispose]();
      this.#lent.delete(id);
      try {
        const handled = this.#handlers.onExit(vcpu, isCurrent);
        if (handled === undefined) finish();
        else handled.catch(fail).finally(finish);
      } catch (error) {
        fail(error);
        finish();
      }
    }
  }

  /** A vCPU's exit is handled. */
  #goOn(id: number, vcpu: Vcpu): void {
    this.#handling.delete(id);
    if (vcpu.closed) this.#fail(this.#goneError(vcpu));
    if (!this.#stopping && this.#shared.command(id) === Command.RUN) this.#lend(id, vcpu);
    this.#shared.answer(id);
  }

  /** What comes of these exits is nobody's business any more. */
  #abandonExits(): void {
    for (const id of this.#handling.keys()) this.#shared.answer(id);
    this.#handling.clear();
  }

  /** For a vCPU that the user has closed, alone or with its VM. */
  #goneError({ id }: Vcpu): KvmError {
    return closedError("go on with the guest", this.#vm.closed ? "VM" : `vCPU ${id}`);
  }
}

function threadError(id: number, message: string): Error {
  return new Error(`The thread of vCPU ${id} failed: ${message}`);
}

/** An error of another thread, which comes as its text. */
function remoteError({ message, stack }: VcpuFailure): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
