/**
 * vCPUs' threads, as main starts and ends them.
 *
 * @module
 */

import { createEventFd } from "../../../ffi/mod.ts";
import { bundle } from "./bundle_bytes.ts";
import type { VcpuFailure, VcpuJob } from "./job.ts";

export type { VcpuFailure, VcpuJob } from "./job.ts";

let url: string | undefined;

/** As many as a Worker opens, and two for whoever opens one meanwhile. */
const FILES = 6 + 2;

/** Without them, the runtime would not survive the Worker's start. */
function requireFiles(): void {
  using files = new DisposableStack();
  for (let count = 0; count < FILES; count++) files.use(createEventFd(0, false));
}

/**
 * The thread's module as an address. The runtime keeps what it has compiled by the address: a blob's is
 * new in every process, and its cache would grow with each machine.
 */
function urlOf(text: string): string {
  // What an address can't hold as it is (URL Standard, URL parsing); the rest is quicker left alone.
  return `data:text/javascript,${text.replace(/[%#\t\n\r]/g, encodeURIComponent)}`;
}

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
    url ??= urlOf(bundle);
    this.#worker = new Worker(url, { type: "module", name: `vCPU ${id}` });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#crash ??= event.message;
    };
  }

  /** Gives it its job. */
  begin(job: VcpuJob, { onFailure, onCrash }: WorkerHandlers): void {
    this.#worker.onmessage = ({ data }: MessageEvent<VcpuFailure>) => onFailure(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onCrash(event.message);
    };
    this.#worker.postMessage(job);
    if (this.#crash !== undefined) onCrash(this.#crash);
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
