/**
 * Waiting for file descriptors to become readable, without blocking this thread.
 *
 * Any number of waits of a realm share one thread of the runtime's pool, which sleeps in
 * epoll_wait(2); without a wait there is no thread. That thread can always be woken: a wait that is
 * given up settles when nothing sleeps on its behalf any more.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { addressOf } from "./address.ts";
import { createEventFd, readEventFd, writeEventFd } from "./event_fd.ts";
import { Fd } from "./fd.ts";
import { Mapping, PAGE_SIZE } from "./mapping.ts";
import { failure, syscall, syscallOnPool } from "./syscall.ts";

// uapi linux/eventpoll.h
const EPOLL_CLOEXEC = 0o2000000n;
const EPOLL_CTL_ADD = 1n;
const EPOLL_CTL_DEL = 2n;
const EPOLLIN = 1;
/** `struct epoll_event` is packed on x86-64: the events, then 64 bits of our own. */
const EVENT_WORDS = 3;
const EVENTS = BigInt(Math.floor(PAGE_SIZE / (EVENT_WORDS * 4)));

/**
 * The sleep is renewed so often, in milliseconds. A realm that is terminated (a Worker) has no last
 * word: so its thread ends by itself.
 */
const LEASE = 10_000n;

type Wait = PromiseWithResolvers<void>;

const event = Uint32Array.of(EPOLLIN, 0, 0);
const eventBytes = new Uint8Array(event.buffer);

let current: Poll | undefined;

/**
 * Resolves once the descriptor is readable, or {@linkcode stopWaiting} was called; others may have
 * read by then. While it is pending, the process does not end by itself.
 *
 * @throws the signal's reason.
 */
export async function readable(fd: Fd, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const poll = current ??= new Poll();
  const wait = poll.add(fd.number);
  const abort = () => poll.remove(fd.number, wait, signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await wait.promise;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Ends all waits for a descriptor; must come before its end. */
export function stopWaiting(fd: Fd): void {
  current?.removeAll(fd.number);
}

/** An epoll instance and its thread, from the first of a few waits to the last. */
class Poll {
  readonly #epoll: Fd;
  readonly #wake: Fd;
  /** No buffer of the realm's heap: the thread may outlive that. */
  readonly #events: Mapping;
  readonly #waits = new Map<number, Set<Wait>>();
  /** What to settle when the thread is back. */
  #over: (() => void)[] = [];
  #running = false;

  constructor() {
    using cleanup = new DisposableStack();
    const attempt = { operation: "wait for a file descriptor" };
    const number = syscall("epoll_create1", attempt, EPOLL_CLOEXEC);
    this.#epoll = cleanup.use(new Fd(Number(number), "epoll instance"));
    this.#wake = cleanup.use(createEventFd(0, false));
    this.#events = cleanup.use(Mapping.anonymous(PAGE_SIZE, "events"));
    this.#control(EPOLL_CTL_ADD, this.#wake.number);
    cleanup.move();
  }

  add(fd: number): Wait {
    const wait = Promise.withResolvers<void>();
    try {
      const waits = this.#waits.get(fd);
      if (waits === undefined) {
        this.#control(EPOLL_CTL_ADD, fd);
        this.#waits.set(fd, new Set([wait]));
      } else waits.add(wait);
    } finally {
      // A sleep under way sees what is added to it.
      if (!this.#running) this.#run();
    }
    return wait;
  }

  /** Takes one wait back. */
  remove(fd: number, wait: Wait, reason: unknown): void {
    const waits = this.#waits.get(fd);
    if (!waits?.delete(wait)) return;
    if (waits.size === 0) this.#forget(fd);
    this.#over.push(() => wait.reject(reason));
    writeEventFd(this.#wake, 1n);
  }

  removeAll(fd: number): void {
    if (!this.#waits.has(fd)) return;
    this.#resolve(fd);
    writeEventFd(this.#wake, 1n);
  }

  #resolve(fd: number): void {
    this.#waits.get(fd)?.forEach(({ resolve }) => this.#over.push(resolve));
    this.#forget(fd);
  }

  #forget(fd: number): void {
    this.#waits.delete(fd);
    this.#control(EPOLL_CTL_DEL, fd);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waits.size > 0) {
        await this.#sleep();
        if (this.#waits.size > 0) this.#settle();
      }
    } catch (error) {
      for (const waits of this.#waits.values()) {
        waits.forEach(({ reject }) => this.#over.push(() => reject(error)));
      }
    }
    // Nothing is awaited from the last look at the waits to here: none can have come.
    current = undefined;
    this.#epoll.close();
    this.#wake.close();
    this.#events.close();
    this.#settle();
  }

  #settle(): void {
    const over = this.#over;
    this.#over = [];
    for (const settle of over) settle();
  }

  /** Sleeps once, and notes what has become readable. */
  async #sleep(): Promise<void> {
    const { address, buffer } = this.#events;
    const epoll = BigInt(this.#epoll.number);
    const result = Number(await syscallOnPool("epoll_wait", epoll, address, EVENTS, LEASE));
    if (result < 0 && result !== -Errno.EINTR) {
      throw failure("wait for a file descriptor", "epoll_wait", -result);
    }
    const words = new Uint32Array(buffer, 0, Math.max(result, 0) * EVENT_WORDS);
    for (let at = 1; at < words.length; at += EVENT_WORDS) {
      const fd = words[at]!;
      if (fd === this.#wake.number) readEventFd(this.#wake);
      else if (this.#waits.has(fd)) this.#resolve(fd);
    }
  }

  #control(what: bigint, fd: number): void {
    event[1] = fd;
    const attempt = {
      operation: "wait for a file descriptor",
      hint: { EBADF: "It was closed: wait before close() or the end of its using block" },
    };
    const epoll = BigInt(this.#epoll.number);
    syscall("epoll_ctl", attempt, epoll, what, BigInt(fd), addressOf(eventBytes));
  }
}
