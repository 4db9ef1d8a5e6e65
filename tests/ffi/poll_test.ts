import { assertEquals } from "@std/assert";
import { createPty, Fd, POLL, poll, readable } from "../../ffi/mod.ts";

Deno.test("poll tells what could be done, and does nothing of it", async () => {
  const { fd, path } = createPty();
  using master = fd;
  using terminal = await Deno.open(path, { read: true, write: true });
  assertEquals(poll(master), POLL.OUT);
  terminal.writeSync(Uint8Array.of(1));
  await readable(master);
  assertEquals(poll(master), POLL.IN | POLL.OUT);
  assertEquals(poll(master), POLL.IN | POLL.OUT);
});

Deno.test("a regular file never blocks, and a closed descriptor promises nothing", () => {
  const path = Deno.makeTempFileSync();
  using file = Fd.open(path, "file");
  Deno.removeSync(path);
  assertEquals(poll(file), POLL.IN | POLL.OUT);
  file.close();
  assertEquals(poll(file), 0);
});
