/**
 * An ioctl on a thread of the runtime's pool, which can be kicked out of it.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { closedError } from "./fd.ts";
import { Mapping, PAGE_SIZE } from "./mapping.ts";
import { shim } from "./shim.ts";
import { handleSignal, SIGNAL } from "./signal.ts";

/**
 * The runtime's pool has 32 threads for all that blocks, its own reading of files included. Runs that
 * never end must leave it some.
 */
const MOST = 16;
let running = 0;

/** Makes ioctls off this thread, one at a time. */
export class PoolRun {
  // The pool's thread writes its id here, even if this isolate has ended meanwhile: memory of the
  // process, then, and not of the isolate.
  readonly #cell: Mapping;
  readonly #byteAddress: bigint;
  #running = false;
  #closed = false;

  /** The ioctl looks at this byte of a mapping. */
  constructor(mapping: Mapping, offset: number) {
    handleSignal();
    this.#byteAddress = mapping.address + BigInt(offset);
    this.#cell = Mapping.anonymous(PAGE_SIZE, "thread id");
  }

  /** Where the thread of the ioctl under way has its id. */
  get tidAddress(): bigint {
    return this.#cell.address;
  }

  /** Whether an ioctl is under way. */
  get running(): boolean {
    return this.#running;
  }

  /** The ioctl's result, -errno on failure; EBUSY while there is one, since both would use the cell. */
  async run(fd: number, ioctl: { readonly request: number }): Promise<number> {
    const operation = "run a vCPU beside the event loop";
    if (this.#closed) throw closedError(operation, "vCPU");
    if (this.#running) {
      throw new KvmError({
        operation,
        errno: Errno.EBUSY,
        hint: "It is running: wait for that first",
      });
    }
    if (running >= MOST) {
      throw new KvmError({
        operation: "run one more vCPU beside the event loop",
        errno: Errno.EAGAIN,
        hint: `There are ${MOST} at most: give each vCPU a Worker, and use run() there`,
      });
    }
    running++;
    this.#running = true;
    try {
      return await shim().ioctl2OnPool(fd, ioctl.request, this.#cell.address);
    } finally {
      running--;
      this.#running = false;
      if (this.#closed) this.#cell.close();
    }
  }

  /** Sets the byte and interrupts the ioctl under way; with none, only sets the byte. */
  kick(): void {
    // No thread has the id 0, and the byte is set all the same.
    shim().kick(this.#byteAddress, 0, SIGNAL, this.tidAddress);
  }

  /** Gives the cell back; an ioctl under way still writes to it, and so it stays until then. */
  close(): void {
    this.#closed = true;
    if (!this.#running) this.#cell.close();
  }
}
