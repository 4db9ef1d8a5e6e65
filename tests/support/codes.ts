/**
 * Assertions about `KvmError`.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";

/** The call throws a `KvmError` of this code; the error, to look at its hint. */
export function assertCode(code: string, call: () => unknown, what = ""): KvmError {
  const error = assertThrows(call, KvmError, "", `${what} should throw ${code}`);
  assertEquals(error.code, code, `${what}: ${error.message}`);
  return error;
}
