/**
 * This process's terminal as a guest's console.
 *
 * @module
 */

import {
  type EndingSignal,
  endingSignals,
  Errno,
  Fd,
  KvmError,
  POLL,
  poll,
  raise,
  readable,
  stopHere,
  stopWaiting,
} from "../../ffi/mod.ts";
import { type EscapeCommand, escapeHelp, EscapeParser } from "./escapes.ts";
import type { MachineOptions, SerialOptions } from "./options.ts";
import { RawTerminal } from "./raw_terminal.ts";
import type { SerialLine } from "./serial.ts";

/** What can be done to a machine from its console. */
export interface ConsoleActions {
  /** Ends the machine: Ctrl-A x, a signal, or nobody reads the output any more. */
  quit(): void;
  /** Presses the power button: Ctrl-A p. */
  powerButton(): void;
  /** Resets the machine: Ctrl-A r. Why that failed is told on standard error. */
  reset(): Promise<void> | void;
  /** Sends a break: Ctrl-A b. */
  sendBreak(): void;
}

/** What {@linkcode consoleActions} asks of a machine; `Machine` has it. */
export interface ConsoleMachine {
  /** Its serial ports. */
  readonly serial: readonly Pick<SerialLine, "sendBreak">[];
  /** Ends it. */
  stop(): Promise<void>;
  /** Asks the guest to switch itself off. */
  pressPowerButton(): void;
  /** Starts it anew. */
  reset(): Promise<void>;
}

/** Bytes of a pipe or a file that are read at once. */
const CHUNK = 64 << 10;
/** Keys that are looked at before somebody else gets a turn. */
const KEYS = 4096;
/** Bytes that may be typed before the guest reads them; those beyond are lost. */
const TYPED_AHEAD = 1 << 20;
/** When to try again, in milliseconds, where others have made standard output non-blocking. */
const RETRY = 10;

const encoder = new TextEncoder();

/**
 * Standard input and output as the other end of a serial port.
 *
 * A terminal becomes raw with the first read of {@linkcode input}, so that every key is the guest's,
 * Ctrl-C among them, except Ctrl-A: with h behind it, it shows what it is for. The terminal is as it
 * was after {@linkcode close}, while SIGTSTP has the process stopped, and whenever it ends, be it by
 * one of the signals below. Of SIGSTOP and SIGKILL nobody hears before.
 *
 * Input that is no terminal reaches the guest as it is; its end is the end of the input alone.
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGALRM end the machine, and then the process, unless it
 * listens to them itself (it hears of them twice then). The second signal does not wait for the
 * machine.
 *
 * Nothing is read before it is wanted nor after {@linkcode close}: the next line is for who reads
 * next.
 */
export class TerminalConsole implements SerialOptions, Disposable {
  /** To standard output. */
  readonly output: WritableStream<Uint8Array>;
  /** From standard input. */
  readonly input: ReadableStream<Uint8Array>;
  /** Whether standard input is a terminal. */
  readonly isTerminal: boolean;
  readonly #actions: ConsoleActions;
  /** Another descriptor for standard input, while this reads from it. */
  #stdin: Fd | undefined;
  readonly #escapes = new EscapeParser();
  readonly #listeners = new Map<Deno.Signal, () => void>();
  readonly #restore = () => this.#raw?.close();
  #raw: RawTerminal | undefined;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #ended = false;
  #closed = false;
  #signal: EndingSignal | undefined;

