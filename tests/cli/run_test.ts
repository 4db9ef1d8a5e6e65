import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { optionNames, parseRun } from "../../src/cli/run/options.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { PM1_CONTROL, SLP_TYP_S5 } from "../../src/devices/mod.ts";
import { echoUntilQ, sendForever, tripleFault } from "../support/console_guests.ts";
import { hasProgram, needing } from "../support/host.ts";
import { isEmulated, unemulated } from "../support/rounds.ts";
import {
  debugExit,
  inb,
  movDx,
  movEax,
  outAl,
  outb,
  outw,
  print,
  spin,
} from "../support/instructions.ts";
import { root } from "../support/subprocess.ts";
import { TestTerminal } from "../support/terminal.ts";

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const powerOff = outw(0x604, PM1_CONTROL.SLP_EN | SLP_TYP_S5 << 10);
const decoder = new TextDecoder();

/** Files of a test, by name; the folder is gone afterwards. */
async function withFiles(
  files: Readonly<Record<string, ArrayLike<number> | string>>,
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string"
        ? new TextEncoder().encode(content)
        : Uint8Array.from(content);
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const allow = ["--allow-ffi", "--allow-read"];

function argsOf(permissions: readonly string[], args: readonly string[]): string[] {
  const path = new URL("src/cli/main.ts", root).href;
  return ["run", "--no-prompt", "--no-check", "--no-lock", ...permissions, path, "run", ...args];
}

/** `kvm run` as a process, in a folder. */
function spawn(cwd: string, args: readonly string[], permissions = allow): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: argsOf(permissions, args),
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** The same to its end, with a text as its input. */
async function run(
  cwd: string,
  args: readonly string[],
  { input = "", permissions = allow }: { input?: string; permissions?: readonly string[] } = {},
): Promise<Result> {
  const child = spawn(cwd, args, [...permissions]);
  const writer = child.stdin.getWriter();
  // It may end without having read.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a guest of flat 64-bit code. */
async function runCode(
  code: ArrayLike<number>,
  args: readonly string[] = [],
  options: { input?: string; permissions?: readonly string[] } = {},
): Promise<Result> {
  let result: Result | undefined;
  await withFiles({ "guest.bin": code }, async (folder) => {
    result = await run(folder, ["guest.bin", "--protocol", "flat64", ...args], options);
  });
  return result!;
}

/** A command line within this process. */
async function kvm(...args: string[]): Promise<Result> {
  const texts = ["", ""];
  const terminals = [0, 1].map((at) =>
    new Terminal({
      writeSync: (bytes) => {
        texts[at] += decoder.decode(bytes);
        return bytes.length;
      },
      isTerminal: () => false,
    })
  );
  const code = await main(args, terminals[0], terminals[1]);
  return { code, stdout: texts[0]!, stderr: texts[1]! };
}

/**
 * The same within this process, for what is no matter of the process: it takes a tenth of the time.
 * The console goes to a file.
 */
async function runHere(
  code: ArrayLike<number>,
  args: readonly string[] | ((folder: string) => readonly string[]) = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Result> {
  let result: Result | undefined;
  await withFiles({ "guest.bin": code, ...files }, async (folder) => {
    const guest = [`${folder}/guest.bin`, "--protocol", "flat64"];
    const more = typeof args === "function" ? args(folder) : args;
    const { code, stderr } = await kvm("run", ...guest, "--serial", `file:${folder}/out`, ...more);
    result = { code, stdout: await Deno.readTextFile(`${folder}/out`), stderr };
  });
  return result!;
}

Deno.test("a kernel alone is a machine with one vCPU, 256 MiB and its console here", () => {
  assertEquals(parseRun(["vmlinuz"]), {
    kernel: "vmlinuz",
    initrd: undefined,
    append: undefined,
    modules: [],
    protocol: undefined,
    loadAddress: undefined,
    entry: undefined,
    memory: "256M",
    cpus: 1,
    cpu: undefined,
    fwCfg: [],
    serial: [{ kind: "stdio" }],
    debugcon: { kind: "none" },
    onReset: "reboot",
    onTripleFault: "error",
    timeout: undefined,
    bootTimer: false,
    quiet: false,
  });
});

Deno.test("every option is understood", () => {
  const line = "--kernel k.elf --initrd i.img --append quiet --module a=b=c --module d " +
    "--protocol elf --load-address 0x200000 --entry 2097152 -m 1.5G --cpus 4 --cpu host,-avx " +
    "--fw-cfg opt/a=b=c --serial none --serial pty --serial file:a:b --debugcon stdio " +
    "--no-reboot --triple-fault reset --timeout .5 --boot-timer -q";
  assertEquals(parseRun(line.split(" ")), {
    kernel: "k.elf",
    initrd: "i.img",
    append: "quiet",
    modules: [{ image: "a", commandLine: "b=c" }, { image: "d", commandLine: undefined }],
    protocol: "elf",
    loadAddress: 0x200000,
    entry: 0x200000,
    memory: "1.5G",
    cpus: 4,
    cpu: "host,-avx",
    fwCfg: [["opt/a", "b=c"]],
    serial: [{ kind: "none" }, { kind: "pty" }, { kind: "file", path: "a:b" }],
    debugcon: { kind: "stdio" },
    onReset: "stop",
    onTripleFault: "reset",
    timeout: 500,
    bootTimer: true,
    quiet: true,
  });
  assertEquals(parseRun(["k", "-m", "512"])?.memory, "512M");
  assertEquals(parseRun(["k", "--memory", "64MiB"])?.memory, "64MiB");
  assertEquals(parseRun(["k", "--smp", "3"])?.cpus, 3);
  assertEquals(parseRun(["k", "-qm512"])?.memory, "512M");
  assertEquals(parseRun(["k", "-q", "--no-reboot", "-q"])?.quiet, true);
  assertEquals(parseRun(["--", "-nographic"])?.kernel, "-nographic");
  assertEquals(parseRun(["--help", "k"]), undefined);
});

Deno.test("run --help names every option, and exits with 0", async () => {
  for (const args of [["run", "--help"], ["run", "kernel", "-h"], ["help", "run"]]) {
    const { code, stdout, stderr } = await kvm(...args);
    assertEquals([code, stderr], [0, ""]);
    for (const name of optionNames) assertStringIncludes(stdout, `--${name}`);
    assertMatch(stdout, /^Usage: kvm run /m);
    assertMatch(stdout, /^Exit status:$/m);
    assertMatch(stdout, /^Examples:$/m);
    assertMatch(stdout, /^ {2}0 [^]*\| head$/m);
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
  }
});

Deno.test("wrong arguments exit with 125 and one line that says what would be right", async () => {
  for (
    const [line, message] of [
      ["", "Name a kernel: kvm run KERNEL"],
      ["a b", "There is one kernel to run, not 2: a b"],
      ["a --kernel b", "There is one kernel to run, not 2"],
      ["a --nonsense", "Unknown option '--nonsense'"],
      ["-kernel a", "Write two hyphens: --kernel for -kernel"],
      ["a -smp 2", "Write two hyphens: --cpus for -smp"],
      ["a -fw_cfg x", "Write two hyphens: --fw-cfg for -fw_cfg"],
      ["a -nographic", "Unknown option '-nographic': not needed, the console is this terminal"],
      ["a -machine q35", "Unknown option '-machine': there is one kind of machine"],
      ["a -M q35", "Unknown option '-M': there is one kind of machine"],
      ["a -drive file=b", "Unknown option '-drive': there are no disks yet"],
      ["a --drive=file=b", "Unknown option '--drive': there are no disks yet"],
      ["a -accel kvm", "Unknown option '-accel': not needed"],
      ["a -net none", "Unknown option '-net': there is no network yet"],
      ["a -mem-path b", "Unknown option '-mem-path'"],
      ["a -append=b", "Write two hyphens: --append for -append=b"],
      ["-m 2 -m3 a", "-m can be given once, and not as 2 and 3"],
      ["a --cpus 2 --smp 2", "--smp can be given once, and not as 2 and 2"],
      ["a --timeout 1 --timeout 2", "--timeout can be given once"],
      ["--kernel a --kernel b", "There is one kernel to run, not 2: a b"],
      ["a --fw-cfg b=c --fw-cfg b=d", "--fw-cfg has one file for b, not two"],
      ["a --cpus 0", '--cpus is a whole number from 1, not "0"'],
      ["a --cpus 2,cores=2", "--cpus is a whole number"],
      ["a --entry 0x", '--entry is an address, such as 0x100000, not "0x"'],
      ["a --load-address 1e5", "--load-address is an address"],
      ["a --serial tcp:1", '--serial is none, stdio, pty or file:PATH, not "tcp:1"'],
      ["a --serial file:", "--serial is none"],
      ["a --debugcon vc", "--debugcon is none"],
      ["a --serial stdio --serial stdio", "One serial port alone can have stdio"],
      [`a${" --serial none".repeat(5)}`, "There are 4 serial ports, not 5"],
      ["a --fw-cfg name", "--fw-cfg is NAME=FILE"],
      ["a --fw-cfg =file", "--fw-cfg is NAME=FILE"],
      ["a --triple-fault halt", '--triple-fault is error or reset, not "halt"'],
      ["a --timeout 0", "--timeout is a number of seconds"],
      ["a --timeout 1m", "--timeout is a number of seconds"],
      ["a --timeout 1e9", "--timeout is a number of seconds"],
      ["a --timeout 9999999", "--timeout is a number of seconds"],
    ] as const
  ) {
    const { code, stdout, stderr } = await kvm("run", ...line.split(" ").filter(Boolean));
    assertEquals([code, stdout], [125, ""], line);
    assertMatch(stderr, /^kvm: .*\n$/);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("what can't be loaded exits with 125 and one line", async () => {
  await withFiles(
    { "zeroes.bin": new Uint8Array(100), "zeroes.0": [], "bad.elf": [0x7f, 69, 76, 70] },
    async (folder) => {
      for (
        const [args, message] of [
          [["none.elf"], "Cannot read the kernel from none.elf: ENOENT"],
          [["zeroes.bin"], "Cannot tell how to load zeroes.bin: it is no bzImage"],
          [["zeroes.bin"], "needs --protocol flat16, flat32 or flat64"],
          [["zeroes.0"], "Cannot load zeroes.0: it is empty"],
          [["zeroes.bin", "--protocol", "elf"], 'zeroes.bin: Cannot load the kernel as "elf"'],
          [["bad.elf"], 'bad.elf: Cannot load the kernel as "elf": ENOEXEC'],
          [["zeroes.bin", "--protocol", "efi"], "protocol is linux, elf, pvh"],
          [["zeroes.bin", "--protocol", "flat64", "--append", "x"], "has no commandLine"],
          [["zeroes.bin", "--protocol", "flat64", "-m", "12X"], 'Cannot understand the size "12X"'],
          [["zeroes.bin", "--protocol", "flat64", "-m", "8192T"], "It is too big: no processor"],
          [["zeroes.bin", "--protocol", "flat64", "-m", "4096T"], "at most 4194303G"],
          [["zeroes.bin", "--protocol", "flat64", "--cpu", "pentium"], "CPU model"],
          [["zeroes.bin", "--protocol", "flat64", "--initrd", "none"], "none: ENOENT"],
          [["zeroes.bin", "--fw-cfg", "opt/a=none"], "Cannot read none: No such file or directory"],
          [["none.asm"], "Cannot read none.asm: No such file or directory"],
          [["none.asm", "--protocol", "linux"], "Source is started as flat16, flat32 or flat64"],
        ] as const
      ) {
        const paths = args.map((arg) => {
          if (arg.startsWith("opt/a=")) return arg.replace("none", `${folder}/none`);
          return /^(none|zeroes|bad)/.test(arg) ? `${folder}/${arg}` : arg;
        });
        const { code, stdout, stderr } = await kvm("run", ...paths, "--serial", "none");
        assertEquals([code, stdout], [125, ""], stderr);
        assertMatch(stderr, /^kvm: .*\n$/);
        assertStringIncludes(stderr.replaceAll(`${folder}/`, ""), message);
      }
    },
  );
});

Deno.test(unemulated("missing permissions are told with the flag that gives them"), async () => {
  await withFiles({ "guest.bin": debugExit(0), "guest.asm": "hlt" }, async (folder) => {
    const flat = ["guest.bin", "--protocol", "flat64"];
    for (
      const [permissions, args, flag] of [
        [[], flat, "--allow-(ffi|read)"],
        [["--allow-ffi"], flat, "--allow-read"],
        [["--allow-read"], flat, "--allow-ffi"],
        [allow, [...flat, "--serial", "file:log"], "--allow-write"],
        ...(hasProgram("nasm") ? [[allow, ["guest.asm"], "--allow-run=nasm"]] as const : []),
      ] as const
    ) {
      const { code, stdout, stderr } = await run(folder, args, { permissions });
      assertEquals([code, stdout], [125, ""], stderr);
      assertMatch(stderr, new RegExp(`^kvm: .*${flag}\\n$`));
    }
  });
});

Deno.test("the guest's output is on standard output and nothing else, its code the status", async () => {
  assertEquals(await runCode([...print("hello\n"), ...debugExit(42)]), {
    code: 42,
    stdout: "hello\n",
    stderr: "",
  });
  assertEquals(await runHere([...print("bye"), ...powerOff, ...spin]), {
    code: 0,
    stdout: "bye",
    stderr: "",
  });
});

Deno.test("of a code that a process can't end with, the low 8 bits are the status", async () => {
  // mov eax, 0x1234; out 0xf4, eax
  const { code } = await runHere([...movEax(0x1234), 0xe7, 0xf4, ...spin]);
  assertEquals(code, 0x34);
});

Deno.test("input through a pipe reaches the guest, and its end is no end of the machine", async () => {
  const { code, stdout, stderr } = await runCode(echoUntilQ(7), [], {
    input: "one two\n\x03\x04q",
  });
  assertEquals([code, stdout, stderr], [7, "one two\n\x03\x04q", ""]);
});

Deno.test("a reset starts anew, and with --no-reboot it ends", async () => {
  const reset = [...outb(0xcf9, 6), ...spin];
  const ended = await runHere([...print("once"), ...reset], ["--no-reboot"]);
  assertEquals([ended.code, ended.stdout, ended.stderr], [0, "once", ""]);
  // What is in memory stays: the second time, the cell at 0x200000 is 1. mov ebx, 0x200000
  const cell = [0xbb, 0, 0, 0x20, 0];
  const end = debugExit(9);
  const again = await runHere([
    ...print("x"),
    ...cell,
    ...[0x80, 0x3b, 1, 0x75, end.length], // cmp byte [rbx], 1; jne over
    ...end,
    ...[0xc6, 0x03, 1], // mov byte [rbx], 1
    ...reset,
  ]);
  assertEquals([again.code, again.stdout], [9, "xx"]);
});

Deno.test("a guest that crashes exits with 126, its whole report on standard error", async () => {
  const { code, stdout, stderr } = await runHere([...print("last words\n"), ...tripleFault]);
  assertEquals([code, stdout], [126, "last words\n"]);
  assertMatch(stderr, /^kvm: vCPU 0: triple fault/);
  // Where KVM resets the vCPU at once, there is nothing left to see.
  assertMatch(stderr, /Bytes at RIP: 0f 0b|KVM has reset the vCPU[^]*\nRIP 000000000000fff0/);
  assertMatch(stderr, /^RAX [0-9a-f]{16} /m);
  assertMatch(stderr, /^CR0 /m);
});

Deno.test("--triple-fault reset makes of a triple fault what a PC does", async () => {
  const args = ["--triple-fault", "reset", "--no-reboot"];
  const { code, stdout, stderr } = await runHere([...print("x"), ...tripleFault], args);
  assertEquals([code, stdout, stderr], [0, "x", ""]);
});

Deno.test("--timeout ends a guest that does not end, with 124", async () => {
  // Enough for the machine to start.
  const seconds = isEmulated() ? "3" : "1.5";
  const args = ["--timeout", seconds];
  const { code, stdout, stderr } = await runHere([...print("x"), ...spin], args);
  assertEquals([code, stdout], [124, "x"]);
  assertEquals(stderr, `kvm: The guest was still running after ${seconds} s (--timeout)\n`);
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
      assertStringIncludes(result.stderr, "No space left on device");
    });
  },
);

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

Deno.test("--boot-timer tells when the guest wrote to it, on standard error", async () => {
  // mov eax, 0xd0000000; mov byte [rax], 123
  const code = [...movEax(0xd000_0000), 0xc6, 0x00, 123, ...debugExit(0)];
  const { stderr, stdout } = await runHere(code, ["--boot-timer"]);
  assertEquals(stdout, "");
  assertMatch(stderr, /^kvm: boot timer: \d+\.\d ms, point 123\n$/);
  assertEquals((await runHere(code)).stderr, "");
});

Deno.test("files given with --fw-cfg are in the guest's fw_cfg directory", async () => {
  // Selector 0x19 is the directory; each entry has 64 bytes (Linux: qemu_fw_cfg.c).
  const next = [...inb(0x511), ...outAl(0x3f8)];
  const code = [
    ...[...movDx(0x510), ...movEax(0x19), 0x66, 0xef],
    ...Array.from({ length: 4 + 64 * 8 }, () => next).flat(),
    ...debugExit(0),
  ];
  const args = (folder: string) => ["--fw-cfg", `opt/motd=${folder}/motd`];
  const { code: status, stdout } = await runHere(code, args, { motd: "hello" });
  assertEquals(status, 0);
  assertStringIncludes(stdout, "opt/motd\0");
});

Deno.test("several vCPUs, more memory and a CPU model are there", async () => {
  // mov eax, 1; cpuid; shr ebx, 16; mov al, bl; out 0xf4, al: logical processors
  const code = [...movEax(1), 0x0f, 0xa2, 0xc1, 0xeb, 16, 0x88, 0xd8, 0xe6, 0xf4, ...spin];
  const args = ["--cpus", "2", "-m", "512", "--cpu", "host,-avx"];
  const result = await runHere(code, args);
  assertEquals(result, { code: 2, stdout: "", stderr: "" });
});

Deno.test({
  ...needing(
    "nasm",
    hasProgram("nasm"),
    "source is assembled and started in the mode that it is for",
  ),
  async fn() {
    const files = {
      "long.asm": "mov rax, strict qword 5\n lea rcx, [rel $$]\n shr ecx, 20\n add eax, ecx\n" +
        "out 0xf4, al\n",
      "own.asm": "bits 64\n org 0x200000\n mov al, [abs value]\n out 0xf4, al\nvalue: db 11\n",
      "boot.asm":
        "mov al, [value]\n out 0xf4, al\n value: db 12\n times 510-($-$$) db 0\n dw 0xaa55",
      "included.asm": '%include "number.inc"\n mov al, NUMBER\n out 0xf4, al\n',
      "number.inc": "NUMBER equ 13\n",
      "wrong.asm": "mov al, 1\n nonsense here\n",
    };
    const permissions = [...allow, "--allow-run=nasm"];
    await withFiles(files, async (folder) => {
      for (
        const [args, code] of [
          [["long.asm"], 6],
          [["long.asm", "--load-address", "0x300000"], 8],
          [["own.asm"], 11],
          [["boot.asm", "--protocol", "flat16"], 12],
          [["boot.asm", "--protocol", "flat32"], 12],
          [["included.asm"], 13],
        ] as const
      ) {
        const result = await run(folder, args, { permissions });
        assertEquals(result, { code, stdout: "", stderr: "" }, args.join(" "));
      }
      const { code, stderr } = await run(folder, ["wrong.asm"], { permissions });
      assertEquals(code, 125);
      assertMatch(stderr, /^kvm: wrong\.asm: Cannot assemble line 2: .*\n$/);
    });
  },
});

Deno.test({
  ...needing("stty", hasProgram("stty"), "at a terminal it says how to get out, and restores it"),
  async fn() {
    await withFiles({ "guest.bin": [...print("[up]"), ...echoUntilQ(3)] }, async (folder) => {
      await using terminal = new TestTerminal();
      const before = terminal.settings;
      const start = (...args: string[]) => {
        const guest = [`${folder}/guest.bin`, "--protocol", "flat64", ...args];
        return terminal.spawn(Deno.execPath(), ...argsOf(allow, guest));
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
      await terminal.until("kvm: The guest was still running after 3 s (--timeout)\r\n");
      assertEquals((await late.status).code, 124);
      assertEquals(terminal.settings, before);
    });
  },
});
