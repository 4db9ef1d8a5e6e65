/**
 * Which of the host's processors each machine runs on.
 *
 * QEMU 7.2 notes an emulated processor's pending interrupts in a word that its threads change without
 * a lock: the one of the timer that raises one, and the processor's own in VMRUN and #VMEXIT. A bit
 * that gets lost there is an interrupt that never comes, and a machine that sleeps for ever. On one
 * processor the threads can't meet in the middle of an instruction.
 *
 * @module
 */

import { NestedError } from "./error.ts";

/** Runs side by side begin at different ones. */
const first = Math.floor(Math.random() * 0x1000);

/** The one for this machine of a run. */
export function processorOf(machine: number): number {
  const all = allowedProcessors(Deno.readTextFileSync("/proc/self/status"));
  return all[(first + machine) % all.length]!;
}

/**
 * The processors that a process may use, by what /proc says of it.
 *
 * @throws {NestedError} if it says nothing.
 */
export function allowedProcessors(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1];
  if (list === undefined) throw new NestedError("/proc/self/status names no processors");
  return list.split(",").flatMap((range) => {
    const [from, to = from] = range.split("-").map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index);
  });
}
