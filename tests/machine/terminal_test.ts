import { assertEquals, assertNotEquals } from "@std/assert";
import { echoUntilQ } from "../support/console_guests.ts";
import { debugExit, inb, movDx, print } from "../support/instructions.ts";
import { hasProgram, needing } from "../support/host.ts";
import { unemulated } from "../support/rounds.ts";
import { specifier } from "../support/subprocess.ts";
import { TestTerminal } from "../support/terminal.ts";

/**
 * Runs a script whose guest, by default, echoes until a "q", at the terminal of its process; the guest
 * may be a file.
 */
function commandOf(then: string, kernel: ArrayLike<number> | string = echoUntilQ(3)): string[] {
  const source = typeof kernel === "string"
    ? JSON.stringify(kernel)
    : `Uint8Array.of(${Array.from(kernel)})`;
  const text = `
    import { Machine } from ${specifier("src/machine/mod.ts")};
    const kernel = ${source};
    const machine = await Machine.boot({ kernel, protocol: "flat64", console: "inherit" });
    console.error("[ready]");
    ${then}
  `;
  const options = ["--no-prompt", "--no-check", "--no-lock", "--allow-ffi", "--allow-read"];
  return ["run", ...options, `data:application/typescript,${encodeURIComponent(text)}`];
}

const toTheEnd = `
  const { reason } = await machine.finished;
  await machine[Symbol.asyncDispose]();
  console.error("[" + reason + "]");
`;

/** The same at a terminal, up to where it takes keys. */
async function start(
  terminal: TestTerminal,
  then: string,
  kernel?: ArrayLike<number> | string,
): Promise<Deno.ChildProcess> {
  const child = terminal.spawn(Deno.execPath(), ...commandOf(then, kernel));
  await terminal.until("[ready]");
  return child;
}

function testAtTerminal(name: string, fn: (terminal: TestTerminal) => Promise<void>): void {
  Deno.test({
    ...needing("stty", hasProgram("stty"), name),
    async fn() {
      await using terminal = new TestTerminal();
      await fn(terminal);
    },
  });
}

testAtTerminal(
  "every key but Ctrl-A reaches the guest, one at a time, and nothing is echoed twice",
  async (terminal) => {
    const before = terminal.settings;
    const child = await start(terminal, toTheEnd);
    assertNotEquals(terminal.settings, before);
    const seen = terminal.text.length;
    for (const key of ["a", "\x03", "\x04", "\x1a", "\r", "\x7f"]) {
      await terminal.type(key);
      await terminal.until(key);
    }
    assertEquals(terminal.text.slice(seen).trimStart(), "a\x03\x04\x1a\r\x7f");
    await terminal.type("\x01\x01q");
    await terminal.until("\x01q");
    await terminal.until("[debugExit]");
    assertEquals((await child.status).code, 0);
    assertEquals(terminal.settings, before);
  },
);

testAtTerminal(
  "Ctrl-A x ends the machine, and what is typed behind it is for who reads next",
  async (terminal) => {
    const before = terminal.settings;
    const child = await start(
      terminal,
      `
    ${toTheEnd}
    const line = new Uint8Array(100);
    console.error("[read " + Deno.stdin.readSync(line) + "]");
  `,
    );
    // In one piece, so that both wait when the first one is read.
    await terminal.type("ab\x01xnext line\n");
    await terminal.until("[stopped]");
    await terminal.until("[read 10]");
    assertEquals((await child.status).code, 0);
    assertEquals(terminal.settings, before);
  },
);

testAtTerminal(
  "the process ends by itself when the machine has ended, without another key",
  async (terminal) => {
    const child = await start(terminal, toTheEnd);
    await terminal.type("q");
    await terminal.until("[debugExit]");
    assertEquals((await child.status).code, 0);
  },
);

testAtTerminal("Ctrl-A h shows what there is, and the guest goes on", async (terminal) => {
  const child = await start(terminal, toTheEnd);
  await terminal.type("\x01h");
  await terminal.until("Ctrl-A x       ends the machine\r\n");
  await terminal.until("Ctrl-A h       shows this\r\n");
  await terminal.type("aq");
  await terminal.until("aq");
  await terminal.until("[debugExit]");
  assertEquals((await child.status).code, 0);
});

testAtTerminal("Ctrl-A r resets the machine", async (terminal) => {
  const kernel = [...print("[hello]"), ...echoUntilQ(3)];
  const child = await start(terminal, toTheEnd, kernel);
  await terminal.type("a");
  await terminal.until("a");
  await terminal.type("\x01r");
  await terminal.until("[hello]");
  await terminal.type("q");
  await terminal.until("[debugExit]");
  assertEquals((await child.status).code, 0);
});

