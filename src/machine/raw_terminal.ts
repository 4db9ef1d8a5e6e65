/**
 * This process's terminal with every key a byte at once.
 *
 * @module
 */

import {
  type Fd,
  getTerminalModes,
  KvmError,
  rawModes,
  setTerminalModes,
  type TerminalModes,
} from "../../ffi/mod.ts";

/** How the terminal was before the first one made it raw, and how many there are now. */
let before: TerminalModes | undefined;
let holders = 0;

/**
 * A terminal that is raw until {@linkcode close}. The runtime's own way waits until all output is
 * read, which may be never, and nobody hears a signal meanwhile.
 */
export class RawTerminal {
  readonly #fd: Fd;
  readonly #before: TerminalModes;
  #closed = false;

  /** Makes standard input, of which `fd` is a descriptor, raw. */
  constructor(fd: Fd) {
    this.#fd = fd;
    this.#before = before ??= getTerminalModes(fd);
    holders++;
    // Has the runtime put the terminal back after an error that nobody catches; else it does nothing.
    Deno.stdin.setRaw(false);
    this.enter();
  }

  /** Makes it raw once more. */
  enter(): void {
    if (!this.#closed) this.#set(rawModes(this.#before));
  }

  /** Puts it back for a while. */
  leave(): void {
    if (!this.#closed) this.#set(this.#before);
  }

  /** Puts it back; the second time does nothing. */
  close(): void {
    if (this.#closed) return;
    this.leave();
    this.#closed = true;
    if (--holders === 0) before = undefined;
  }

  #set(modes: TerminalModes): void {
    try {
      setTerminalModes(this.#fd, modes);
    } catch (error) {
      // It has been hung up: there is nothing to set.
      if (!(error instanceof KvmError)) throw error;
    }
  }
}
