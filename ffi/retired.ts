/**
 * Addresses of memory that was closed, which nothing else gets for a while.
 *
 * Detaching a buffer takes it from JavaScript and not from the runtime: `Deno.stdin.read(bytes)` that
 * is under way writes to the addresses when its input comes, however late, and nothing tells whether
 * anyone still will. So fresh pages take the memory's place, and the addresses go back to the kernel
 * only when many others have been closed since. The pages can be written to, since a runtime that
 * copies into them by itself would crash otherwise.
 *
 * The queue is the whole process's, in the shim's memory: with a Worker's own, its addresses would be
 * lost at its end. A thread that is terminated between two steps loses one range of addresses.
 *
 * @module
 */

import { blank, munmap } from "./mmap.ts";
import { handleSignal } from "./signal.ts";
import type { Attempt } from "./syscall.ts";

/** How many ranges stay, of how many pages in all; the newest stays even if it has more. */
const RANGES = 256;
const PAGES = 16n << 18n;

/** Behind the table of {@link ./kick.ts}; `RETIRED_BYTES` of `shim.asm` has room for the queue. */
const OFFSET = 4096n * 32n;

// The queue's 64-bit words: how many came until now, the sum of their pages, and then their places.
const COUNT = 0;
const TOTAL = 1;
const FIRST = 2;

/**
 * A range is one word, for an exchange to be atomic: so many bits for the pages, which is 2 TiB, and
 * the first one's number.
 */
const PAGE_BITS = 29n;
const MOST_PAGES = (1n << PAGE_BITS) - 1n;
const PAGE_SHIFT = 12n;

const attempt: Attempt = { operation: "give addresses back" };

let queue: BigUint64Array<ArrayBuffer> | undefined;

function words(): BigUint64Array<ArrayBuffer> {
  if (queue === undefined) {
    const pointer = Deno.UnsafePointer.create(handleSignal() + OFFSET)!;
    const size = (FIRST + RANGES) * 8;
    queue = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
  }
  return queue;
}

/** Gives memory back, and its addresses later; those of more than 2 TiB at once. */
export function retire(address: bigint, size: number): void {
  const pages = BigInt(size) >> PAGE_SHIFT;
  try {
    if (pages <= MOST_PAGES) {
      blank(attempt, address, size);
      keep(address >> PAGE_SHIFT, pages);
      return;
    }
  } catch {
    // The host counts even these pages, or the process has too many mappings.
    releaseRetired();
  }
  munmap(attempt, address, size);
}

function keep(page: bigint, pages: bigint): void {
  const queue = words();
  const number = Number(Atomics.add(queue, COUNT, 1n));
  Atomics.add(queue, TOTAL, pages);
  exchange(queue, number, page << PAGE_BITS | pages);
  // From the oldest on. Other threads add to them meanwhile, and then the order is not exact.
  for (let old = number + 1; old < number + RANGES && Atomics.load(queue, TOTAL) > PAGES; old++) {
    exchange(queue, old, 0n);
  }
}

/** Puts a range, or none, into a place, and gives back the one that was there; whether one was. */
function exchange(queue: BigUint64Array<ArrayBuffer>, number: number, range: bigint): boolean {
  const old = Atomics.exchange(queue, FIRST + number % RANGES, range);
  if (old === 0n) return false;
  const pages = old & MOST_PAGES;
  Atomics.sub(queue, TOTAL, pages);
  try {
    munmap(attempt, old >> PAGE_BITS << PAGE_SHIFT, Number(pages << PAGE_SHIFT));
  } catch {
    // A hole would be one mapping too many for the process. It is not for a closing VM to fail for that.
  }
  return true;
}

/** Gives all addresses back at once, for when there are no others left; whether there were any. */
export function releaseRetired(): boolean {
  let any = false;
  const queue = words();
  for (let number = 0; number < RANGES; number++) any = exchange(queue, number, 0n) || any;
  return any;
}
