/**
 * KVM_EXIT_INTERNAL_ERROR: KVM could not go on.
 *
 * @module
 */

import { offsetOf, type StructOf, view } from "../../../ffi/mod.ts";
import { InternalError, kvmRun } from "../../../ffi/uapi/mod.ts";
import { copyExit, inspectExit, type InternalErrorRecord } from "./copy.ts";
import type { RunPage } from "./run_page.ts";

const { internal, emulationFailure } = kvmRun.exit.union;
const EXIT = offsetOf(kvmRun, "exit");
/** KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES */
const HAS_INSTRUCTION = 1n;

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(InternalError).map(([name, number]) => [number, name]),
);

/**
 * KVM met something it can't do, most often an instruction that its emulator lacks. RIP is at that
 * instruction: registers may be set and the vCPU run again.
 */
export class InternalErrorExit implements InternalErrorRecord {
  /** `"internalError"`. */
  readonly reason = "internalError" as const;
  readonly #page: RunPage;
  readonly #internal: StructOf<typeof internal>;
  readonly #emulation: StructOf<typeof emulationFailure>;

  /** Reads the payload of a run page. */
  constructor(page: RunPage) {
    this.#page = page;
    this.#internal = view(internal, page.view.buffer, EXIT);
    this.#emulation = view(emulationFailure, page.view.buffer, EXIT);
  }

  /** Which error: one of `InternalError`. */
  get suberror(): number {
    void this.#page.view;
    return this.#internal.suberror;
  }

  /** The error's name: `"EMULATION"`, or the number of an unknown one. */
  get name(): string {
    return names[this.suberror] ?? String(this.suberror);
  }

  /** What KVM adds: its meaning depends on the error and on the processor's maker. */
  get data(): readonly bigint[] {
    void this.#page.view;
    return [...this.#internal.data.subarray(0, this.#internal.ndata)];
  }

  /** The bytes of the instruction that KVM could not emulate, if it tells them. */
  get instruction(): Uint8Array<ArrayBuffer> | undefined {
    if (this.suberror !== InternalError.EMULATION || this.#internal.ndata === 0) return undefined;
    const { flags, insnSize, insnBytes } = this.#emulation;
    return flags & HAS_INSTRUCTION ? insnBytes.slice(0, insnSize) : undefined;
  }

  /** What `JSON.stringify` has: the fields. */
  toJSON(): InternalErrorRecord {
    return copyExit(this) as InternalErrorRecord;
  }

  /** Shows the fields in `console.log`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    return inspectExit(this, inspect, options);
  }
}
