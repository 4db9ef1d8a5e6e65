/**
 * A pseudo-terminal as a guest's console.
 *
 * @module
 */

import {
  createPty,
  type Fd,
  POLL,
  poll,
  readable,
  readPty,
  stopWaiting,
  writePty,
} from "../../ffi/mod.ts";
import type { SerialOptions } from "./options.ts";

/** How often to look, in milliseconds, whether somebody has come: no event tells. */
const LOOK = 200;
/** When to try again, in milliseconds, while who is there reads slowly. */
const RETRY = 10;
/** More than a terminal has waiting. */
const CHUNK = 4096;

/**
 * A new pseudo-terminal as the other end of a serial port, for `screen`, `picocom` or a debugger to
 * open by its path. They may come and go; what the guest sends while nobody is there gets lost.
 *
 * @example
 * ```ts
 * import { Machine, Pty } from "@deno-kvm/kvm/machine";
 *
 * async function boot(kernel: string) {
 *   using pty = new Pty();
 *   console.log(`screen ${pty.path}`);
 *   await using machine = await Machine.boot({ kernel, console: pty });
 *   await machine.finished;
 * }
 * ```
 */
export class Pty implements SerialOptions, Disposable {
  /** Its path: `"/dev/pts/7"`. */
  readonly path: string;
  /** To who has it open. */
  readonly output: WritableStream<Uint8Array>;
  /** From who has it open. */
  readonly input: ReadableStream<Uint8Array>;
  readonly #fd: Fd;
  #ended = false;
  #cancelled = false;
  #wake = () => {};

  /**
   * Creates it.
   *
   * @throws {KvmError} ENOENT where there are no pseudo-terminals, ENOSPC where there are too many.
   */
  constructor() {
    const { fd, path } = createPty();
    this.#fd = fd;
    this.path = path;
    this.output = new WritableStream({ write: (bytes) => this.#write(bytes) });
    this.input = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => {
        this.#cancelled = true;
        this.#stopReading();
      },
    }, { highWaterMark: 0 });
  }

  /** Takes it away, from who has it open, too; the second time does nothing. */
  close(): void {
    this.#stopReading();
    this.#fd.close();
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #stopReading(): void {
    this.#ended = true;
    this.#wake();
    if (!this.#fd.closed) stopWaiting(this.#fd);
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    while (!this.#ended) {
      const count = readPty(this.#fd, buffer);
      if (count > 0) return controller.enqueue(buffer.subarray(0, count));
      if (count === 0) await readable(this.#fd);
      else await this.#nextLook();
    }
    if (!this.#cancelled) controller.close();
  }

  #nextLook(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let rest = Uint8Array.from(bytes);
    while (rest.length > 0 && !this.#fd.closed && (poll(this.#fd) & POLL.HUP) === 0) {
      rest = rest.subarray(writePty(this.#fd, rest));
      if (rest.length > 0) await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}
