/**
 * A queue of bytes between threads.
 *
 * @module
 */

import type { ByteSink, ByteSource } from "../../devices/mod.ts";

/** Words before the bytes: how many were put in, and how many taken out. */
const HEADER_BYTES = 8;
const PUT = 0;
const TAKEN = 1;

/**
 * A ring of bytes in shared memory, for one that puts and one that takes at a time. The counts run
 * on modulo 2^32, of which the ring's size is a divisor.
 */
export class ByteRing implements ByteSink, ByteSource {
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #mask: number;
  readonly #onPut: (() => void) | undefined;

  /**
   * A ring at an offset of zeroed shared memory.
   *
   * @param size Bytes, a power of two; the ring takes {@linkcode ByteRing.footprint} of them.
   * @param onPut Called after each byte.
   */
  constructor(buffer: SharedArrayBuffer, offset: number, size: number, onPut?: () => void) {
    this.#counts = new Int32Array(buffer, offset, 2);
    this.#bytes = new Uint8Array(buffer, offset + HEADER_BYTES, size);
    this.#mask = size - 1;
    this.#onPut = onPut;
  }

  /** Bytes that a ring of this size takes. */
  static footprint(size: number): number {
    return HEADER_BYTES + size;
  }

  /** How many bytes wait to be taken. */
  get length(): number {
    return (Atomics.load(this.#counts, PUT) - Atomics.load(this.#counts, TAKEN)) >>> 0;
  }

  /** How many bytes can be put without losing any. */
  get room(): number {
    return this.#bytes.length - this.length;
  }

  /** Adds a byte; it is lost if there is no room. */
  put(byte: number): void {
    const put = Atomics.load(this.#counts, PUT);
    if (((put - Atomics.load(this.#counts, TAKEN)) >>> 0) > this.#mask) return;
    this.#bytes[put & this.#mask] = byte;
    Atomics.store(this.#counts, PUT, (put + 1) | 0);
    this.#onPut?.();
  }

  /** Takes the next byte; -1 if there is none. */
  take(): number {
    const taken = Atomics.load(this.#counts, TAKEN);
    if (Atomics.load(this.#counts, PUT) === taken) return -1;
    const byte = this.#bytes[taken & this.#mask]!;
    Atomics.store(this.#counts, TAKEN, (taken + 1) | 0);
    return byte;
  }

  /** Takes all that is there, as a copy. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const { length } = this;
    const copy = new Uint8Array(length);
    const from = Atomics.load(this.#counts, TAKEN) & this.#mask;
    const first = this.#bytes.subarray(from, from + length);
    copy.set(first);
    copy.set(this.#bytes.subarray(0, length - first.length), first.length);
    Atomics.add(this.#counts, TAKEN, length);
    return copy;
  }

  /** Forgets what is there. */
  clear(): void {
    Atomics.store(this.#counts, TAKEN, Atomics.load(this.#counts, PUT));
  }
}
