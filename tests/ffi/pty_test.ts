import { assertEquals, assertMatch } from "@std/assert";
import { createPty, POLL, poll, readable, readPty, writePty } from "../../ffi/mod.ts";
import { assertCode } from "../support/codes.ts";
import { openFiles } from "../support/host.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a pseudo-terminal hands bytes on as they are, in both directions", async () => {
  const { fd, path } = createPty();
  using master = fd;
  assertMatch(path, /^\/dev\/pts\/\d+$/);
  using terminal = await Deno.open(path, { read: true, write: true });
  const buffer = new Uint8Array(100);

  const keys = "\x03\x04\r\n\x11\x7f\xff";
  assertEquals(writePty(master, bytes(keys)), bytes(keys).length);
  assertEquals(text(buffer.subarray(0, terminal.readSync(buffer)!)), keys);
  assertEquals(readPty(master, buffer), 0, "nothing is echoed");

  terminal.writeSync(bytes("a\nb"));
  await readable(master);
  assertEquals(text(buffer.subarray(0, readPty(master, buffer))), "a\nb", "no CR before the LF");
  assertEquals(readPty(master, buffer), 0);
});

Deno.test("whether somebody has a pseudo-terminal open is known from the beginning", async () => {
  const { fd, path } = createPty();
  using master = fd;
  const buffer = new Uint8Array(1);
  assertEquals(poll(master) & POLL.HUP, POLL.HUP);
  assertEquals(readPty(master, buffer), -1);
  {
    using _terminal = await Deno.open(path, { read: true, write: true });
    assertEquals(poll(master) & POLL.HUP, 0);
    assertEquals(readPty(master, buffer), 0);
  }
  assertEquals(poll(master) & POLL.HUP, POLL.HUP);
  assertEquals(readPty(master, buffer), -1);
});

Deno.test("a pseudo-terminal that nobody reads takes so much and then nothing", async () => {
  const { fd, path } = createPty();
  using master = fd;
  using _terminal = await Deno.open(path, { read: true });
  let total = 0;
  // The kernel hands bytes on to the terminal's reader from a thread of its own: while that makes
  // room again, a write that took nothing is not the last word.
  for (let count = -1; count !== 0 || (poll(master) & POLL.OUT) !== 0; total += count) {
    count = writePty(master, new Uint8Array(4096));
    assertEquals(total < 1 << 20, true, "there is an end to what it takes");
  }
  assertEquals(total > 0, true);
});

Deno.test("a closed pseudo-terminal is refused, and gone", () => {
  const before = openFiles();
  const { fd } = createPty();
  fd.close();
  assertEquals(openFiles(), before);
  assertCode("EBADF", () => readPty(fd, new Uint8Array(1)));
  assertCode("EBADF", () => writePty(fd, new Uint8Array(1)));
});
