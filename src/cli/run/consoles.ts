/**
 * What the guest's serial ports and its debug console are connected to.
 *
 * @module
 */

import {
  consoleActions,
  type Machine,
  type Output,
  Pty,
  type SerialOptions,
  TerminalConsole,
} from "../../machine/mod.ts";
import { Failure } from "../command.ts";
import { withFile } from "./files.ts";
import type { Target } from "./options.ts";
import { RunStatus } from "./status.ts";

/** The other ends, until disposed of. */
export class Consoles implements Disposable {
  /** COM1 and on. */
  readonly serial: readonly SerialOptions[];
  /** The debug console. */
  readonly debugcon: Output | undefined;
  /** Whether standard input is a terminal, and the guest's. */
  readonly hasKeys: boolean;
  readonly #stack: DisposableStack;

  private constructor(
    serial: readonly SerialOptions[],
    debugcon: Output | undefined,
    stack: DisposableStack,
  ) {
    this.serial = serial;
    this.debugcon = debugcon;
    this.hasKeys = serial.some((end) => end instanceof TerminalConsole && end.isTerminal);
    this.#stack = stack;
  }

  /**
   * Opens them.
   *
   * @param machine The machine, which is made after them.
   * @param announce Called with a port's name and what others can open to reach it.
   * @param signal Aborted, it waits no more for a pipe's reader.
   */
  static async open(
    serial: readonly Target[],
    debugcon: Target,
    machine: () => Machine,
    announce: (port: string, path: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<Consoles> {
    using stack = new DisposableStack();
    const open = async (target: Target, name: string, port: number): Promise<SerialOptions> => {
      switch (target.kind) {
        case "none":
          return {};
        case "file":
          return { output: toFile(target.path, stack.use(await openFile(target.path, signal))) };
        case "pty": {
          const pty = stack.use(new Pty());
          announce(name, pty.path);
          return pty;
        }
        case "stdio":
          return stack.use(new TerminalConsole(consoleActions(machine, port)));
      }
    };
    const ends: SerialOptions[] = [];
    for (const [port, target] of serial.entries()) {
      ends.push(await open(target, `COM${port + 1}`, port));
    }
    // It has no input: standard input stays unread.
    const { output } = await open(debugcon, "the debug console", 0);
    return new Consoles(ends, output, stack.move());
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** A named pipe has no writer before it has a reader, and who that is may never come. */
async function openFile(path: string, signal: AbortSignal | undefined): Promise<Deno.FsFile> {
  const options = { write: true, create: true, truncate: true };
  const opening = withFile("write to", path, (path) => Deno.open(path, options));
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    const message = `Cannot write to ${path}: nobody has opened it to read within the --timeout. ` +
      "A pty waits for nobody: --serial pty";
    reject(new Failure(message, RunStatus.TIMEOUT));
  };
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    opening.then((file) => file.close(), () => {});
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** What is written is there at once; the runtime's own stream keeps some back until it is closed. */
function toFile(path: string, file: Deno.FsFile): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) =>
      withFile("write to", path, async () => {
        while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
      }),
  });
}