  /** Leaves the terminal as it is until input is read. */
  constructor(actions: ConsoleActions) {
    this.#actions = actions;
    this.isTerminal = Deno.stdin.isTerminal();
    this.output = new WritableStream({ write: (bytes) => this.#write(bytes) });
    this.input = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pull(),
      cancel: () => this.#stopReading(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
  }

  /** Gives the terminal back; the second time does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endInput();
    this.#raw?.close();
    this.#stdin?.close();
    removeEventListener("unload", this.#restore);
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
    if (this.#signal !== undefined) raise(this.#signal);
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #begin(): void {
    this.#stdin = Fd.duplicate(0, "standard input");
    for (const signal of Object.keys(endingSignals) as EndingSignal[]) {
      this.#listen(signal, () => this.#handleSignal(signal));
    }
    addEventListener("unload", this.#restore);
    if (!this.isTerminal) return;
    const raw = new RawTerminal(this.#stdin);
    this.#raw = raw;
    this.#listen("SIGTSTP", () => {
      raw.leave();
      stopHere();
    });
    // The shell has its own modes meanwhile.
    this.#listen("SIGCONT", () => this.#signal === undefined && raw.enter());
    this.#watchKeys();
  }

  #listen(signal: Deno.Signal, listener: () => void): void {
    this.#listeners.set(signal, listener);
    Deno.addSignalListener(signal, listener);
  }

  #handleSignal(signal: EndingSignal): void {
    const isFirst = this.#signal === undefined;
    this.#signal = signal;
    // The machine's end may take its time.
    this.#raw?.leave();
    if (isFirst) this.#actions.quit();
    else this.close();
  }

  #stopReading(): void {
    this.#ended = true;
    if (this.#stdin !== undefined) stopWaiting(this.#stdin);
  }

  #endInput(): void {
    if (this.#ended) return;
    this.#stopReading();
    this.#controller.close();
  }

  #failInput(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller.error(error);
  }

  async #pull(): Promise<void> {
    if (this.#stdin === undefined) this.#begin();
    // Keys are looked at even while the guest does not read: there must be a way out.
    if (this.isTerminal) return;
    try {
      await this.#readChunk();
    } catch (error) {
      this.#failInput(error);
    }
  }

  async #readChunk(): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    let count: number | undefined;
    do {
      await this.#wait();
      if (this.#ended) return;
      count = read(buffer);
    } while (count === undefined);
    if (count === 0) this.#endInput();
    else this.#controller.enqueue(buffer.subarray(0, count));
  }

  async #watchKeys(): Promise<void> {
    const keys = new Uint8Array(KEYS);
    try {
      for (;;) {
        await this.#wait();
        if (this.#ended) return;
        this.#takeKeys(keys);
      }
    } catch (error) {
      this.#failInput(error);
    }
  }

  /** One by one: what comes behind the key that ends the machine is not the guest's. */
  #takeKeys(keys: Uint8Array<ArrayBuffer>): void {
    const stdin = this.#stdin!;
    let count = 0;
    const send = () => {
      const hasRoom = this.#controller.desiredSize! > -TYPED_AHEAD;
      if (count > 0 && hasRoom) this.#controller.enqueue(keys.slice(0, count));
      count = 0;
    };
    while (count < keys.length && (poll(stdin) & (POLL.IN | POLL.HUP)) !== 0) {
      const got = read(keys.subarray(count, count + 1));
      if (got === undefined) break;
      if (got === 0) {
        send();
        return this.#endInput();
      }
      const what = this.#escapes.parse(keys[count]!);
      if (what === "send") count++;
      else if (what !== undefined) {
        send();
        this.#obey(what);
        if (this.#ended) return;
      }
    }
    send();
  }

  #obey(command: EscapeCommand): void {
    switch (command) {
      case "quit":
        this.#endInput();
        return this.#actions.quit();
      case "powerButton":
        return this.#actions.powerButton();
      case "reset":
        return void this.#reset();
      case "break":
        return this.#actions.sendBreak();
      case "help":
        this.#tell(escapeHelp.join("\n"));
    }
  }

  async #reset(): Promise<void> {
    try {
      await this.#actions.reset();
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  #tell(text: string): void {
    // Standard output may be a file by now, and has the guest's bytes and no others.
    writeAll(Deno.stderr, encoder.encode(`\n${text}\n`)).catch((error) => this.#failInput(error));
  }

  /** Resolves when a read would not block, or there is nothing more to read. */
  async #wait(): Promise<void> {
    if (this.#ended || this.#stdin === undefined) return;
    try {
      await readable(this.#stdin);
    } catch (error) {
      // epoll(7) refuses regular files and /dev/null, which never block.
      if (!(error instanceof KvmError && error.errno === Errno.EPERM)) throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!await writeAll(Deno.stdout, bytes)) this.#actions.quit();
  }
}

/** What a console does to its machine, which is asked for then; `port` is where it is connected. */
export function consoleActions(machine: () => ConsoleMachine, port = 0): ConsoleActions {
  return {
    quit: () => void machine().stop(),
    powerButton: () => machine().pressPowerButton(),
    reset: () =>
      machine().reset().catch((error) => {
        // It has ended meanwhile.
        if (!(error instanceof KvmError && error.errno === Errno.EPIPE)) throw error;
      }),
    sendBreak: () => machine().serial[port]!.sendBreak(),
  };
}

/** What the first serial port of a machine is connected to, by its options. */
export function openConsole(
  console: MachineOptions["console"] = {},
  machine: () => ConsoleMachine,
): SerialOptions {
  return console === "inherit" ? new TerminalConsole(consoleActions(machine)) : console;
}

/** Bytes that were read: 0 at the end, undefined if there are none after all. */
function read(buffer: Uint8Array): number | undefined {
  try {
    return Deno.stdin.readSync(buffer) ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) return undefined;
    throw error;
  }
}

/** Writes all of the bytes, without having this thread wait; false if nobody reads them any more. */
async function writeAll(to: typeof Deno.stdout, bytes: Uint8Array): Promise<boolean> {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await to.write(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return false;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
  return true;
}
