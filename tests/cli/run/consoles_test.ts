import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { echoUntilQ, sendAtOnce, sendForever } from "../../support/console_guests.ts";
import { hasProgram, needing } from "../../support/host.ts";
import { debugExit, outb, print } from "../../support/instructions.ts";
import { isEmulated, unemulated } from "../../support/rounds.ts";
import { TestTerminal } from "../../support/terminal.ts";
import { argsOf } from "../support.ts";
import { allow, run, runCode, spawn, withFiles } from "./support.ts";

const decoder = new TextDecoder();

Deno.test("input through a pipe reaches the guest, and its end is no end of the machine", async () => {
  const { code, stdout, stderr } = await runCode(echoUntilQ(7), [], {
    input: "one two\n\x03\x04q",
  });
  assertEquals([code, stdout, stderr], [7, "one two\n\x03\x04q", ""]);
});

for (const signal of isEmulated() ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends machine and process, and what the guest has said is said`, async () => {
    await withFiles({ "guest.bin": echoUntilQ(0) }, async (folder) => {
      const child = spawn(folder, ["guest.bin", "--protocol", "flat64"]);
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode("said"));
      let stdout = "";
      for await (const bytes of child.stdout) {
        stdout += decoder.decode(bytes);
        if (stdout === "said") child.kill(signal);
      }
      assertEquals([stdout, (await child.status).signal], ["said", signal]);
      assertEquals(await child.stderr.text(), "");
      await writer.close().catch(() => {});
    });
  });
}

Deno.test(unemulated("a reader that goes away ends the machine quietly"), async () => {
  await withFiles({ "guest.bin": sendForever("x") }, async (folder) => {
    const child = spawn(folder, ["guest.bin", "--protocol", "flat64"]);
    const reader = child.stdout.getReader();
    assertMatch(decoder.decode((await reader.read()).value), /^x+$/);
    await reader.cancel();
    assertEquals((await child.status).code, 0);
    assertEquals(await child.stderr.text(), "");
    await child.stdin.close().catch(() => {});
  });
});

Deno.test(
  unemulated("output that could not be written is an error, whatever the guest's code"),
  async () => {
    await withFiles({ "guest.bin": [...print("lost"), ...debugExit(0)] }, async (folder) => {
      const args = ["guest.bin", "--protocol", "flat64", "--serial", "file:/dev/full"];
      const result = await run(folder, args, { permissions: ["--allow-all"] });
      assertEquals([result.code, result.stdout], [125, ""]);
      assertStringIncludes(result.stderr, "Cannot write to /dev/full: No space left on device");
    });
  },
);

Deno.test({
  ...needing(
    "mkfifo",
    hasProgram("mkfifo"),
    "a pipe as a console waits for its reader, and no longer than the --timeout",
  ),
  async fn() {
    await withFiles({ "guest.bin": [...print("through"), ...debugExit(6)] }, async (folder) => {
      const pipe = `${folder}/pipe`;
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      const args = ["guest.bin", "--protocol", "flat64", "--serial", "file:pipe"];
      const permissions = [...allow, "--allow-write"];
      const late = await run(folder, [...args, "--timeout", "0.5"], { permissions });
      assertEquals(late.code, 124);
      assertStringIncludes(late.stderr, "Cannot write to pipe: nobody has opened it to read");
      const running = run(folder, args, { permissions });
      assertEquals(await Deno.readTextFile(pipe), "through");
      assertEquals(await running, { code: 6, stdout: "", stderr: "" });
    });
  },
});

Deno.test(
  unemulated("serial ports and the debug console go to files, standard output and nowhere"),
  async () => {
    const code = [
      ...print("one"),
      ...outb(0x2f8, 0x32),
      ...outb(0x3e8, 0x33),
      ...outb(0xe9, 0x64),
      ...debugExit(0),
    ];
    await withFiles({ "guest.bin": code, "two": "what was there before" }, async (folder) => {
      const flat = ["guest.bin", "--protocol", "flat64"];
      const permissions = [...allow, "--allow-write"];
      const serial = ["--serial", "file:one", "--serial", "file:two", "--serial", "stdio"];
      const result = await run(folder, [...flat, ...serial, "--debugcon", "file:debug"], {
        permissions,
      });
      assertEquals(result, { code: 0, stdout: "3", stderr: "" });
      const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
      assertEquals([read("one"), read("two"), read("debug")], ["one", "2", "d"]);
      const debug = await run(folder, [...flat, "--serial", "none", "--debugcon", "stdio"]);
      assertEquals(debug, { code: 0, stdout: "d", stderr: "" });
    });
  },
);

Deno.test(
  unemulated("a pseudo-terminal's path is told, and who opens it talks to the guest"),
  async () => {
    await withFiles({ "guest.bin": echoUntilQ(4) }, async (folder) => {
      const child = spawn(folder, ["guest.bin", "--protocol", "flat64", "-q", "--serial", "pty"]);
      const reader = child.stderr.getReader();
      const told = decoder.decode((await reader.read()).value);
      const path = /^kvm: COM1 is (\/dev\/pts\/\d+)\n$/.exec(told)?.[1];
      assert(path !== undefined, told);
      using terminal = await Deno.open(path, { read: true, write: true });
      await terminal.write(new TextEncoder().encode("abq"));
      assertEquals((await child.status).code, 4);
      reader.releaseLock();
      await Promise.all([child.stdin.close().catch(() => {}), child.stdout.cancel()]);
      await child.stderr.cancel();
    });
  },
);

Deno.test({
  ...needing("stty", hasProgram("stty"), "at a terminal it says how to get out, and restores it"),
  async fn() {
    await withFiles({ "guest.bin": [...print("[up]"), ...echoUntilQ(3)] }, async (folder) => {
      await using terminal = new TestTerminal();
      const before = terminal.settings;
      const start = (...args: string[]) => {
        const guest = [`${folder}/guest.bin`, "--protocol", "flat64", ...args];
        return terminal.spawn(Deno.execPath(), ...argsOf(allow, ["run", ...guest]));
      };
      const child = start();
      await terminal.until("kvm: Ctrl-A x ends the machine, Ctrl-A h shows more\r\n");
      await terminal.until("[up]");
      await terminal.type("\x03\x01x");
      assertEquals((await child.status).code, 0);
      assertEquals(terminal.settings, before);

      const quiet = start("--quiet");
      await terminal.until("[up]");
      quiet.kill("SIGTERM");
      assertEquals((await quiet.status).signal, "SIGTERM");
      assertEquals(terminal.settings, before);

      const late = start("--timeout", "3", "-q");
      await terminal.until("[up]");
      await terminal.until("kvm: The guest had not ended after 3 s (--timeout)\r\n");
      assertEquals((await late.status).code, 124);
      assertEquals(terminal.settings, before);
    });
  },
});

Deno.test({
  ...needing(
    "stty and mkfifo",
    hasProgram("stty") && hasProgram("mkfifo"),
    "while others' output is not taken, a terminal says so, and Ctrl-C leaves",
  ),
  async fn() {
    // More than a pipe takes, and less than a pipe and a port do.
    const guest = sendAtOnce(new Uint8Array(80_000), debugExit(3));
    await withFiles({ "guest.bin": guest }, async (folder) => {
      const pipe = `${folder}/pipe`;
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      using _reader = await Deno.open(pipe, { read: true, write: true });
      await using terminal = new TestTerminal();
      const before = terminal.settings;
      const consoles = ["--serial", `file:${pipe}`, "--serial", "stdio"];
      const args = [`${folder}/guest.bin`, "--protocol", "flat64", ...consoles];
      const child = terminal.spawn(
        Deno.execPath(),
        ...argsOf([...allow, "--allow-write"], ["run", ...args]),
      );
      await terminal.until("kvm: the guest has ended; not all that it wrote has been taken yet");
      // Not raw any more: Ctrl-C is this signal, where it is the process's own terminal.
      assertEquals(terminal.settings, before);
      child.kill("SIGINT");
      assertEquals((await child.status).signal, "SIGINT");
    });
  },
});
