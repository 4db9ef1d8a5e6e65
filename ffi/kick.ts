/**
 * Stopping a thread in KVM_RUN from another one.
 *
 * `immediate_exit` is set first and the signal sent then: whoever misses the signal, because it
 * came before KVM_RUN, finds the byte (api.rst 5, The kvm_run structure). The byte lies in a mapping
 * that its owner may close at any time, so a kick is counted in before and out after, and closing
 * waits for the count. The shim does it in one call: a Worker can be terminated between two.
 *
 * A kick that finds an earlier one, which nobody has taken yet, sends no signal: else whoever kicks
 * without pause would keep the owner from ever running.
 *
 * Where the bytes lie stands in one table for the process, in the shim's memory, which every isolate
 * sees. What goes from thread to thread is a place in it and its owner's number there. Handles can be
 * guessed; a forged one can end a run of this process, and touch nothing else.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import type { Mapping } from "./mapping.ts";
import { shim } from "./shim.ts";
import { handleSignal, SIGNAL } from "./signal.ts";
import { syscall } from "./syscall.ts";

/** What another thread needs for a kick; `postMessage` takes it there. */
export type KickHandle = number;

/** `TABLE_BYTES` of `shim.asm` has room for as many. */
const ENTRIES = 4096;
const ENTRY_WORDS = 8;

// The 32-bit words of an entry. The two addresses take two words each.
/** How many kicks are under way, and whether the entry is in use. */
const USERS = 0;
/** Counts the entry's owners, so that an old handle does not kick a new one. */
const GENERATION = 1;
const ADDRESS = 2;
const TID = 4;
const PENDING = 5;
const POOL_TID = 6;

const OPEN = 1 << 30;
const RESERVED = 1 << 29;
/** A handle is exact as a number: 12 bits of place, 31 of generation. */
const GENERATIONS = 0x7fff_ffff;

interface Table {
  readonly words: Int32Array<ArrayBuffer>;
  readonly addresses: BigUint64Array<ArrayBuffer>;
}

let shared: Table | undefined;

function table(): Table {
  if (shared === undefined) {
    const pointer = Deno.UnsafePointer.create(handleSignal());
    const size = ENTRIES * ENTRY_WORDS * 4;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer!, size);
    shared = { words: new Int32Array(buffer), addresses: new BigUint64Array(buffer) };
  }
  return shared;
}

/** The owner's side: the thread that runs. */
export class Kickable {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #addresses: BigUint64Array<ArrayBuffer>;
  /** For the other threads. */
  readonly handle: KickHandle;

  /** The calling thread can be kicked out of a run that looks at this byte of a mapping. */
  constructor(mapping: Mapping, offset: number) {
    const { words, addresses } = table();
    // All that can fail comes before the entry is taken.
    const tid = Number(syscall("gettid", { operation: "find the thread" }));
    const address = mapping.address + BigInt(offset);
    const entry = reserve(words);
    this.#words = words.subarray(entry * ENTRY_WORDS, (entry + 1) * ENTRY_WORDS);
    this.#addresses = addresses.subarray(entry * ENTRY_WORDS / 2, (entry + 1) * ENTRY_WORDS / 2);
    this.#addresses[ADDRESS / 2] = address;
    this.#addresses[POOL_TID / 2] = 0n;
    this.#words[TID] = tid;
    this.#words[PENDING] = 0;
    const generation = (this.#words[GENERATION]! + 1) & GENERATIONS;
    this.#words[GENERATION] = generation;
    this.handle = generation * ENTRIES + entry;
    Atomics.add(this.#words, USERS, OPEN - RESERVED);
  }

  /** From now on the run may also be on the thread whose id is found there. */
  setPool(tidAddress: bigint): void {
    this.#addresses[POOL_TID / 2] = tidAddress;
  }

  /** Whether a kick came since the last time that this was asked. */
  takePending(): boolean {
    return Atomics.exchange(this.#words, PENDING, 0) !== 0;
  }

  /** Whether a kick came that nobody has taken. */
  get pending(): boolean {
    return Atomics.load(this.#words, PENDING) !== 0;
  }

  /**
   * Refuses kicks from now on, and waits for those under way: some hundred nanoseconds, or as long as
   * the scheduler leaves one of their threads out. New ones don't enter any more, and none can be
   * terminated halfway.
   */
  close(): void {
    Atomics.and(this.#words, USERS, ~OPEN);
    while (Atomics.load(this.#words, USERS) !== 0) {
      syscall("sched_yield", { operation: "wait for a kick" });
    }
  }
}

/** Takes a free entry. */
function reserve(words: Int32Array<ArrayBuffer>): number {
  for (let entry = 0; entry < ENTRIES; entry++) {
    const at = entry * ENTRY_WORDS + USERS;
    if (Atomics.compareExchange(words, at, 0, RESERVED) === 0) return entry;
  }
  throw new KvmError({
    operation: "make a vCPU's kickHandle",
    errno: Errno.ENOSPC,
    hint: `A process has ${ENTRIES} at most: close vCPUs, before their Workers end, too`,
  });
}

/**
 * Kicks from any thread of the process; false if the owner has closed. A kick that comes while the
 * owner is not running ends its next run; several that come before it has taken the first are one.
 *
 * @throws {KvmError} EINVAL for what is no handle.
 */
export function kick(handle: KickHandle): boolean {
  const generation = Number.isSafeInteger(handle) ? Math.floor(handle / ENTRIES) : 0;
  if (generation < 1 || generation > GENERATIONS) {
    const hint = "The argument is a vCPU's kickHandle";
    throw new KvmError({ operation: "kick a vCPU", errno: Errno.EINVAL, hint });
  }
  const entry = handleSignal() + BigInt(handle % ENTRIES * ENTRY_WORDS * 4);
  return shim().kickEntry(entry, generation, SIGNAL) !== 0;
}
