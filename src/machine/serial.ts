/**
 * A serial port's other end.
 *
 * @module
 */

import { checkBytes, Errno, KvmError, show } from "../../ffi/mod.ts";
import { UART_IER } from "../devices/mod.ts";
import type { BoardSerial } from "./board.ts";
import { endedError } from "./end.ts";
import type { SharedState } from "./shared/mod.ts";

/** When to look again, in milliseconds, whether the guest has read what it has to read first. */
const RETRY = 10;

/** A break among bytes. */
const BREAK = Symbol("break");

const encoder = new TextEncoder();

/** What is at the other end of the cable: it sends to the guest. */
export class SerialLine {
  readonly #shared: SharedState;
  readonly #serial: BoardSerial;
  /** What has not found room, and how much of the first piece has. */
  readonly #waiting: (Uint8Array | typeof BREAK)[] = [];
  readonly #senders: (() => void)[] = [];
  #closed = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @internal Machines make them. */
  constructor(shared: SharedState, serial: BoardSerial) {
    this.#shared = shared;
    this.#serial = serial;
  }

  /**
   * Sends bytes, or text as UTF-8, which the guest reads at its own pace. Resolves when it has no more
   * than 64 KiB before it, and no break.
   *
   * @throws {KvmError} EINVAL for what is neither.
   */
  async send(data: Uint8Array | string): Promise<void> {
    const bytes = bytesFrom(data);
    if (this.#ended) throw endedError("send to a serial port");
    if (bytes.length === 0 || this.#closed) return;
    this.#waiting.push(bytes);
    this.#push();
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#senders.push(resolve));
  }

  /**
   * Sends a break, a pause longer than any byte: to Linux, the SysRq key. It comes behind what was sent
   * before, when the guest has read that.
   */
  sendBreak(): void {
    if (this.#ended) throw endedError("send a break to a serial port");
    if (this.#closed) return;
    this.#waiting.push(BREAK);
    this.#push();
  }

  /** @internal Whether nobody reads any more what is sent. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @internal Forgets what the guest has not read. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    for (const resolve of this.#senders.splice(0)) resolve();
  }

  /** @internal The machine has ended: nobody should think that this goes on. */
  end(): void {
    this.#ended = true;
  }

  #push(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      const rest = next === BREAK ? this.#putBreak() : this.#putBytes(next);
      if (rest !== undefined) {
        this.#waiting[0] = rest;
        this.#timer = setTimeout(() => this.#push(), RETRY);
        return;
      }
      this.#waiting.shift();
    }
    for (const resolve of this.#senders.splice(0)) resolve();
  }

  /** Puts the bytes into the ring for which there is room; the others. */
  #putBytes(bytes: Uint8Array): Uint8Array | undefined {
    const { input, uart } = this.#serial;
    const fits = Math.min(input.room, bytes.length);
    for (let at = 0; at < fits; at++) input.put(bytes[at]!);
    // A guest without interrupts finds them when it looks at LSR. They are not put into the FIFO
    // before that: a guest that sets the port up clears it.
    this.#shared.lock.hold(() => {
      if ((uart.state.ier & UART_IER.RDI) !== 0) uart.poll();
    });
    return fits < bytes.length ? bytes.subarray(fits) : undefined;
  }

  /** Puts a break into the receiver, if there is nothing before it. */
  #putBreak(): typeof BREAK | undefined {
    const { input, uart } = this.#serial;
    return this.#shared.lock.hold(() => {
      if (input.length > 0 || !uart.hasRoom) return BREAK;
      uart.receiveBreak();
      return undefined;
    });
  }
}

/** A copy: its owner may change it before the guest has read it. */
function bytesFrom(data: Uint8Array | string): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) {
    checkBytes("send to a serial port", "What is sent", data);
    return new Uint8Array(data);
  }
  const operation = `send ${show(data)} to a serial port`;
  const hint = "It takes a string or a Uint8Array, and so does the stream that is its input";
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
