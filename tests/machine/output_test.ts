import { assertEquals } from "@std/assert";
import { openSink, OutputPump } from "../../src/machine/output.ts";
import { Command, SharedState } from "../../src/machine/shared/mod.ts";

const MORE_THAN_HALF = (32 << 10) + 1;

/** Two rings of a vCPU that runs, and what empties them. */
function pump(onError: (error: unknown) => void = () => {}) {
  const shared = new SharedState(1);
  shared.setCommand(0, Command.RUN);
  const rings = [0, 1].map(() => shared.ring((ring) => shared.noteOutput(ring)));
  return { shared, first: rings[0]!, second: rings[1]!, pump: new OutputPump(shared, onError) };
}

Deno.test("room in a ring is room, whatever another ring waits for", async () => {
  const { shared, first, second, pump: output } = pump();
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = 0;
  output.connect(first, openSink(() => promise));
  output.connect(second, openSink((bytes) => void (received += bytes.length)));
  first.put(0);
  output.run();
  for (let byte = 0; byte < MORE_THAN_HALF; byte++) second.put(0);
  output.run();
  assertEquals([received, shared.awaitRoom(0)], [MORE_THAN_HALF, true]);
  resolve();
  await output.finish();
});

Deno.test("an output's function that rejects is told, whatever kind of promise it returns", async () => {
  const errors: unknown[] = [];
  const { first, second, pump: output } = pump((error) => errors.push(error));
  const alike = { then: (_: unknown, reject: (error: unknown) => void) => reject("alike") };
  const kept = { then: (resolve: () => void) => resolve() };
  let writes = 0;
  output.connect(first, openSink(() => alike as unknown as void));
  output.connect(second, openSink(() => [kept, {}, Promise.resolve()][writes++] as void));
  for (let round = 0; round < 3; round++) {
    first.put(0);
    second.put(0);
    output.run();
    await new Promise((resolve) => setTimeout(resolve));
  }
  await output.finish();
  assertEquals([errors, writes], [["alike"], 3]);
});

Deno.test("an output that fails is told once, and takes nothing more", async () => {
  const errors: unknown[] = [];
  const { first, pump: output } = pump((error) => errors.push(error));
  const stream = new WritableStream<Uint8Array>({
    write() {
      throw "full";
    },
  });
  output.connect(first, openSink(stream));
  first.put(0);
  output.run();
  first.put(1);
  await output.finish();
  assertEquals([errors, first.length, stream.locked], [["full"], 0, false]);
});
