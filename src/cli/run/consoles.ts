/**
 * What the guest's serial ports and its debug console are connected to.
 *
 * @module
 */

import {
  type ConsoleActions,
  consoleActions,
  type Machine,
  type Output,
  Pty,
  type SerialOptions,
  TerminalConsole,
} from "../../machine/mod.ts";
import { withinTimeout } from "./files.ts";
import type { Target } from "./options.ts";
import type { OutputFiles } from "./output_files.ts";

/** After so many milliseconds somebody may think that nothing happens. */
const WONDER = 1000;

/** The other ends, until disposed of. */
export class Consoles implements Disposable {
  /** COM1 and on. */
  readonly serial: readonly SerialOptions[];
  /** The debug console. */
  readonly debugcon: Output | undefined;
  /** Whether standard input is a terminal, and the guest's. */
  readonly hasKeys: boolean;
  /** Whose bytes are somewhere when they are written; a pty's may have nobody. */
  readonly #streams: readonly WritableStream<Uint8Array>[];
  /** Resolves when somebody wants to leave. */
  readonly #quit: Promise<void>;
  readonly #stack: DisposableStack;

  private constructor(
    serial: readonly SerialOptions[],
    debugcon: Output | undefined,
    quit: Promise<void>,
    stack: DisposableStack,
  ) {
    this.serial = serial;
    this.debugcon = debugcon;
    this.hasKeys = serial.some((end) => end instanceof TerminalConsole && end.isTerminal);
    this.#streams = [...serial.filter((end) => !(end instanceof Pty)), { output: debugcon }]
      .map(({ output }) => output)
      .filter((output) => output instanceof WritableStream);
    this.#quit = quit;
    this.#stack = stack;
  }

  /**
   * Opens them.
   *
   * @param files Where those that are files are opened.
   * @param machine The machine, which is made after them.
   * @param announce Called with a port's name and what others can open to reach it.
   */
  static async open(
    serial: readonly Target[],
    debugcon: Target,
    files: OutputFiles,
    machine: () => Machine,
    announce: (port: string, path: string) => void,
  ): Promise<Consoles> {
    using stack = new DisposableStack();
    const { promise: quit, resolve: leave } = Promise.withResolvers<void>();
    const actions = (port: number): ConsoleActions => {
      const usual = consoleActions(machine, port);
      return {
        ...usual,
        quit: () => {
          leave();
          usual.quit();
        },
      };
    };
    const open = async (target: Target, name: string, port: number): Promise<SerialOptions> => {
      switch (target.kind) {
        case "none":
          return {};
        case "file":
          return { output: await files.open(target.path) };
        case "pty": {
          const pty = stack.use(new Pty());
          announce(name, pty.path);
          return pty;
        }
        case "stdio":
          return stack.use(new TerminalConsole(actions(port)));
      }
    };
    const ends: SerialOptions[] = [];
    for (const [port, target] of serial.entries()) {
      ends.push(await open(target, `COM${port + 1}`, port));
    }
    // It has no input: standard input stays unread.
    const { output } = await open(debugcon, "the debug console", 0);
    return new Consoles(ends, output, quit, stack.move());
  }

  /**
   * After the machine's end: resolves when all that the guest wrote is where it goes, or when somebody
   * wants to leave before. The terminal is as it was before: Ctrl-C is a signal again.
   *
   * @param onWait Called if that takes long enough for somebody to wonder.
   * @throws {Failure} once the signal is aborted; and whatever goes wrong with an output.
   */
  async drain(signal: AbortSignal | undefined, onWait: () => void): Promise<void> {
    for (const end of this.serial) if (end instanceof TerminalConsole) end.close();
    const written = Promise.all(this.#streams.map((stream) => stream.getWriter().close()));
    const message = "The guest has ended, but not all that it wrote was taken within the --timeout";
    const timer = setTimeout(onWait, WONDER);
    try {
      await withinTimeout(Promise.race([written, this.#quit]), signal, message);
    } finally {
      clearTimeout(timer);
      written.catch(() => {});
    }
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
