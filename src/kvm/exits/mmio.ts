/**
 * KVM_EXIT_MMIO: the guest accessed an address without memory.
 *
 * @module
 */

import { Errno, KvmError, offsetOf, show } from "../../../ffi/mod.ts";
import { kvmRun } from "../../../ffi/uapi/mod.ts";
import { copyExit, inspectExit, type MmioRecord } from "./copy.ts";
import type { RunPage } from "./run_page.ts";

const PHYS_ADDR = offsetOf(kvmRun, "exit.mmio.physAddr");
const DATA = offsetOf(kvmRun, "exit.mmio.data");
const LEN = offsetOf(kvmRun, "exit.mmio.len");
const IS_WRITE = offsetOf(kvmRun, "exit.mmio.isWrite");
const HIGH = 2 ** 32;

/**
 * The guest read or wrote a guest-physical address without memory, or wrote to a read-only slot.
 * After a write, `data` is what the guest wrote; before the next run, what is written to `data` or
 * `value` is what the guest reads.
 */
export class MmioExit implements MmioRecord {
  /** `"mmio"`. */
  readonly reason = "mmio" as const;
  readonly #page: RunPage;
  readonly #views: Uint8Array<ArrayBuffer>[];

  /** Reads the payload of a run page. */
  constructor(page: RunPage) {
    this.#page = page;
    const { buffer } = page.view;
    this.#views = Array.from({ length: 9 }, (_, length) => new Uint8Array(buffer, DATA, length));
  }

  /** The guest-physical address; exact, since no x86 processor has more than 52 bits of them. */
  get physAddr(): number {
    const { view } = this.#page;
    return view.getUint32(PHYS_ADDR, true) + view.getUint32(PHYS_ADDR + 4, true) * HIGH;
  }

  /** Bytes: 1 to 8. An access across a page boundary comes as two exits. */
  get len(): number {
    return this.#page.view.getUint32(LEN, true);
  }

  /** Whether the guest writes. */
  get isWrite(): boolean {
    return this.#page.view.getUint8(IS_WRITE) !== 0;
  }

  /** The bytes, in place, little-endian. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.#views[this.len] ?? this.#views[8]!;
  }

  /**
   * The bytes as an unsigned number.
   *
   * @throws {KvmError} ERANGE if it is above 2^53, which only 8 bytes can be: use `bigValue`.
   */
  get value(): number {
    const { len } = this;
    const low = this.#word(DATA, len);
    const value = len > 4 ? low + this.#word(DATA + 4, len - 4) * HIGH : low;
    if (value > Number.MAX_SAFE_INTEGER) tooLarge();
    return value;
  }

  /** Answers a read with the number's low bytes; a number above 2^53 goes through `bigValue`. */
  set value(value: number) {
    if (!Number.isSafeInteger(value)) refuse(value);
    const { view } = this.#page;
    view.setUint32(DATA, value, true);
    view.setUint32(DATA + 4, Math.floor(value / HIGH), true);
  }

  /** The bytes as an unsigned bigint. */
  get bigValue(): bigint {
    const bits = this.len * 8;
    return BigInt.asUintN(bits, this.#page.view.getBigUint64(DATA, true));
  }

  /** Answers a read with the bigint's low bytes. */
  set bigValue(value: bigint) {
    this.#page.view.setBigUint64(DATA, value, true);
  }

  /** Up to four of the bytes. */
  #word(at: number, len: number): number {
    const value = this.#page.view.getUint32(at, true);
    return len >= 4 ? value : value & ((1 << (len * 8)) - 1);
  }

  /** What `JSON.stringify` has: the fields. */
  toJSON(): MmioRecord {
    return copyExit(this) as MmioRecord;
  }

  /** Shows the fields in `console.log`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    return inspectExit(this, inspect, options);
  }
}

// Apart from the accessors, which stay small enough to be inlined.

function tooLarge(): never {
  const hint = "The value has more than 53 bits: use bigValue";
  throw new KvmError({ operation: "read an MMIO value", errno: Errno.ERANGE, hint });
}

function refuse(value: unknown): never {
  const operation = `answer an MMIO read with ${show(value)}`;
  const hint = "The value is a whole number up to 2^53; bigValue takes a bigint";
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
