/**
 * The guest's stack: the caller's, or one that is found room for.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import type { Range } from "../memory/mod.ts";
import type { Space, Want } from "./place.ts";

/** What a stack has at least if it is chosen here; below it most often comes free memory. */
export const STACK_BYTES = 1024;

/** A caller's stack must have room for this much. */
const LEAST = 16;

/** Takes the caller's stack out of free memory; undefined if one is to be chosen. */
export function givenStack(
  operation: string,
  space: Space,
  stack: number | undefined,
  align: number,
): Range | undefined {
  if (stack === undefined) return undefined;
  const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
  if (!Number.isSafeInteger(stack) || stack % align !== 0) {
    throw invalid(
      `The stack, ${show(stack)}, is the first address above it, a multiple of ${align}`,
    );
  }
  const room = space.below(stack);
  if (room < LEAST) {
    throw invalid(
      `Below the stack, 0x${
        stack.toString(16)
      }, ${room} bytes are free for it: it is outside the ` +
        `memory that the guest can write, or at the code's end, or among the ranges to avoid`,
    );
  }
  const size = Math.min(room, STACK_BYTES);
  const range = { guestPhysAddr: stack - size, size };
  space.exclude(range);
  return range;
}

/** Room for a stack. Wanted last, it comes to lie lowest and has what is free below it, too. */
export function stackWant(align: number): Want {
  return { what: "the stack", size: STACK_BYTES, align };
}
