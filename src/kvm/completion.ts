/**
 * What an exit leaves to be done, and how it is done (api.rst 5, "KVM_EXIT_IO, ...": "userspace can
 * re-enter the guest with the immediate_exit field set to complete pending operations").
 *
 * @module
 */

import { type Fd, offsetOf } from "../../ffi/mod.ts";
import { ExitReason, kvmRun } from "../../ffi/uapi/mod.ts";
import type { RunPage } from "./exits/mod.ts";
import { KVM } from "./ioctls.ts";

const KVM_RUN = { request: KVM.KVM_RUN.request };

/** Common exits that KVM is done with. Of any other it may not be: asking costs a short call. */
const COMPLETE: ReadonlySet<number> = new Set([
  // Of a vCPU that has never run.
  ExitReason.UNKNOWN,
  ExitReason.DEBUG,
  ExitReason.HLT,
  ExitReason.IRQ_WINDOW_OPEN,
  ExitReason.SHUTDOWN,
  ExitReason.FAIL_ENTRY,
  ExitReason.INTERNAL_ERROR,
]);

/** No exit that leaves something has zeroes alone here: a port access has a size, for one. */
const PAYLOAD = offsetOf(kvmRun, "exit.io.direction");
const PAYLOAD_BYTES = 24;

/** Whether KVM may have something left to do of the exit on a page. */
export function mayBePending(page: RunPage): boolean {
  if (page.exitReason !== ExitReason.INTR) return !COMPLETE.has(page.exitReason);
  // KVM says so, too, of a vCPU that waits for INIT, and has not come to the exit before.
  for (let at = PAYLOAD; at < PAYLOAD + PAYLOAD_BYTES; at += 4) {
    if (page.view.getUint32(at, true) !== 0) return true;
  }
  return false;
}

/** Notes on the page that its exit is complete: an interrupted run, and nothing before it. */
export function markComplete(page: RunPage): void {
  page.exitReason = ExitReason.INTR;
  for (let at = PAYLOAD; at < PAYLOAD + PAYLOAD_BYTES; at += 4) page.view.setUint32(at, 0, true);
}

/**
 * KVM_RUN that completes what the last exit left, and runs no instruction; its result, -EINTR when
 * that was all. Who has asked for a run's end gets it from the next run, as if there was none now.
 *
 * @param isAsked Whether somebody has, beside what the page says before.
 */
export function completeRun(fd: Fd, page: RunPage, isAsked: () => boolean): number {
  const wasAsked = page.immediateExit;
  page.immediateExit = true;
  const result = fd.invoke(KVM_RUN);
  page.immediateExit = false;
  // One of that very moment was cleared as well: it is still known.
  if (wasAsked || isAsked()) page.immediateExit = true;
  return result;
}
