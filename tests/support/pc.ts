/**
 * A machine whose console is collected.
 *
 * @module
 */

import { Machine, type MachineOptions } from "../../src/machine/mod.ts";

/** A guest of a few instructions, in long mode and little memory. */
export function flat(...code: readonly (readonly number[])[]): MachineOptions {
  return { kernel: Uint8Array.from(code.flat()), protocol: "flat64", memory: "2M" };
}

/** A machine and what it has printed. */
export interface Pc extends AsyncDisposable {
  /** The machine. */
  readonly machine: Machine;
  /** What came from COM1 until now. */
  readonly text: string;
  /** Resolves when the console shows a text, from where the last wait ended; to all up to its end. */
  until(wanted: string | RegExp): Promise<string>;
}

/** Makes a machine, and starts it unless `prepare` is to do so. */
export async function pc(
  options: MachineOptions,
  prepare: (machine: Machine) => Promise<void> | void = (machine) => machine.resume(),
): Promise<Pc> {
  const decoder = new TextDecoder();
  let text = "";
  let seen = 0;
  const waiters = new Set<() => void>();
  const output = (bytes: Uint8Array) => {
    text += decoder.decode(bytes, { stream: true });
    for (const look of waiters) look();
  };
  const machine = await Machine.create({ ...options, console: { output } });
  const find = (wanted: string | RegExp): string | undefined => {
    const rest = text.slice(seen);
    const match = typeof wanted === "string"
      ? { index: rest.indexOf(wanted), length: wanted.length }
      : { index: rest.search(wanted), length: rest.match(wanted)?.[0].length ?? 0 };
    if (match.index < 0) return undefined;
    const end = match.index + match.length;
    seen += end;
    return rest.slice(0, end);
  };
  const result: Pc = {
    machine,
    get text() {
      return text;
    },
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = find(wanted);
          if (found === undefined) return;
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        const ended = (how: unknown) => {
          look();
          const shown = how instanceof Error ? how.message : Deno.inspect(how);
          if (waiters.delete(look)) {
            reject(new Error(`The machine ended (${shown}) before ${wanted} came: ${text}`));
          }
        };
        machine.finished.then(ended, ended);
        look();
      }),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
  try {
    await prepare(machine);
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
  return result;
}
