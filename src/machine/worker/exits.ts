/**
 * Who answers an exit of a vCPU's thread: the board of this thread, main, or nobody.
 *
 * @module
 */

import type { Exit, IoExit } from "../../kvm/thread/mod.ts";
import type { Board } from "../board.ts";
import { handleIo, handleOpenBus, handleParts } from "../dispatch.ts";
import type { SharedState } from "../shared/mod.ts";

/** Answers an exit, or waits until main has. */
export function handleExit(exit: Exit, shared: SharedState, board: Board, id: number): void {
  switch (exit.reason) {
    case "io": {
      const region = board.ports.find(exit.port);
      if (region === undefined || exit.port + exit.size > region.end) {
        return handleShared(exit, shared, board, id);
      }
      shared.lock.acquire();
      try {
        handleIo(exit, region);
        board.afterAccess(region);
      } finally {
        // Whatever was wrong with a device, the others go on, if only to their end.
        shared.lock.release();
      }
      return;
    }
    case "mmio":
      if (shared.lock.hold(() => shared.claimsAddresses(exit.physAddr, exit.len))) shared.ask(id);
      else handleOpenBus(exit);
      return;
    case "intr":
      return;
    default:
      shared.ask(id);
  }
}

/** Answers an access that no device of the board has all of. */
function handleShared(exit: IoExit, shared: SharedState, board: Board, id: number): void {
  const { port, size } = exit;
  const part = board.ports.overlap(port, size);
  if (shared.claimsPorts(port, size)) {
    shared.ask(id);
    if (part !== undefined) board.noteOutput(part);
  } else if (part === undefined) handleOpenBus(exit);
  else shared.lock.hold(() => handleParts(exit, board.ports, board.afterAccess));
}
