/**
 * How a guest under test fails.
 *
 * @module
 */

import type { ExitRecord } from "../kvm/mod.ts";

/** What a {@linkcode GuestError} is made of. */
export interface GuestErrorInit {
  /** What happened, one sentence without its full stop. */
  readonly message: string;
  /** The last exit. */
  readonly exit: ExitRecord;
  /** The registers, as text. */
  readonly registers: string;
}

/**
 * A guest that did not end as expected: an endless loop, a triple fault, an exception nobody took.
 * The message has the registers.
 */
export class GuestError extends Error {
  /** Always `"GuestError"`. */
  override readonly name: string = "GuestError";
  /** The last exit. */
  readonly exit: ExitRecord;

  /** Composes the message. */
  constructor({ message, exit, registers }: GuestErrorInit) {
    super(`${message}\nLast exit: ${Deno.inspect(exit)}\n${registers}`);
    this.exit = exit;
  }
}
