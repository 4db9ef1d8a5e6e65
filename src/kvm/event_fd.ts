/**
 * Events between the guest, the kernel and this program.
 *
 * @module
 */

import {
  checkInteger,
  checkNames,
  createEventFd,
  Errno,
  EVENT_FD_MAX,
  KvmError,
  readable,
  readEventFd,
  show,
  stopWaiting,
  U32_MAX,
  writeEventFd,
} from "../../ffi/mod.ts";
import type { Connection } from "./connection.ts";
import { KvmObject } from "./object.ts";

/** How to create an {@linkcode EventFd}. */
export interface EventFdOptions {
  /** The counter's first value, 0 to 2^32 - 1; 0 by default. */
  readonly initial?: number | undefined;
  /** A read takes 1 from the counter, and not all of it. */
  readonly semaphore?: boolean | undefined;
}

/** How to wait for an {@linkcode EventFd}. */
export interface WaitOptions {
  /** Aborted, it ends the wait, which rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * An event: a counter in the kernel (eventfd(2)). {@linkcode write} adds to it, {@linkcode read} and
 * {@linkcode wait} take what is there. `vm.irqfd` makes it an interrupt's line, and `vm.ioeventfd` has
 * the guest write it.
 *
 * To wait takes one thread of the runtime's pool, however many events are waited for. While a wait
 * is pending, the process does not end by itself: end it with a signal, or by closing the event.
 *
 * @example
 * ```ts
 * import { EventFd } from "@deno-kvm/kvm";
 *
 * using event = new EventFd();
 * console.log(event.read()); // undefined
 * setTimeout(() => event.write(3));
 * console.log(await event.wait()); // 3n
 * ```
 */
export class EventFd extends KvmObject {
  /** What ends before it does. */
  readonly #connections = new Set<Connection>();

  /**
   * Creates it.
   *
   * @throws {KvmError} EINVAL for a first value that can't be, EMFILE at the limit of open files.
   */
  constructor(options: EventFdOptions = {}) {
    const names = { initial: true, semaphore: true } as const;
    checkNames("create an eventfd", "What says how", options, names);
    const { initial = 0, semaphore = false } = options;
    checkInteger("create an eventfd", "Its first value", initial, 0, U32_MAX);
    super(createEventFd(initial, semaphore));
    // A class of a user's may have properties of its own.
    if (new.target === EventFd) Object.freeze(this);
  }

  /**
   * Signals the event: adds 1, or `value`, to the counter.
   *
   * @throws {KvmError} EINVAL for a number that is not from 0 to 2^64 - 2, EAGAIN if the counter
   * would be above that, EBADF once closed.
   */
  write(value: number | bigint = 1n): void {
    const count = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof count !== "bigint" || count < 0n || count > EVENT_FD_MAX) {
      const operation = `signal an eventfd ${show(value)} times`;
      const hint = "It can be signalled a whole number of times from 0 to 2^64 - 2";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    writeEventFd(this.handle, count);
  }

  /**
   * Takes the counter's value, or 1 of a semaphore's; undefined if the event was not signalled.
   * It never blocks.
   *
   * @throws {KvmError} EBADF once closed.
   */
  read(): bigint | undefined {
    return readEventFd(this.handle);
  }

  /**
   * Resolves when the event is signalled, with what {@linkcode read} takes. Of several who wait, each
   * signal wakes one who finds something to take.
   *
   * @throws {KvmError} EBADF once closed, also if that happens meanwhile; or the signal's reason.
   */
  async wait(options: WaitOptions = {}): Promise<bigint> {
    checkNames("wait for an event", "What ends it", options, { signal: true });
    const { signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      const value = this.read();
      if (value !== undefined) return value;
      await readable(this.handle, signal);
    }
  }

  /**
   * What each {@linkcode wait} gives, until the event is closed.
   *
   * @example
   * ```ts
   * import { EventFd } from "@deno-kvm/kvm";
   *
   * using event = new EventFd({ initial: 2, semaphore: true });
   * let left = 2;
   * for await (const value of event) {
   *   console.log(value); // 1n, and again 1n
   *   if (--left === 0) break;
   * }
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<bigint, void, void> {
    while (!this.closed) {
      let value: bigint;
      try {
        value = await this.wait();
      } catch (error) {
        if (this.closed) return;
        throw error;
      }
      yield value;
    }
  }

  /** @internal */
  connect(connection: Connection): void {
    this.#connections.add(connection);
  }

  /** @internal */
  disconnect(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Ends what it is connected to, and whoever waits for it; then closes it. */
  override close(): void {
    if (this.closed) return;
    using end = new DisposableStack();
    end.defer(() => super.close());
    end.defer(() => stopWaiting(this.handle));
    for (const connection of this.#connections) end.use(connection);
  }
}
