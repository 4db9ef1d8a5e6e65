/**
 * vCPUs' threads, as main starts and ends them.
 *
 * @module
 */

import { createEventFd } from "../../../ffi/mod.ts";
import { bundle } from "./bundle_bytes.ts";
import type { VcpuFailure, VcpuJob } from "./job.ts";

export type { VcpuFailure, VcpuJob } from "./job.ts";

/** As many as a Worker opens, and two for whoever opens one meanwhile. */
const FILES = 6 + 2;

/** Without them, the runtime would not survive the Worker's start. */
function requireFiles(): void {
  using files = new DisposableStack();
  for (let count = 0; count < FILES; count++) files.use(createEventFd(0, false));
}

/**
 * A module that runs its first message. The runtime copies a Worker's address several times, parses
 * each copy, and keeps one until the process ends: with all of the thread's modules in it, an address
 * would take 25 ms and 90 KB each time. A blob's, on the other hand, is new in every process, and a
 * place in the runtime's cache is filled for each, for ever.
 */
const STARTER = "data:text/javascript,onmessage=({data})=>(0,eval)(data)";

/** As of a module, none of its variables are the thread's global ones. */
const script = `"use strict";${bundle}`;

/** Who hears what goes wrong in a thread. */
export interface WorkerHandlers {
  /** It can't go on with its job, and has said so in the shared state. */
  onFailure(failure: VcpuFailure): void;
  /** It has not even come to its job. */
  onCrash(message: string): void;
}

/**
 * A vCPU's thread. It starts while main goes on to make what it is to run, and waits for its job. Its
 * modules come as one text: so it needs no permission to read them, and starts in a third of the time.
 */
export class VcpuWorker implements Disposable {
  readonly #worker: Worker;
  #crash: string | undefined;

  /**
   * For a vCPU by its number.
   *
   * @throws {KvmError} EMFILE at the limit of open files.
   */
  constructor(id: number) {
    requireFiles();
    this.#worker = new Worker(STARTER, { type: "module", name: `vCPU ${id}` });
    this.#worker.postMessage(script);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#crash ??= event.message;
    };
  }

  /** What it has died of before its job, if it has. */
  get crash(): string | undefined {
    return this.#crash;
  }

  /** Gives it its job. */
  begin(job: VcpuJob, { onFailure, onCrash }: WorkerHandlers): void {
    this.#worker.onmessage = ({ data }: MessageEvent<VcpuFailure>) => onFailure(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onCrash(event.message);
    };
    this.#worker.postMessage(job);
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
