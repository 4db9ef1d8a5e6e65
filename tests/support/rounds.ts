/**
 * How often to repeat.
 *
 * @module
 */

import { needing, type Needs } from "./host.ts";

/** What QEMU calls the processor that it emulates; nothing else in CPUID tells that it does. */
const EMULATED = /^model name\s*: QEMU TCG CPU/m;

const emulated = EMULATED.test(Deno.readTextFileSync("/proc/cpuinfo"));

/** Whether the processor is one that QEMU emulates, where starting a program takes seconds. */
export function isEmulated(): boolean {
  return emulated;
}

/**
 * For a test that says the same whatever the KVM, and takes more than a second where a processor is
 * emulated.
 */
export function unemulated(name: string): Needs {
  return needing("a processor that isn't emulated", !emulated, name);
}

/** Some of many, as far apart as can be, where {@linkcode rounds} are fewer. */
export function sample<T>(all: readonly T[]): readonly T[] {
  const step = all.length / rounds(all.length);
  return Array.from({ length: rounds(all.length) }, (_, at) => all[Math.floor(at * step)]!);
}

/**
 * How often to repeat what goes wrong only now and then, or with chance's choice: so often, and a
 * tenth of it, but no fewer than three, on a processor that QEMU emulates. There each round takes ten
 * to fifty times as long, on a processor of which one thread runs at a time: it finds few races, and
 * what it is there for, the other kind of KVM, it shows in the first rounds.
 */
export function rounds(count: number): number {
  return emulated ? Math.max(Math.min(count, 3), Math.ceil(count / 10)) : count;
}
