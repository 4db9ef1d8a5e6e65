/**
 * Exits that outlive the next run.
 *
 * @module
 */

import { checkObject, KvmError, plain } from "../../../ffi/mod.ts";
import type { PayloadExit, UnsupportedExit } from "./payload.ts";

/** What an {@linkcode IoExit} says, and a copy of it keeps. */
export interface IoRecord {
  /** `"io"`. */
  readonly reason: "io";
  /** `"out"` if the guest writes, `"in"` if it reads. */
  readonly direction: "in" | "out";
  /** The port, 0 to 0xffff. */
  readonly port: number;
  /** Bytes of each element: 1, 2 or 4. */
  readonly size: number;
  /** The number of elements. */
  readonly count: number;
  /** The elements: `size * count` bytes, little-endian. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What an {@linkcode MmioExit} says, and a copy of it keeps. */
export interface MmioRecord {
  /** `"mmio"`. */
  readonly reason: "mmio";
  /** The guest-physical address. */
  readonly physAddr: number;
  /** Bytes: 1 to 8. */
  readonly len: number;
  /** Whether the guest writes. */
  readonly isWrite: boolean;
  /** The bytes, little-endian. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What an {@linkcode InternalErrorExit} says, and a copy of it keeps. */
export interface InternalErrorRecord {
  /** `"internalError"`. */
  readonly reason: "internalError";
  /** Which error: one of `InternalError`. */
  readonly suberror: number;
  /** The error's name, or the number of an unknown one. */
  readonly name: string;
  /** The bytes of the instruction that KVM could not emulate, if it tells them. */
  readonly instruction: Uint8Array<ArrayBuffer> | undefined;
  /** What KVM adds. */
  readonly data: readonly bigint[];
}

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
export function copyExit(exit: ExitRecord): ExitRecord {
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
  exit: ExitRecord,
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
