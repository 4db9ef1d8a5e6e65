/**
 * From the guest's consoles to whoever reads them.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { isAwaitable } from "./awaitable.ts";
import type { ByteRing, SharedState } from "./shared/mod.ts";

/**
 * Where a console's output goes: a function, or a stream, for which the guest waits when it is slow.
 * A stream is not closed at the end, and one that is slow then has what is left in its queue. For a
 * file take a function that calls `writeSync`: what goes to `FsFile.writable` is written when that is
 * closed.
 */
export type Output = ((bytes: Uint8Array<ArrayBuffer>) => void) | WritableStream<Uint8Array>;

/**
 * How long output is collected, in milliseconds: a guest writes byte by byte, and to wake main for
 * each would cost more than the byte's exit.
 */
const COLLECT = 4;

/** How long the end waits for an output that takes nothing, in milliseconds. */
const PATIENCE = 2000;

/** An output that is taken: nobody else writes to it. */
export interface Sink {
  /** Passes bytes on. */
  readonly write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | void;
  /** The last ones, to one that still has others to write: false if it can't have them yet. */
  readonly leave: (bytes: Uint8Array<ArrayBuffer>) => boolean;
  /** Gives the output back; the second time does nothing. */
  readonly close: () => void;
}

interface Pipe {
  readonly ring: ByteRing;
  sink: Sink;
  /** Whether the last write is still under way. */
  busy: Promise<void> | undefined;
}

/** Empties the output rings. */
export class OutputPump {
  readonly #shared: SharedState;
  readonly #onError: (error: unknown) => void;
  readonly #pipes: Pipe[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Errors of a stream come once, and end its pipe. */
  constructor(shared: SharedState, onError: (error: unknown) => void) {
    this.#shared = shared;
    this.#onError = onError;
  }

  /** From now on, what comes into a ring goes there. */
  connect(ring: ByteRing, sink: Sink): void {
    this.#pipes.push({ ring, sink, busy: undefined });
  }

  /** There may be output: passes it on, and then collects for a while. */
  run(): void {
    if (this.#timer !== undefined) {
      // Only a ring that is nearly full rings now.
      this.#drain();
      return;
    }
    this.#shared.quiet = true;
    this.#drain();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#shared.quiet = false;
      // What came while nobody rang.
      if (this.#pipes.some(({ ring }) => ring.length > 0)) this.run();
    }, COLLECT);
  }

  /** Passes on the rest, and gives the outputs back. Bytes that none of them was given are an error. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#pipes.map((pipe) => this.#finish(pipe)));
  }

  async #finish(pipe: Pipe): Promise<void> {
    while (pipe.ring.length > 0 || pipe.busy !== undefined) {
      this.#drain();
      if (await settles(pipe.busy)) continue;
      // Whoever takes the bytes may be waiting for this very end.
      const rest = pipe.ring.takeAll();
      if (rest.length > 0 && !pipe.sink.leave(rest)) this.#onError(lostError(rest.length));
      break;
    }
    pipe.sink.close();
    pipe.sink = openSink(undefined);
  }

  #write(pipe: Pipe): unknown {
    try {
      return pipe.sink.write(pipe.ring.takeAll());
    } catch (error) {
      this.#drop(pipe, error);
      return undefined;
    }
  }

  #drop(pipe: Pipe, error: unknown): void {
    pipe.sink.close();
    pipe.sink = openSink(undefined);
    this.#onError(error);
  }

  #drain(): void {
    for (const pipe of this.#pipes) {
      if (pipe.busy !== undefined || pipe.ring.length === 0) continue;
      const written = this.#write(pipe);
      // A function may return whatever it likes: only what is like a promise is to be waited for.
      if (!isAwaitable(written)) continue;
      const done = Promise.resolve(written).then(() => {}, (error) => this.#drop(pipe, error));
      pipe.busy = done.finally(() => {
        pipe.busy = undefined;
        if (pipe.ring.length > 0) this.run();
      });
    }
    this.#shared.noteRoom();
  }
}

function lostError(count: number): KvmError {
  return new KvmError({
    operation: `pass on the last ${count} bytes of the guest's output`,
    errno: Errno.ETIMEDOUT,
    hint:
      `What takes them has not been done for ${PATIENCE / 1000} s with those before: a stream ` +
      "may take longer",
  });
}

/** Whether a write ends in time. */
async function settles(write: Promise<void> | undefined): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), PATIENCE));
  const settled = await Promise.race([late, write?.then(() => true) ?? true]);
  clearTimeout(timer);
  return settled;
}

/**
 * Takes an output; without one, bytes go nowhere.
 *
 * @throws {TypeError} for a stream that somebody else has taken.
 */
export function openSink(output: Output | undefined): Sink {
  if (output === undefined) return { write() {}, leave: () => true, close() {} };
  if (typeof output === "function") return { write: output, leave: () => false, close() {} };
  const writer = output.getWriter();
  return {
    write: (bytes) => writer.write(bytes),
    leave: (bytes) => {
      // It has a queue of its own, and its owner hears of what goes wrong with it.
      writer.write(bytes).catch(() => {});
      return true;
    },
    // Whoever gave the stream may want to write to it afterwards.
    close: () => writer.releaseLock(),
  };
}
