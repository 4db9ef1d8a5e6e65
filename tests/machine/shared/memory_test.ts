import { assertEquals } from "@std/assert";
import { Command, SharedState, Status } from "../../../src/machine/shared/mod.ts";
import { rounds } from "../../support/rounds.ts";
import { inTime } from "../../support/time.ts";

const MORE_THAN_HALF = (32 << 10) + 1;

/** The shared state of one vCPU, whose thread has filled the first of its rings. */
function filled() {
  const shared = new SharedState(1);
  const rings = [0, 1].map(() => shared.ring((ring) => shared.noteOutput(ring)));
  for (let byte = 0; byte < MORE_THAN_HALF; byte++) rings[0]!.put(byte);
  return { shared, rings };
}

Deno.test("a vCPU that has filled a ring goes on when main has emptied it", () => {
  const { shared, rings } = filled();
  shared.setCommand(0, Command.RUN);
  rings[0]!.takeAll();
  assertEquals(shared.awaitRoom(0), true);
});

Deno.test("a vCPU that has filled a ring does not wait while main wants something else", () => {
  const { shared, rings } = filled();
  for (const command of [Command.PAUSE, Command.STOP]) {
    shared.setCommand(0, command);
    assertEquals(shared.awaitRoom(0), false);
  }
  // It has forgotten nothing over that.
  shared.setCommand(0, Command.PAUSE);
  rings[1]!.put(0);
  assertEquals(shared.awaitRoom(0), false);
});

Deno.test("a vCPU does not wait for a ring that another one has filled", () => {
  const { shared } = filled();
  const other = new SharedState(1, shared.buffer);
  other.setCommand(0, Command.RUN);
  const [, second] = [0, 1].map(() => other.ring((ring) => other.noteOutput(ring)));
  second!.put(0);
  assertEquals(other.awaitRoom(0), true);
});

Deno.test("no command is lost on a vCPU that is about to wait for room", async () => {
  const shared = new SharedState(1);
  const words = new Int32Array(shared.buffer);
  const url = new URL("../../../src/machine/shared/mod.ts", import.meta.url);
  const source = `
    const { Command, SharedState, Status } = await import("${url}");
    self.onmessage = ({ data }) => {
      const shared = new SharedState(1, data);
      const ring = shared.ring((ring) => shared.noteOutput(ring));
      for (let byte = 0; byte < ${MORE_THAN_HALF}; byte++) ring.put(byte);
      for (let order; order = shared.order(0), shared.command(0) !== Command.STOP;) {
        if (shared.command(0) === Command.RUN) shared.awaitRoom(0);
        else {
          shared.setStatus(0, Status.PAUSED);
          shared.awaitOrder(0, order);
        }
      }
      shared.setStatus(0, Status.STOPPED);
    };`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
  });
  const reaches = async (status: number) => {
    while (shared.status(0) !== status) {
      await inTime(shared.bell());
      shared.takeBell();
    }
  };
  try {
    worker.postMessage(shared.buffer);
    for (let round = 0; round < rounds(3000); round++) {
      await reaches(Status.PAUSED);
      shared.setCommand(0, Command.RUN);
      // The thread wakes, looks, and waits: the next command comes at any of these.
      const end = performance.now() + round % 50 / 1000;
      while (performance.now() < end) Atomics.load(words, 0);
      shared.setCommand(0, Command.PAUSE);
    }
    shared.setCommand(0, Command.STOP);
    await reaches(Status.STOPPED);
    assertEquals(shared.status(0), Status.STOPPED);
  } finally {
    worker.terminate();
  }
});
