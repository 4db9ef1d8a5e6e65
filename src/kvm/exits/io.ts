/**
 * KVM_EXIT_IO: the guest used a port.
 *
 * @module
 */

import { Errno, KvmError, offsetOf, show } from "../../../ffi/mod.ts";
import { kvmRun } from "../../../ffi/uapi/mod.ts";
import { copyExit, inspectExit, type IoRecord } from "./copy.ts";
import type { RunPage } from "./run_page.ts";

const DIRECTION = offsetOf(kvmRun, "exit.io.direction");
const SIZE = offsetOf(kvmRun, "exit.io.size");
const PORT = offsetOf(kvmRun, "exit.io.port");
const COUNT = offsetOf(kvmRun, "exit.io.count");
const DATA_OFFSET = offsetOf(kvmRun, "exit.io.dataOffset");

/**
 * The guest executed IN, OUT, INS or OUTS. After an OUT, `data` is what the guest wrote; before the
 * next run, what is written to `data` or `value` is what the guest's IN reads.
 */
export class IoExit implements IoRecord {
  /** `"io"`. */
  readonly reason = "io" as const;
  readonly #page: RunPage;
  readonly #views = new Map<number, Uint8Array<ArrayBuffer>>();
  // The view of the last exit, which most often fits the next one, too.
  #data: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Reads the payload of a run page. */
  constructor(page: RunPage) {
    this.#page = page;
  }

  /** `"out"` if the guest writes, `"in"` if it reads. */
  get direction(): "in" | "out" {
    return this.#page.view.getUint8(DIRECTION) === 0 ? "in" : "out";
  }

  /** The port, 0 to 0xffff. */
  get port(): number {
    return this.#page.view.getUint16(PORT, true);
  }

  /** Bytes of each element: 1, 2 or 4. */
  get size(): number {
    return this.#page.view.getUint8(SIZE);
  }

  /** The number of elements: above 1 only for a string instruction with REP. */
  get count(): number {
    return this.#page.view.getUint32(COUNT, true);
  }

  /** The elements, in place: `size * count` bytes, little-endian. */
  get data(): Uint8Array<ArrayBuffer> {
    const { view } = this.#page;
    const length = view.getUint8(SIZE) * view.getUint32(COUNT, true);
    const data = this.#data;
    return data.length === length ? data : this.#view(length);
  }

  /** The element as an unsigned number; of several, the first. */
  get value(): number {
    const { view } = this.#page;
    const at = view.getUint32(DATA_OFFSET, true);
    switch (view.getUint8(SIZE)) {
      case 1:
        return view.getUint8(at);
      case 2:
        return view.getUint16(at, true);
      default:
        return view.getUint32(at, true);
    }
  }

  /** Answers an IN: every element is set to the value's low bits. */
  set value(value: number) {
    if (!Number.isSafeInteger(value)) refuse(value);
    const { view } = this.#page;
    const size = view.getUint8(SIZE);
    const start = view.getUint32(DATA_OFFSET, true);
    const end = start + size * view.getUint32(COUNT, true);
    for (let at = start; at < end; at += size) {
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
  }

  /** The view of so many bytes, made once. */
  #view(length: number): Uint8Array<ArrayBuffer> {
    let data = this.#views.get(length);
    if (data === undefined) {
      data = new Uint8Array(this.#page.view.buffer, this.#dataOffset, length);
      this.#views.set(length, data);
    }
    return this.#data = data;
  }

  /** KVM puts it on the page behind the struct: constant, and a small number. */
  get #dataOffset(): number {
    return this.#page.view.getUint32(DATA_OFFSET, true);
  }

  /** What `JSON.stringify` has: the fields. */
  toJSON(): IoRecord {
    return copyExit(this) as IoRecord;
  }

  /** Shows the fields in `console.log`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    return inspectExit(this, inspect, options);
  }
}

/** Apart from the setter, which stays small enough to be inlined. */
function refuse(value: unknown): never {
  const hint =
    "A port's value is a whole number, and no promise of one: its low 8, 16 or 32 bits are used";
  throw new KvmError({ operation: `answer an IN with ${show(value)}`, errno: Errno.EINVAL, hint });
}
