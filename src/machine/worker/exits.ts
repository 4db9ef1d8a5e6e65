/**
 * Who answers an exit of a vCPU's thread: the board of this thread, main, or nobody.
 *
 * @module
 */

import type { Exit } from "../../kvm/thread/mod.ts";
import type { Board } from "../board.ts";
import { handleIo, handleOpenBus } from "../dispatch.ts";
import type { SharedState } from "../shared/mod.ts";

/** Answers an exit, or waits until main has. */
export function handleExit(exit: Exit, shared: SharedState, board: Board, id: number): void {
  switch (exit.reason) {
    case "io": {
      const region = board.ports.find(exit.port);
      if (region !== undefined) {
        shared.lock.acquire();
        try {
          handleIo(exit, region);
          board.afterAccess(region);
        } finally {
          // Whatever was wrong with a device, the others go on, if only to their end.
          shared.lock.release();
        }
      } else if (shared.claimsPort(exit.port)) shared.ask(id);
      else handleOpenBus(exit);
      return;
    }
    case "mmio":
      if (shared.lock.hold(() => shared.claimsAddress(exit.physAddr))) shared.ask(id);
      else handleOpenBus(exit);
      return;
    case "intr":
      return;
    default:
      shared.ask(id);
  }
}
