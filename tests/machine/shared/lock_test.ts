import { assertEquals } from "@std/assert";
import { Lock } from "../../../src/machine/shared/lock.ts";

Deno.test("threads that take turns by a lock lose no count", async () => {
  const threads = 3;
  const rounds = 50_000;
  const words = new Int32Array(new SharedArrayBuffer(8));
  const url = new URL("../../../src/machine/shared/lock.ts", import.meta.url);
  const source = `
    const { Lock } = await import("${url}");
    self.onmessage = ({ data: words }) => {
      const lock = new Lock(words, 0);
      for (let round = 0; round < ${rounds}; round++) lock.hold(() => words[1] = words[1] + 1);
      self.postMessage("done");
    };`;
  const workers = Array.from({ length: threads }, () => {
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    return new Worker(url, { type: "module" });
  });
  const done = workers.map((worker) => new Promise((resolve) => worker.onmessage = resolve));
  for (const worker of workers) worker.postMessage(words);
  // This thread takes part, too: it may wait like any other.
  const lock = new Lock(words, 0);
  for (let round = 0; round < rounds; round++) lock.hold(() => words[1] = words[1]! + 1);
  await Promise.all(done);
  for (const worker of workers) worker.terminate();
  assertEquals(words[1], (threads + 1) * rounds);
  assertEquals(words[0], 0);
});

Deno.test("a lock is given back when what was done while holding it throws", () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const lock = new Lock(words, 0);
  try {
    lock.hold(() => {
      throw new Error("inside");
    });
  } catch {
    // As expected.
  }
  assertEquals(lock.hold(() => "again"), "again");
});
