/**
 * Why a vCPU stopped running: one typed object per kind of exit, reading the run page in place.
 *
 * @module
 */

import { offsetOf } from "../../../ffi/mod.ts";
import { ExitReason, kvmRun } from "../../../ffi/uapi/mod.ts";
import { copyExit, inspectExit } from "./copy.ts";
import { InternalErrorExit } from "./internal_error.ts";
import { IoExit } from "./io.ts";
import { MmioExit } from "./mmio.ts";
import { type ExitKind, exitKinds, type PayloadExit, type UnsupportedExit } from "./payload.ts";
import type { RunPage } from "./run_page.ts";

export { exitKinds, InternalErrorExit, IoExit, MmioExit, type PayloadExit, type UnsupportedExit };
export {
  copyExit,
  type ExitRecord,
  type InternalErrorRecord,
  type IoRecord,
  type MmioRecord,
} from "./copy.ts";
export { type KvmRun, RunPage } from "./run_page.ts";

const EXIT = offsetOf(kvmRun, "exit");

/**
 * What `vcpu.run()` returns, told apart by `reason`. The object is the same one each time for a
 * kind, and shows the run page as it is now: copy what must outlive the next run.
 */
export type Exit = IoExit | MmioExit | InternalErrorExit | PayloadExit | UnsupportedExit;

/** The name of an exit: `"io"`, `"hlt"`, `"memoryFault"`... */
export type ExitName = Exit["reason"];

/** Gives each exit of a vCPU its object; makes each once. */
export class ExitDecoder {
  readonly #page: RunPage;
  // One slot per reason, so that the array stays dense and fast.
  readonly #exits: (Exit | undefined)[] = new Array<undefined>(64).fill(undefined);

  /** Decodes the exits that KVM_RUN leaves on a page. */
  constructor(page: RunPage) {
    this.#page = page;
    this.#exits[ExitReason.IO] = new IoExit(page);
    this.#exits[ExitReason.MMIO] = new MmioExit(page);
    this.#exits[ExitReason.INTERNAL_ERROR] = new InternalErrorExit(page);
  }

  /** The exit that the page holds now. */
  decode(): Exit {
    const { exitReason } = this.#page;
    return this.#exits[exitReason] ?? this.#make(exitReason);
  }

  /** The exit of an interrupted run, whatever the page says. */
  interrupted(): Exit {
    return this.#exits[ExitReason.INTR] ?? this.#make(ExitReason.INTR);
  }

  #make(exitReason: number): Exit {
    const exit = payloadExit(this.#page, exitReason);
    if (exitReason < this.#exits.length) this.#exits[exitReason] = exit;
    return exit;
  }
}

/** The exit object of a reason. */
function payloadExit(page: RunPage, exitReason: number): PayloadExit | UnsupportedExit {
  const kind: ExitKind | undefined = exitKinds[exitReason as keyof typeof exitKinds];
  if (kind === undefined) {
    const { padding } = page.fields.exit;
    return { reason: "unsupported", exitReason, padding };
  }
  return page.struct(kind.payload, EXIT, {
    reason: { value: kind.reason, enumerable: true },
    toJSON: {
      value(this: PayloadExit) {
        return copyExit(this);
      },
    },
    [Symbol.for("Deno.customInspect")]: {
      value(this: PayloadExit, inspect: typeof Deno.inspect, options: Deno.InspectOptions) {
        return inspectExit(this, inspect, options);
      },
    },
  }) as unknown as PayloadExit;
}
