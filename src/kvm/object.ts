/**
 * What KVM's objects have in common: each is a file descriptor.
 *
 * @module
 */

import type { Fd } from "../../ffi/mod.ts";

/**
 * An object of the kernel's, open until `close` or the end of its `using` block. What can be made is
 * frozen at the end of its constructor: whoever put another descriptor or another memory into it would
 * have the kernel write where it must not.
 */
export abstract class KvmObject implements Disposable {
  /** @internal */
  protected readonly handle: Fd;

  /** @internal */
  constructor(handle: Fd) {
    this.handle = handle;
  }

  /** The file descriptor, for calls that this library does not make; -1 once closed. */
  get fd(): number {
    return this.handle.number;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.handle.closed;
  }

  /** Gives everything back to the kernel; the second time does nothing. */
  close(): void {
    this.handle.close();
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
