/**
 * Programs at a terminal of their own.
 *
 * @module
 */

import { Pty } from "../../src/machine/mod.ts";

/** How long nothing may come while something is waited for, in milliseconds. */
const PATIENCE = 30_000;

/** A pseudo-terminal with the settings of a fresh login, and a program at it. */
export class TestTerminal implements AsyncDisposable {
  readonly #pty = new Pty();
  readonly #writer = this.#pty.output.getWriter();
  readonly #reader = this.#pty.input.getReader();
  readonly #decoder = new TextDecoder();
  readonly #children: Deno.ChildProcess[] = [];
  #text = "";
  #seen = 0;

  /** Opens it. */
  constructor() {
    this.#stty("sane");
  }

  /** What stty(1) says of it, in a form to compare. */
  get settings(): string {
    return this.#stty("-g");
  }

  /** Resolves when they are as wanted: no event tells of a change. */
  async untilSettings(wanted: (settings: string) => boolean): Promise<void> {
    for (const end = performance.now() + PATIENCE; !wanted(this.settings);) {
      if (performance.now() > end) throw new Error(`The settings stay ${this.settings}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What has come out of it until now. */
  get text(): string {
    return this.#text;
  }

  /** Starts a program whose standard input, output and errors are the terminal. */
  spawn(program: string, ...args: string[]): Deno.ChildProcess {
    const child = new Deno.Command("sh", {
      args: ["-c", `exec "$@" <${this.#pty.path} >${this.#pty.path} 2>&1`, "sh", program, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#children.push(child);
    return child;
  }

  /** Types keys. */
  async type(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Resolves when a text has come, behind what was waited for before. */
  async until(wanted: string): Promise<void> {
    for (;;) {
      const at = this.#text.indexOf(wanted, this.#seen);
      if (at >= 0) {
        this.#seen = at + wanted.length;
        return;
      }
      // Whoever waits in vain is told for what, and not that the test took too long.
      const late = setTimeout(() => this.#reader.cancel(), PATIENCE);
      const { value, done } = await this.#reader.read();
      clearTimeout(late);
      if (done) throw new Error(`${wanted} has not come: ${this.#text}`);
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Ends what still runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    }
    await this.#reader.cancel();
    this.#pty.close();
  }

  #stty(...args: string[]): string {
    const { success, stdout } = new Deno.Command("stty", {
      args: ["-F", this.#pty.path, ...args],
      stdin: "null",
    }).outputSync();
    if (!success) throw new Error(`stty ${args.join(" ")} failed`);
    return new TextDecoder().decode(stdout);
  }
}
