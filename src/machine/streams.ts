/**
 * The other ends of a machine's ports, which are its own for as long as it lives.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { nextTask } from "./next_task.ts";
import type { MachineOptions } from "./options.ts";
import { openSink, type Output, type Sink } from "./output.ts";
import type { SerialLine } from "./serial.ts";
import { type ConsoleMachine, openConsole, TerminalConsole } from "./terminal.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** A serial port's other end. */
export interface PortStreams {
  /** Where the guest's bytes go. */
  readonly sink: Sink;
  /** Where its input comes from. */
  readonly reader: Reader | undefined;
}

/** Readers and writers of the streams; disposed of, these are their owners' again. */
export class MachineStreams implements Disposable {
  /** COM1 and on. */
  readonly ports: readonly PortStreams[];
  /** The debug console. */
  readonly debugcon: Sink;
  readonly #stack: DisposableStack;

  /**
   * Takes them all, or none.
   *
   * @param machine The machine, which is made after them.
   * @throws {KvmError} EBUSY for a stream that somebody else has taken.
   */
  constructor({ console, serial = [], debugcon }: MachineOptions, machine: () => ConsoleMachine) {
    using stack = new DisposableStack();
    const first = openConsole(console, machine);
    if (first instanceof TerminalConsole) stack.use(first);
    const sink = (output: Output | undefined) =>
      stack.adopt(take(() => openSink(output)), (sink) => sink.close());
    this.ports = [first, ...serial].map(({ output, input }) => ({
      sink: sink(output),
      reader: input && stack.adopt(take(() => input.getReader()), (reader) => reader.releaseLock()),
    }));
    this.debugcon = sink(debugcon);
    this.#stack = stack.move();
  }

  /** Wants no more input, and gives the streams back. */
  end(): void {
    for (const { reader } of this.ports) {
      // One that has failed would fail again; and nobody waits for one that takes its time.
      reader?.cancel().catch(() => {});
    }
    this[Symbol.dispose]();
  }

  /** Gives the streams back as they are. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Sends to the guest what comes, until that or the line ends. */
export async function feed(line: SerialLine, reader: Reader): Promise<void> {
  // A closed line takes all at once, and any line what is empty: from a source that always has
  // something, this would never end, and let nothing else run.
  while (!line.closed) {
    const { value, done } = await reader.read();
    if (done) return;
    if (value.length === 0) await nextTask();
    await line.send(value);
  }
}

function take<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const hint = "Somebody else has one of its streams: a stream has one reader and one writer";
    throw new KvmError({ operation: "make a machine", errno: Errno.EBUSY, hint });
  }
}
