/**
 * Refuses descriptions that no table can say.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";

/** The error for an argument that can't be right. */
export function invalid(operation: string, hint: string): KvmError {
  return new KvmError({ operation, errno: Errno.EINVAL, hint });
}
