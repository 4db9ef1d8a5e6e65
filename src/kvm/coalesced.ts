/**
 * The queue of a VM's coalesced writes (api.rst 4.116 KVM_(UN)REGISTER_COALESCED_MMIO).
 *
 * @module
 */

import { closedError, Errno, KvmError, offsetOf, PAGE_SIZE, sizeOf } from "../../ffi/mod.ts";
import { kvmCoalescedMmio, kvmCoalescedMmioRing } from "../../ffi/uapi/mod.ts";

const FIRST = offsetOf(kvmCoalescedMmioRing, "first") / 4;
const LAST = offsetOf(kvmCoalescedMmioRing, "last") / 4;
const ENTRIES = sizeOf(kvmCoalescedMmioRing);
const ENTRY = sizeOf(kvmCoalescedMmio);
const PHYS_ADDR = offsetOf(kvmCoalescedMmio, "physAddr");
const LEN = offsetOf(kvmCoalescedMmio, "len");
const PIO = offsetOf(kvmCoalescedMmio, "pio");
const DATA = offsetOf(kvmCoalescedMmio, "data");
const HIGH = 2 ** 32;

/** Places in the ring; one always stays empty. */
const PLACES = Math.floor((PAGE_SIZE - ENTRIES) / ENTRY);

/** A write of the guest that caused no exit, as long as its handler runs. */
export class CoalescedWrite {
  readonly #view: DataView<ArrayBuffer>;
  readonly #data: Uint8Array<ArrayBuffer>[];

  /** @internal Reads the entry at an offset in the ring. */
  constructor(buffer: ArrayBuffer, offset: number) {
    this.#view = new DataView(buffer, offset, ENTRY);
    this.#data = Array.from(
      { length: 9 },
      (_, length) => new Uint8Array(buffer, offset + DATA, length),
    );
  }

  /** The guest-physical address, or the I/O port. */
  get physAddr(): number {
    const view = this.#view;
    return view.getUint32(PHYS_ADDR, true) + view.getUint32(PHYS_ADDR + 4, true) * HIGH;
  }

  /** Whether `physAddr` is an I/O port. */
  get pio(): boolean {
    return this.#view.getUint32(PIO, true) !== 0;
  }

  /** Bytes: 1 to 8. */
  get len(): number {
    return this.#view.getUint32(LEN, true);
  }

  /** The bytes, in place, little-endian. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.#data[this.len] ?? this.#data[8]!;
  }

  /**
   * The bytes as an unsigned number.
   *
   * @throws {KvmError} ERANGE if it is above 2^53, which only 8 bytes can be: use `bigValue`.
   */
  get value(): number {
    const view = this.#view;
    switch (this.len) {
      case 1:
        return view.getUint8(DATA);
      case 2:
        return view.getUint16(DATA, true);
      case 4:
        return view.getUint32(DATA, true);
    }
    const value = Number(this.bigValue);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    const hint = "The value has more than 53 bits: use bigValue";
    throw new KvmError({ operation: "read a queued write's value", errno: Errno.ERANGE, hint });
  }

  /** The bytes as an unsigned bigint. */
  get bigValue(): bigint {
    return BigInt.asUintN(this.len * 8, this.#view.getBigUint64(DATA, true));
  }
}

/** What a VM's vCPUs know together of their queue. */
export interface CoalescedQueue {
  /** Whether one of them is handing it over. */
  draining: boolean;
}

/**
 * The queue of the writes to a VM's zones, see `vm.registerCoalescedMmio`. The VM has one, which each
 * of its vCPUs shows; one thread at a time may take from it.
 */
export class CoalescedMmioRing {
  readonly #buffer: ArrayBuffer;
  readonly #indices: Uint32Array<ArrayBuffer>;
  readonly #writes: readonly CoalescedWrite[];
  readonly #queue: CoalescedQueue;

  /** @internal The ring that lies at an offset in a buffer, one of a VM's views of its queue. */
  constructor(buffer: ArrayBuffer, offset: number, queue: CoalescedQueue) {
    this.#buffer = buffer;
    this.#queue = queue;
    this.#indices = new Uint32Array(buffer, offset, 2);
    this.#writes = Array.from(
      { length: PLACES },
      (_, index) => new CoalescedWrite(buffer, offset + ENTRIES + index * ENTRY),
    );
    Object.freeze(this);
  }

  /** How many writes wait. */
  get length(): number {
    this.#check("count the queued writes");
    return (PLACES + this.#index(LAST) - this.#index(FIRST)) % PLACES;
  }

  /** How many writes can wait at most; another one is an exit. Older kernels exit at half of it. */
  get capacity(): number {
    return PLACES - 1;
  }

  /**
   * Hands over each write that waits, in order, and takes it from the queue; how many. The write's
   * object is reused: copy what must outlive the handler.
   *
   * @example
   * ```ts
   * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.mmio });
   * using _zone = vm.registerCoalescedMmio({ addr: 0xd0000000, size: 4096 });
   * vcpu.run(); // the guest's first read: its writes before are in the queue
   * vcpu.coalescedMmio.drain(({ physAddr, bigValue }) => {
   *   console.log(physAddr.toString(16), bigValue.toString(16)); // "d0000000" "11", ...
   * });
   * ```
   *
   * @throws {KvmError} EBUSY from within a handler, of whichever vCPU; EBADF once the vCPU is closed.
   */
  drain(handler: (write: CoalescedWrite) => void): number {
    const operation = "take the queued writes";
    this.#check(operation);
    if (this.#queue.draining) {
      const hint = "A handler of drain can't drain: return from it first";
      throw new KvmError({ operation, errno: Errno.EBUSY, hint });
    }
    this.#queue.draining = true;
    let count = 0;
    try {
      for (let at = this.#index(FIRST); at !== this.#index(LAST); at = (at + 1) % PLACES) {
        count++;
        try {
          handler(this.#writes[at]!);
        } finally {
          // What was handed over is over; a handler may have closed the vCPU.
          if (!this.#buffer.detached) Atomics.store(this.#indices, FIRST, (at + 1) % PLACES);
        }
        if (this.#buffer.detached) break;
      }
    } finally {
      this.#queue.draining = false;
    }
    return count;
  }

  /** Another thread may run a vCPU that writes: what it wrote is there before its index is. */
  #index(which: number): number {
    return Atomics.load(this.#indices, which) % PLACES;
  }

  #check(operation: string): void {
    if (this.#buffer.detached) throw closedError(operation, "vCPU");
  }
}
