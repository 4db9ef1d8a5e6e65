/**
 * A recorded run page: what KVM leaves there after an exit, without KVM.
 *
 * @module
 */

import { offsetOf, sizeOf } from "../ffi/mod.ts";
import { ExitReason, kvmRun } from "../ffi/uapi/mod.ts";
import { ExitDecoder, RunPage } from "../src/kvm/exits/mod.ts";

const word = (field: string) => offsetOf(kvmRun, field) / 4;
const REASON = word("exitReason");
/** Direction and size, a byte each, and the port. */
const IO = word("exit.io");
const IO_COUNT = word("exit.io.count");
const IO_DATA_OFFSET = word("exit.io.dataOffset");
const MMIO = word("exit.mmio.physAddr");
const MMIO_LEN = word("exit.mmio.len");
const MMIO_IS_WRITE = word("exit.mmio.isWrite");
const DATA_OFFSET = 4096;

/** The page and who decodes it. A turn of the C program makes the same stores. */
export class RecordedPage {
  /** What `vcpu.run()` asks for the exit. */
  readonly decoder: ExitDecoder;
  readonly #words: Uint32Array<ArrayBuffer>;

  /** A page of the size that kvm_run has with coalesced I/O: three pages. */
  constructor() {
    const buffer = new ArrayBuffer(Math.max(sizeOf(kvmRun), 3 * 4096));
    this.#words = new Uint32Array(buffer);
    this.decoder = new ExitDecoder(new RunPage(buffer));
  }

  /** From now on, accesses to ports: one element of 4 bytes. */
  startIo(): void {
    this.#words[IO_COUNT] = 1;
    this.#words[IO_DATA_OFFSET] = DATA_OFFSET;
  }

  /** An access to a port, of 4 bytes unless said otherwise. */
  io(direction: 0 | 1, port: number, size = 4): void {
    this.#words[REASON] = ExitReason.IO;
    this.#words[IO] = direction | size << 8 | port << 16;
  }

  /** From now on, MMIO of 4 bytes. */
  startMmio(isWrite: 0 | 1): void {
    this.#words[MMIO + 1] = 0;
    this.#words[MMIO_LEN] = 4;
    this.#words[MMIO_IS_WRITE] = isWrite;
  }

  /** An access to an address without memory. */
  mmio(physAddr: number): void {
    this.#words[REASON] = ExitReason.MMIO;
    this.#words[MMIO] = physAddr;
  }
}
