/**
 * The one error class of the library.
 *
 * @module
 */

import { errnoName } from "./errno.ts";

/** What a {@linkcode KvmError} is made of. */
export interface KvmErrorInit {
  /** What was tried, as the end of a sentence that begins with "Cannot": `"create vCPU 3"`. */
  readonly operation: string;
  /** The error number, positive: 22 for EINVAL. */
  readonly errno: number;
  /** The system call or ioctl that refused; left out where the library itself did. */
  readonly call?: string | undefined;
  /** What to do about it, one sentence or more. */
  readonly hint?: string | undefined;
}

/**
 * Whatever goes wrong in this library: the kernel refused, or an argument could not be right and
 * never reached the kernel.
 *
 * `code` tells the two apart from each other no more than the kernel would: an address outside the
 * guest's memory is `EFAULT`, overlapping slots are `EEXIST`, a closed object is `EBADF`.
 *
 * @example
 * ```ts
 * import { Kvm, KvmError } from "@deno-kvm/kvm";
 *
 * try {
 *   Kvm.open("/dev/null");
 * } catch (error) {
 *   if (!(error instanceof KvmError)) throw error;
 *   console.log(error.code, error.hint); // "ENOTTY", ...
 * }
 * ```
 */
export class KvmError extends Error {
  /** Always `"KvmError"`. */
  override readonly name: string = "KvmError";
  /** What was tried: `"create vCPU 3"`. */
  readonly operation: string;
  /** The error number, positive: 22. */
  readonly errno: number;
  /** The error number's name: `"EINVAL"`. */
  readonly code: string;
  /** The system call or ioctl that refused, if one did: `"KVM_CREATE_VCPU"`. */
  readonly call: string | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;

  /** Composes the message: "Cannot create vCPU 3: KVM_CREATE_VCPU: EEXIST. Choose another id." */
  constructor(init: KvmErrorInit) {
    const code = errnoName(init.errno);
    const call = init.call === undefined ? "" : `${init.call}: `;
    const hint = init.hint === undefined ? "" : `. ${init.hint}`;
    super(`Cannot ${init.operation}: ${call}${code}${hint}`);
    this.operation = init.operation;
    this.errno = init.errno;
    this.code = code;
    this.call = init.call;
    this.hint = init.hint;
  }
}
