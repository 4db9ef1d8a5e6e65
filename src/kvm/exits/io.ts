/**
 * KVM_EXIT_IO: the guest used a port.
 *
 * @module
 */

import { Errno, KvmError, offsetOf } from "../../../ffi/mod.ts";
import { kvmRun } from "../../../ffi/uapi/mod.ts";
import { copyExit } from "./copy.ts";
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
export class IoExit {
  /** `"io"`. */
  readonly reason = "io" as const;
  readonly #page: RunPage;
  readonly #views = new Map<number, Uint8Array<ArrayBuffer>>();

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
    const length = this.size * this.count;
    let data = this.#views.get(length);
    if (data === undefined) {
      data = new Uint8Array(this.#page.view.buffer, this.#dataOffset, length);
      this.#views.set(length, data);
    }
    return data;
  }

  /** The element as an unsigned number; of several, the first. */
  get value(): number {
    const { view } = this.#page;
    const at = this.#dataOffset;
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
    if (typeof value !== "number") {
      const hint = "The value of a port is a number: its low 8, 16 or 32 bits are used";
      throw new KvmError({ operation: `answer an IN with ${value}`, errno: Errno.EINVAL, hint });
    }
    const { view } = this.#page;
    const { size } = this;
    const end = this.#dataOffset + size * this.count;
    for (let at = this.#dataOffset; at < end; at += size) {
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
  }

  /** KVM puts it on the page behind the struct: constant, and a small number. */
  get #dataOffset(): number {
    return this.#page.view.getUint32(DATA_OFFSET, true);
  }

  /** Shows the fields in `console.log`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    return inspect(copyExit(this), options);
  }
}
