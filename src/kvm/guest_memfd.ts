/**
 * Memory that belongs to a guest, and that the host can map only where it was made so (api.rst
 * 4.142).
 *
 * @module
 */

import { Errno, Fd, from, KvmError, Mapping, PAGE_SIZE, show } from "../../ffi/mod.ts";
import { GuestMemfdFlag, kvmCreateGuestMemfd } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";
import { KvmObject } from "./object.ts";

/** What memory to make. */
export interface GuestMemfdOptions {
  /** Bytes: a multiple of 4096. */
  readonly size: number;
  /** `GuestMemfdFlag`s, of those that `check(Cap.GUEST_MEMFD_FLAGS)` answers. None by default. */
  readonly flags?: bigint | undefined;
}

/** Memory for slots, made by `vm.createGuestMemfd`. It may be closed once its slots are added. */
export class GuestMemfd extends KvmObject {
  // Not even an object that has this one as its prototype can say something else of them.
  readonly #size: number;
  readonly #flags: bigint;

  private constructor(handle: Fd, size: number, flags: bigint) {
    super(handle);
    this.#size = size;
    this.#flags = flags;
    Object.freeze(this);
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** `GuestMemfdFlag`. */
  get flags(): bigint {
    return this.#flags;
  }

  /** @internal */
  static create(vm: Fd, { size, flags = 0n }: GuestMemfdOptions): GuestMemfd {
    const operation = `make ${show(size)} bytes of guest memory`;
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0) {
      const hint = `The size is a multiple of ${PAGE_SIZE}, at least one`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    const init = from(kvmCreateGuestMemfd, { size, flags });
    const number = vm.set(KVM.KVM_CREATE_GUEST_MEMFD, init, operation);
    return new GuestMemfd(new Fd(number, "guest memory"), size, flags);
  }

  /** Whether the host can see it: mapped without both flags, an access would be a bus error. */
  get mappable(): boolean {
    const both = GuestMemfdFlag.MMAP | GuestMemfdFlag.INIT_SHARED;
    return (this.#flags & both) === both;
  }

  /** @internal Throws unless the range is within it. */
  checkRange(operation: string, offset: number, size: number): void {
    const fits = Number.isSafeInteger(offset) && offset >= 0 && offset + size <= this.#size;
    if (fits && offset % PAGE_SIZE === 0) return;
    const hint = `guestMemfdOffset is a multiple of ${PAGE_SIZE}, and the slot ends within its ` +
      `${this.#size} bytes`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }

  /** @internal The range as memory of this process. */
  map(offset: number, size: number, what: string): Mapping {
    return Mapping.shared(this.handle, size, what, offset);
  }
}
