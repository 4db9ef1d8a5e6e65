/**
 * Exits that outlive the next run.
 *
 * @module
 */

import { checkObject, KvmError, plain } from "../../../ffi/mod.ts";
import type { InternalErrorExit } from "./internal_error.ts";
import type { IoExit } from "./io.ts";
import type { MmioExit } from "./mmio.ts";
import type { PayloadExit, UnsupportedExit } from "./payload.ts";

/** A copy of an {@linkcode IoExit}. */
export type IoRecord = Pick<IoExit, "reason" | "direction" | "port" | "size" | "count" | "data">;
/** A copy of an {@linkcode MmioExit}. */
export type MmioRecord = Pick<MmioExit, "reason" | "physAddr" | "len" | "isWrite" | "data">;
/** A copy of an {@linkcode InternalErrorExit}. */
export type InternalErrorRecord = Pick<
  InternalErrorExit,
  "reason" | "suberror" | "name" | "instruction" | "data"
>;
/** A copy of any exit: a plain object of its fields. */
export type ExitRecord =
  | IoRecord
  | MmioRecord
  | InternalErrorRecord
  | PayloadExit
  | UnsupportedExit;

/**
 * Copies an exit into a plain object that the next run does not change.
 *
 * @example
 * ```ts
 * import { copyExit, type ExitRecord, guests, Kvm, longMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 * longMode(vcpu, memory, { code: guests.hello });
 * const exits: ExitRecord[] = [];
 * do exits.push(copyExit(vcpu.run())); while (exits.at(-1)?.reason === "io");
 * console.log(exits.length); // 23: one for each character, and HLT
 * ```
 */
export function copyExit(
  exit: IoExit | MmioExit | InternalErrorExit | PayloadExit | UnsupportedExit,
): ExitRecord {
  checkObject("copy an exit", "An exit", exit);
  switch (exit.reason) {
    case "io": {
      const { reason, direction, port, size, count, data } = exit;
      return { reason, direction, port, size, count, data: data.slice() };
    }
    case "mmio": {
      const { reason, physAddr, len, isWrite, data } = exit;
      return { reason, physAddr, len, isWrite, data: data.slice() };
    }
    case "internalError": {
      const { reason, suberror, name, instruction, data } = exit;
      return { reason, suberror, name, instruction, data };
    }
    case "unsupported":
      return { ...exit, padding: exit.padding.slice() };
    default:
      return Object.assign({ reason: exit.reason }, plain(exit)) as PayloadExit;
  }
}

/** What `console.log` shows of an exit: its fields, as long as they can be read. */
export function inspectExit(
  exit: Parameters<typeof copyExit>[0],
  inspect: typeof Deno.inspect,
  options: Deno.InspectOptions,
): string {
  try {
    return inspect(copyExit(exit), options);
  } catch (error) {
    if (error instanceof KvmError) return `${exit.reason} exit of a closed vCPU`;
    throw error;
  }
}
