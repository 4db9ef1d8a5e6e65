/**
 * Unit tests for machine code: run a snippet or a guest in a VM of its own, and look at what it left
 * behind.
 *
 * Code given as NASM source needs NASM and `--allow-run=nasm`; bytes need `--allow-ffi` alone.
 *
 * @example
 * ```ts
 * import { guests } from "@deno-kvm/kvm";
 * import { assertGuest } from "@deno-kvm/kvm/testing";
 *
 * Deno.test("the greeting comes out of the serial port", () => {
 *   assertGuest({ code: guests.hello }, { output: "Hello from long mode!\n" });
 * });
 * ```
 *
 * @module
 */

export { assertGuest, type GuestExpectation } from "./assert_guest.ts";
export { GuestError, type GuestErrorInit } from "./error.ts";
export type {
  GuestEnd,
  GuestMode,
  GuestOptions,
  MemoryInit,
  PortInput,
  PortInputs,
} from "./options.ts";
export { GuestRun, runGuest } from "./run_guest.ts";
