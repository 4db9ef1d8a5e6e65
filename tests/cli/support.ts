/**
 * Command lines of the tests.
 *
 * @module
 */

import { main } from "../../src/cli/main.ts";
import { type Stream, Terminal } from "../../src/cli/terminal.ts";
import { root } from "../support/subprocess.ts";

/** What a command line has come to. */
export interface Result {
  /** The exit status. */
  readonly code: number;
  /** What it wrote. */
  readonly stdout: string;
  /** What it complained of. */
  readonly stderr: string;
}

/** Keeps what is written to it, a few bytes at a time, as pipes may take it. */
export class Kept implements Stream {
  readonly #bytes: number[] = [];

  /** Takes some of the bytes. */
  writeSync(bytes: Uint8Array): number {
    this.#bytes.push(...bytes.subarray(0, 1000));
    return Math.min(bytes.length, 1000);
  }

  /** It is none. */
  isTerminal(): boolean {
    return false;
  }

  /** All that was written. */
  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }
}

/** Runs a command line within this process. */
export async function kvm(...args: string[]): Promise<Result> {
  const [out, err] = [new Kept(), new Kept()];
  const code = await main(args, new Terminal(out), new Terminal(err));
  return { code, stdout: out.text, stderr: err.text };
}

/** The runtime's arguments that run a command line as a process of its own. */
export function argsOf(permissions: readonly string[], args: readonly string[]): string[] {
  const path = new URL("src/cli/main.ts", root).href;
  return ["run", "--no-prompt", "--no-check", "--no-lock", ...permissions, path, ...args];
}