testAtTerminal("why Ctrl-A r resets nothing is told, and the guest goes on", async (terminal) => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/kernel`;
    Deno.writeFileSync(path, echoUntilQ(3));
    const child = await start(terminal, toTheEnd, path);
    await terminal.type("a");
    await terminal.until("a");
    Deno.removeSync(path);
    await terminal.type("\x01r");
    await terminal.until(`Cannot read the kernel from ${path}: ENOENT`);
    await terminal.type("bq");
    await terminal.until("bq");
    await terminal.until("[debugExit]");
    assertEquals((await child.status).code, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

for (
  const [key, what, kernel] of [
    // in ax, dx; test ah, PWRBTN; jz
    ["p", "presses the power button", [...movDx(0x600), 0x66, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xf9]],
    // in al, dx; test al, BI; jz
    ["b", "sends a break", [...inb(0x3fd), 0xa8, 0x10, 0x74, 0xfb]],
  ] as const
) {
  testAtTerminal(`Ctrl-A ${key} ${what}`, async (terminal) => {
    const child = await start(terminal, toTheEnd, [...kernel, ...debugExit(1)]);
    await terminal.type(`\x01${key}`);
    await terminal.until("[debugExit]");
    assertEquals((await child.status).code, 0);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  testAtTerminal(
    `${signal} ends machine and process, and the terminal is as before`,
    async (terminal) => {
      const before = terminal.settings;
      const child = await start(terminal, toTheEnd);
      await terminal.type("x");
      await terminal.until("x");
      child.kill(signal);
      assertEquals((await child.status).signal, signal);
      assertEquals(terminal.settings, before);
    },
  );
}

/** A console without a machine, which ends nothing; and a write that nobody reads all of. */
function startBlocked(terminal: TestTerminal): Deno.ChildProcess {
  const text = `
    import { TerminalConsole } from ${specifier("src/machine/mod.ts")};
    const nothing = () => {};
    const actions = { quit: nothing, powerButton: nothing, reset: nothing, sendBreak: nothing };
    const { input, output } = new TerminalConsole(actions);
    output.getWriter().write(new Uint8Array(1 << 20));
    await input.getReader().read();
  `;
  const options = ["--no-prompt", "--no-check", "--no-lock", "--allow-ffi"];
  const script = `data:application/typescript,${encodeURIComponent(text)}`;
  return terminal.spawn(Deno.execPath(), "run", ...options, script);
}

/** What a process does, by the letter that proc(5) has for it: T is stopped. */
function stateOf({ pid }: Deno.ChildProcess): string {
  return / \((?:.*)\) (\w)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))![1]!;
}

testAtTerminal(
  "a terminal that takes no more output is put back by a signal, and the next one ends the process",
  async (terminal) => {
    const before = terminal.settings;
    const child = startBlocked(terminal);
    await terminal.untilSettings((settings) => settings !== before);
    child.kill("SIGINT");
    await terminal.untilSettings((settings) => settings === before);
    child.kill("SIGINT");
    assertEquals((await child.status).signal, "SIGINT");
    assertEquals(terminal.settings, before);
  },
);

testAtTerminal(
  "a stopped process leaves the terminal as it was, and has it raw again when it goes on",
  async (terminal) => {
    const before = terminal.settings;
    const child = startBlocked(terminal);
    await terminal.untilSettings((settings) => settings !== before);
    const raw = terminal.settings;
    child.kill("SIGTSTP");
    await terminal.untilSettings(() => stateOf(child) === "T");
    assertEquals(terminal.settings, before);
    child.kill("SIGCONT");
    await terminal.untilSettings((settings) => settings === raw);
    child.kill("SIGQUIT");
    await terminal.untilSettings((settings) => settings === before);
    child.kill("SIGQUIT");
    assertEquals((await child.status).signal, "SIGQUIT");
    assertEquals(terminal.settings, before);
  },
);

for (
  const [how, then, code] of [
    ["Deno.exit", "Deno.exit(5);", 5],
    ["an error that nobody catches", 'throw new Error("lost");', 1],
    [
      "a rejection that nobody sees",
      'Promise.reject(new Error("lost")); await machine.finished;',
      1,
    ],
  ] as const
) {
  testAtTerminal(`the terminal is as before after ${how}`, async (terminal) => {
    const before = terminal.settings;
    const child = await start(terminal, then);
    assertEquals((await child.status).code, code);
    assertEquals(terminal.settings, before);
  });
}

/** The script with pipes instead of a terminal. */
function piped(then: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: commandOf(then),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

Deno.test(
  unemulated("what comes through a pipe reaches the guest as it is, Ctrl-A too"),
  async () => {
    const child = piped(toTheEnd);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("one\x01x\x03\n\x01q"));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    assertEquals(new TextDecoder().decode(stdout), "one\x01x\x03\n\x01q");
    assertEquals(new TextDecoder().decode(stderr), "[ready]\n[debugExit]\n");
    assertEquals(code, 0);
  },
);

Deno.test(
  unemulated("a listener of one's own hears a signal, and the process goes on after the machine"),
  async () => {
    const child = piped(`
    let heard = 0;
    const twice = Promise.withResolvers();
    Deno.addSignalListener("SIGTERM", () => ++heard === 2 && twice.resolve());
    ${toTheEnd}
    await twice.promise;
    console.error("[goes on]");
  `);
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of child.stderr) {
      const wasReady = text.includes("[ready]");
      text += decoder.decode(bytes);
      if (!wasReady && text.includes("[ready]")) child.kill("SIGTERM");
    }
    assertEquals(text, "[ready]\n[stopped]\n[goes on]\n");
    await child.stdin.close();
    await child.stdout.cancel();
    assertEquals((await child.status).code, 0);
  },
);
