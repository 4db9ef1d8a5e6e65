import { assertEquals, assertMatch } from "@std/assert";
import { Machine, Pty } from "../../src/machine/mod.ts";
import { echoUntilQ, sendForever } from "../support/console_guests.ts";
import { openTargets } from "../support/host.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Reads from a terminal until a text has come; all up to there. */
async function readUntil(terminal: Deno.FsFile, wanted: string): Promise<string> {
  const buffer = new Uint8Array(4096);
  for (let text = "";;) {
    const count = await terminal.read(buffer);
    if (count === null) throw new Error(`The terminal ended before ${wanted} came: ${text}`);
    text += decoder.decode(buffer.subarray(0, count));
    if (text.includes(wanted)) return text;
  }
}

Deno.test("who opens the pseudo-terminal talks to the guest, and so does who comes next", async () => {
  using pty = new Pty();
  await using machine = await Machine.boot({
    kernel: echoUntilQ(3),
    protocol: "flat64",
    console: pty,
  });
  for (const keys of ["first\n", "second\x03"]) {
    using terminal = await Deno.open(pty.path, { read: true, write: true });
    await terminal.write(encoder.encode(keys));
    assertEquals(await readUntil(terminal, keys), keys);
  }
  using terminal = await Deno.open(pty.path, { read: true, write: true });
  await terminal.write(encoder.encode("q"));
  assertEquals(await machine.finished, { reason: "debugExit", code: 3 });
});

Deno.test("a guest does not wait for somebody who is not there, and later bytes arrive", async () => {
  using pty = new Pty();
  const kernel = sendForever("x");
  await using machine = await Machine.boot({ kernel, protocol: "flat64", console: pty });
  using terminal = await Deno.open(pty.path, { read: true, write: true });
  assertMatch(await readUntil(terminal, "xxx"), /^x+$/);
  await machine.stop();
  assertEquals(await machine.finished, { reason: "stopped" });
});

Deno.test("a closed pseudo-terminal hangs up, and leaves nothing open", async () => {
  const masters = () => openTargets().filter((target) => target.endsWith("/ptmx")).length;
  const before = masters();
  const pty = new Pty();
  assertEquals(masters(), before + 1);
  const reader = pty.input.getReader();
  const read = reader.read();
  using terminal = await Deno.open(pty.path, { read: true, write: true });
  pty.close();
  pty.close();
  assertEquals(await terminal.read(new Uint8Array(1)), null);
  assertEquals((await read).done, true);
  assertEquals((await reader.read()).done, true);
  const writer = pty.output.getWriter();
  await writer.write(encoder.encode("lost"));
  assertEquals(masters(), before);
});
