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
import { withFile } from "./files.ts";
import type { Target } from "./options.ts";

/** The other ends, until disposed of. */
export class Consoles implements Disposable {
  /** COM1 and on. */
  readonly serial: readonly SerialOptions[];
  /** The debug console. */
  readonly debugcon: Output | undefined;
  /** Whether standard input is a terminal, and the guest's. */
  readonly hasKeys: boolean;
  readonly #stack: DisposableStack;

  /**
   * Opens them.
   *
   * @param machine The machine, which is made after them.
   * @param announce Called with a port's name and what others can open to reach it.
   */
  constructor(
    serial: readonly Target[],
    debugcon: Target,
    machine: () => Machine,
    announce: (port: string, path: string) => void,
  ) {
    using stack = new DisposableStack();
    const open = (target: Target, name: string, port: number): SerialOptions => {
      switch (target.kind) {
        case "none":
          return {};
        case "file":
          return { output: toFile(stack.use(openFile(target.path))) };
        case "pty": {
          const pty = stack.use(new Pty());
          announce(name, pty.path);
          return pty;
        }
        case "stdio":
          return stack.use(new TerminalConsole(consoleActions(machine, port)));
      }
    };
    this.serial = serial.map((target, port) => open(target, `COM${port + 1}`, port));
    this.hasKeys = this.serial.some((end) => end instanceof TerminalConsole && end.isTerminal);
    // It has no input: standard input stays unread.
    this.debugcon = open(debugcon, "the debug console", 0).output;
    this.#stack = stack.move();
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

function openFile(path: string): Deno.FsFile {
  const options = { write: true, create: true, truncate: true };
  return withFile("write to", path, (path) => Deno.openSync(path, options));
}

/** What is written is there at once; the runtime's own stream keeps some back until it is closed. */
function toFile(file: Deno.FsFile): WritableStream<Uint8Array> {
  return new WritableStream({
    write: async (bytes) => {
      while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
    },
  });
}
