/**
 * The vCPUs' threads, as main sees them: what they are told, and what they ask.
 *
 * @module
 */

import { kick } from "../../ffi/mod.ts";
import type { Vcpu, Vm } from "../kvm/mod.ts";
import type { BoardOptions } from "./board.ts";
import { Bell, Command, type SharedState, Status } from "./shared/mod.ts";
import { startWorker, type VcpuFailure, type VcpuJob } from "./worker/mod.ts";

/** What main does for the threads. */
export interface ThreadHandlers {
  /**
   * A vCPU has an exit for main, and waits. Its registers can be read and set until the promise
   * resolves, or the call returns.
   */
  onExit(vcpu: Vcpu): Promise<void> | void;
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
  /** What they share. */
  readonly shared: SharedState;
  /** The devices on the board. */
  readonly board: BoardOptions;
}

/** A Worker for each vCPU. */
export class VcpuThreads {
  readonly #vcpus: readonly Vcpu[];
  readonly #shared: SharedState;
  readonly #handlers: ThreadHandlers;
  readonly #workers: Worker[] = [];
  /** The vCPUs whose exit main is handling. */
  readonly #handling = new Set<number>();
  readonly #lent = new Map<number, Disposable>();
  /** Those who wait for the threads to wait. */
  #waiters: (() => void)[] = [];
  #failed = false;
  #stopping = false;

  /** Starts the threads; they wait for {@linkcode resume}. */
  constructor({ vm, vcpus, shared, board }: ThreadsInit, handlers: ThreadHandlers) {
    this.#vcpus = vcpus;
    this.#shared = shared;
    this.#handlers = handlers;
    for (const [id, vcpu] of vcpus.entries()) {
      const { cpus, buffer } = shared;
      this.#start({ id, cpus, buffer, share: vcpu.share(vm.fd), board });
    }
    this.#serve();
  }

  /** Lets the guest run. */
  resume(): void {
    if (this.#stopping) return;
    for (const [id, vcpu] of this.#vcpus.entries()) {
      if (!this.#lent.has(id)) this.#lent.set(id, vcpu.lend());
      this.#shared.setCommand(id, Command.RUN);
    }
  }

  /** Stops the guest for a while; resolves when all vCPUs wait, and their registers are in order. */
  async pause(): Promise<void> {
    this.#command(Command.PAUSE);
    await this.#quiet();
    this.#takeBack();
  }

  /** Ends the threads; resolves when the last one has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#command(Command.STOP);
    for (const id of this.#vcpus.keys()) this.#shared.answer(id);
    await this.#quiet(Status.STOPPED);
    this.#takeBack();
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  #start(job: VcpuJob): void {
    const worker = startWorker(job);
    worker.onmessage = ({ data }: MessageEvent<VcpuFailure>) => this.#fail(remoteError(data));
    worker.onerror = (event) => {
      event.preventDefault();
      // It has not come to its own handler.
      this.#shared.setStatus(job.id, Status.STOPPED);
      this.#fail(new Error(`The thread of vCPU ${job.id} failed: ${event.message}`));
    };
    this.#workers.push(worker);
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

  /** Resolves when every thread waits, or has ended. */
  async #quiet(...wanted: number[]): Promise<void> {
    const enough = wanted.length > 0 ? wanted : [Status.PAUSED, Status.ASKING, Status.STOPPED];
    while (![...this.#vcpus.keys()].every((id) => enough.includes(this.#shared.status(id)))) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #takeBack(): void {
    for (const lent of this.#lent.values()) lent[Symbol.dispose]();
    this.#lent.clear();
  }

  /** Answers the bell until all threads have ended. */
  async #serve(): Promise<void> {
    const shared = this.#shared;
    const hasEnded = (id: number) => shared.status(id) === Status.STOPPED;
    do {
      await shared.bell();
      const rung = shared.takeBell();
      if (rung & Bell.VCPU) this.#answerExits();
      if (rung & Bell.OUTPUT) this.#handlers.onOutput();
      if (rung & Bell.TIMER) this.#handlers.onTimer();
      if (rung & Bell.ENDING) this.#handlers.onEnding();
      for (const resolve of this.#waiters.splice(0)) resolve();
    } while (![...this.#vcpus.keys()].every(hasEnded));
  }

  #answerExits(): void {
    for (const [id, vcpu] of this.#vcpus.entries()) {
      if (this.#shared.status(id) !== Status.ASKING || this.#handling.has(id)) continue;
      this.#handling.add(id);
      // It waits: its owner may use it.
      this.#lent.get(id)?.[Symbol.dispose]();
      this.#lent.delete(id);
      const answer = () => {
        this.#handling.delete(id);
        if (!this.#stopping && this.#shared.command(id) === Command.RUN) {
          this.#lent.set(id, vcpu.lend());
        }
        this.#shared.answer(id);
      };
      try {
        const handled = this.#handlers.onExit(vcpu);
        if (handled === undefined) answer();
        else handled.catch((error) => this.#fail(error)).finally(answer);
      } catch (error) {
        this.#fail(error);
        answer();
      }
    }
  }
}

/** An error of another thread, which comes as its text. */
function remoteError({ message, stack }: VcpuFailure): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
