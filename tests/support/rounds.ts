/**
 * How often to repeat.
 *
 * @module
 */

/** What QEMU calls the processor that it emulates; nothing else in CPUID tells that it does. */
const EMULATED = /^model name\s*: QEMU TCG CPU/m;

const emulated = EMULATED.test(Deno.readTextFileSync("/proc/cpuinfo"));

/** Whether the processor is one that QEMU emulates, where starting a program takes seconds. */
export function isEmulated(): boolean {
  return emulated;
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
