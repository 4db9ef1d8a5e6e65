import { assertEquals } from "@std/assert";
import {
  bytesOf,
  createPty,
  getTerminalModes,
  rawModes,
  readable,
  readPty,
  setTerminalModes,
  writePty,
} from "../../ffi/mod.ts";
import { assertCode } from "../support/codes.ts";

// termios(3)
const ICRNL = 0o400, IXON = 0o2000;
const OPOST = 0o1, ONLCR = 0o4;
const ISIG = 0o1, ICANON = 0o2, ECHO = 0o10;

Deno.test("raw modes hand on each key at once, and leave the output as it was", async () => {
  const { fd, path } = createPty();
  using master = fd;
  using terminal = await Deno.open(path, { read: true, write: true });
  const modes = getTerminalModes(master);
  modes.iflag |= ICRNL | IXON;
  modes.oflag |= OPOST | ONLCR;
  modes.lflag |= ISIG | ICANON | ECHO;
  setTerminalModes(master, modes);
  assertEquals(bytesOf(getTerminalModes(master)), bytesOf(modes));

  setTerminalModes(master, rawModes(modes));
  const keys = Uint8Array.of(0x03, 0x0d, 0x13);
  writePty(master, keys);
  const buffer = new Uint8Array(10);
  assertEquals(buffer.subarray(0, terminal.readSync(buffer)!), keys);
  terminal.writeSync(Uint8Array.of(0x0a));
  await readable(master);
  assertEquals(buffer.slice(0, readPty(master, buffer)), Uint8Array.of(0x0d, 0x0a));

  setTerminalModes(master, modes);
  assertEquals(bytesOf(getTerminalModes(master)), bytesOf(modes));
});

Deno.test("a closed descriptor has no modes", () => {
  const { fd } = createPty();
  const modes = getTerminalModes(fd);
  fd.close();
  assertCode("EBADF", () => getTerminalModes(fd));
  assertCode("EBADF", () => setTerminalModes(fd, modes));
});
