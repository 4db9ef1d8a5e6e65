/**
 * What an exit leaves to be done, and how it is done (api.rst 5, "KVM_EXIT_IO, ...": "userspace can
 * re-enter the guest with the immediate_exit field set to complete pending operations").
 *
 * @module
 */

import { Errno, type Fd, offsetOf } from "../../ffi/mod.ts";
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

const PAYLOAD = offsetOf(kvmRun, "exit");
const PAYLOAD_BYTES = 24;

/** No exit that leaves something has zeroes alone here: a port access has a size, for one. */
function payloadOf({ view }: RunPage): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset + PAYLOAD, PAYLOAD_BYTES);
}

/** Whether KVM may have something left to do of the exit on a page. */
export function mayBePending(page: RunPage): boolean {
  if (page.exitReason !== ExitReason.INTR) return !COMPLETE.has(page.exitReason);
  // KVM says so, too, of a vCPU that waits for INIT, and has not come to the exit before.
  return payloadOf(page).some((byte) => byte !== 0);
}

/**
 * KVM_RUN that completes what the last exit left, and runs no instruction; its result, -EINTR when
 * that was all, which is noted on the page: an interrupted run, and nothing before it. Who has asked for a run's end gets it from the next run, as if there was none now.
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
  if (result === -Errno.EINTR) {
    page.exitReason = ExitReason.INTR;
    payloadOf(page).fill(0);
  }
  return result;
}
