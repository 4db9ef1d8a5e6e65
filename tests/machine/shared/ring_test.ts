import { assertEquals } from "@std/assert";
import { ByteRing } from "../../../src/machine/shared/ring.ts";

const SIZE = 16;

/** A ring whose counts are about to wrap around. */
function ring(counts = 0): ByteRing {
  const buffer = new SharedArrayBuffer(ByteRing.footprint(SIZE));
  new Int32Array(buffer, 0, 2).fill(counts);
  return new ByteRing(buffer, 0, SIZE);
}

for (const counts of [0, 5, -3]) {
  Deno.test(`bytes come out of a ring in their order, with counts from ${counts}`, () => {
    const queue = ring(counts);
    assertEquals(queue.take(), -1);
    for (let round = 0; round < 5; round++) {
      for (let byte = 0; byte < 11; byte++) queue.put(byte);
      assertEquals([queue.length, queue.room], [11, SIZE - 11]);
      assertEquals([queue.take(), queue.take()], [0, 1]);
      assertEquals([...queue.takeAll()], [2, 3, 4, 5, 6, 7, 8, 9, 10]);
      assertEquals([queue.take(), queue.length, queue.takeAll().length], [-1, 0, 0]);
    }
  });
}

Deno.test("a full ring takes no more, and keeps what it has", () => {
  const queue = ring();
  for (let byte = 0; byte < SIZE + 3; byte++) queue.put(byte);
  assertEquals([queue.length, queue.room], [SIZE, 0]);
  assertEquals([...queue.takeAll()], Array.from({ length: SIZE }, (_, byte) => byte));
});

Deno.test("a ring that is cleared is empty", () => {
  const queue = ring();
  queue.put(1);
  queue.clear();
  assertEquals([queue.length, queue.take()], [0, -1]);
});

Deno.test("two threads pass 100,000 bytes through a ring without losing one", async () => {
  const count = 100_000;
  const buffer = new SharedArrayBuffer(ByteRing.footprint(1024));
  const url = new URL("../../../src/machine/shared/ring.ts", import.meta.url);
  const source = `
    const { ByteRing } = await import("${url}");
    self.onmessage = ({ data }) => {
      const queue = new ByteRing(data, 0, 1024);
      for (let put = 0; put < ${count};) if (queue.room > 0) queue.put(put++ % 251);
      self.postMessage("done");
    };
    self.postMessage("ready");`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
  });
  try {
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.postMessage(buffer);
    const queue = new ByteRing(buffer, 0, 1024);
    let taken = 0;
    while (taken < count) {
      for (const byte of queue.takeAll()) {
        if (byte !== taken++ % 251) throw new Error(`byte ${taken - 1} is ${byte}`);
      }
    }
    assertEquals(queue.take(), -1);
  } finally {
    worker.terminate();
  }
});
