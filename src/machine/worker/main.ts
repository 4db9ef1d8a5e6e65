/**
 * A vCPU's thread: runs the guest, and has the devices of this thread handle its exits.
 *
 * It is a Worker's main module; what it is to do comes as one message. Machines start it from
 * `bundle_bytes.ts`: run `deno task worker` after a change to anything that it imports.
 *
 * @module
 */

import { kick, VcpuRunner, VmLines } from "../../kvm/thread/mod.ts";
import { type Board, createBoard } from "../board.ts";
import { Command, SharedState, Status } from "../shared/mod.ts";
import { handleExit } from "./exits.ts";
import type { VcpuFailure, VcpuJob } from "./job.ts";

function runVcpu(job: VcpuJob): void {
  const { id } = job;
  const shared = new SharedState(job.cpus, job.buffer);
  using lines = new VmLines(job.share);
  using runner = new VcpuRunner(job.share);
  const board = createBoard(shared, job.board, lines, () => stopOthers(shared, id));
  shared.setKickHandle(id, runner.kickHandle);
  // Main may close the descriptors that these were made from.
  shared.setStatus(id, Status.RUNNING);
  while (obey(shared, id, runner, board)) {
    if (shared.awaitRoom(id)) handleExit(runner.run(), shared, board, id);
  }
}

/** Does what main wants: false when it is to end. */
function obey(shared: SharedState, id: number, runner: VcpuRunner, board: Board): boolean {
  if (mayRun(shared, id)) return true;
  completeExit(shared, id, runner, board);
  for (;;) {
    const order = shared.order(id);
    if (shared.command(id) === Command.STOP) return false;
    if (mayRun(shared, id)) {
      shared.setStatus(id, Status.RUNNING);
      return true;
    }
    shared.setStatus(id, Status.PAUSED);
    shared.awaitOrder(id, order);
  }
}

function mayRun(shared: SharedState, id: number): boolean {
  return shared.command(id) === Command.RUN && !shared.isEnding;
}

/**
 * What an IN reads reaches its register in the next run only (api.rst 5, KVM_EXIT_IO): before that,
 * nobody should look at the registers.
 */
function completeExit(shared: SharedState, id: number, runner: VcpuRunner, board: Board): void {
  for (;;) {
    const exit = runner.completeOperations();
    if (exit.reason === "intr") return;
    handleExit(exit, shared, board, id);
  }
}

/** The guest asked for the machine's end: no other vCPU should go on meanwhile. */
function stopOthers(shared: SharedState, id: number): void {
  for (let other = 0; other < shared.cpus; other++) {
    const handle = shared.kickHandle(other);
    if (other !== id && handle !== 0) kick(handle);
  }
}

/** What a Worker's global scope has, and a window's has not. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<VcpuJob>) => void) | null;
  postMessage(message: VcpuFailure): void;
  close(): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = ({ data: job }) => {
  const shared = new SharedState(job.cpus, job.buffer);
  try {
    runVcpu(job);
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ message, stack });
  }
  shared.setStatus(job.id, Status.STOPPED);
  scope.close();
};
