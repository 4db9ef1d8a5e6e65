/**
 * A lock between threads.
 *
 * @module
 */

const FREE = 0;
const HELD = 1;
/** Held, and somebody may be waiting. */
const CONTENDED = 2;

/** A mutex in a word of shared memory: one exchange where nobody else wants it. */
export class Lock {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #at: number;

  /** The word is 0 at first. */
  constructor(words: Int32Array<SharedArrayBuffer>, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Waits until it is this thread's. It can't be taken twice. */
  acquire(): void {
    if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE) this.#wait();
  }

  /** Gives it back. */
  release(): void {
    if (Atomics.exchange(this.#words, this.#at, FREE) === CONTENDED) {
      Atomics.notify(this.#words, this.#at, 1);
    }
  }

  /** Does something while holding it. */
  hold<T>(action: () => T): T {
    this.acquire();
    try {
      return action();
    } finally {
      this.release();
    }
  }

  #wait(): void {
    while (Atomics.exchange(this.#words, this.#at, CONTENDED) !== FREE) {
      Atomics.wait(this.#words, this.#at, CONTENDED);
    }
  }
}
