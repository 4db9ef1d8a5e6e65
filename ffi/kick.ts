/**
 * Stopping a thread in KVM_RUN from another one.
 *
 * `immediate_exit` is set first and the signal sent then: whoever misses the signal, because it
 * came before KVM_RUN, finds the byte (api.rst 5, The kvm_run structure). The byte lies in a mapping
 * that its owner may close at any time, so a kick is counted in before and out after, and closing
 * waits for the count.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import type { Mapping } from "./mapping.ts";
import { shim } from "./shim.ts";
import { handleSignal, SIGNAL } from "./signal.ts";
import { syscall } from "./syscall.ts";

/** What another thread needs for a kick; `postMessage` shares it. */
export type KickHandle = SharedArrayBuffer;

// Indices of 32-bit words, and of the 64-bit ones behind them.
const USERS = 0;
const PENDING = 1;
const TID = 2;
const MAGIC = 3;
const ADDRESS = 2;
const POOL_TID = 3;
const BYTES = 32;
/** "kick": no other shared buffer's third word may be taken for an address. */
const MAGIC_VALUE = 0x6b63_696b;
const CLOSED = 1 << 30;

/** The owner's side: the thread that runs. */
export class Kickable {
  /** For the other threads. */
  readonly handle: KickHandle = new SharedArrayBuffer(BYTES);
  readonly #words = new Int32Array(this.handle);

  /** The calling thread can be kicked out of a run that looks at this byte of a mapping. */
  constructor(mapping: Mapping, offset: number) {
    handleSignal();
    new BigUint64Array(this.handle)[ADDRESS] = mapping.address + BigInt(offset);
    this.#words[MAGIC] = MAGIC_VALUE;
    this.#words[TID] = Number(syscall("gettid", { operation: "find the thread" }));
  }

  /** From now on the run may also be on the thread whose id is found there. */
  setPool(tidAddress: bigint): void {
    new BigUint64Array(this.handle)[POOL_TID] = tidAddress;
  }

  /** Whether a kick came since the last time that this was asked. */
  takePending(): boolean {
    return Atomics.exchange(this.#words, PENDING, 0) !== 0;
  }

  /** Whether a kick came that nobody has taken. */
  get pending(): boolean {
    return Atomics.load(this.#words, PENDING) !== 0;
  }

  /** Refuses kicks from now on, and waits for those under way: some hundred nanoseconds. */
  close(): void {
    Atomics.or(this.#words, USERS, CLOSED);
    while ((Atomics.load(this.#words, USERS) & ~CLOSED) !== 0);
  }
}

/**
 * Kicks from any thread; false if the owner has closed. A kick that comes while the owner is not
 * running ends its next run.
 *
 * @throws {KvmError} EINVAL for what is no handle.
 */
export function kick(handle: KickHandle): boolean {
  const valid = handle instanceof SharedArrayBuffer && handle.byteLength === BYTES;
  if (!valid || new Int32Array(handle)[MAGIC] !== MAGIC_VALUE) {
    const hint = "The argument is a vCPU's kickHandle";
    throw new KvmError({ operation: "kick a vCPU", errno: Errno.EINVAL, hint });
  }
  const words = new Int32Array(handle);
  const users = Atomics.add(words, USERS, 1);
  try {
    if ((users & CLOSED) !== 0) return false;
    Atomics.store(words, PENDING, 1);
    const addresses = new BigUint64Array(handle);
    shim().kick(addresses[ADDRESS]!, words[TID]!, SIGNAL, addresses[POOL_TID]!);
    return true;
  } finally {
    Atomics.sub(words, USERS, 1);
  }
}
