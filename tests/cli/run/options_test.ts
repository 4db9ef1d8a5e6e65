import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { optionNames, parseRun } from "../../../src/cli/run/options.ts";
import { kvm } from "../support.ts";

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
    assertMatch(
      stdout,
      /^How it ends:$[^]*^HLT ends nothing[^]*\b0xf4\b[^]*\b0x604\.[^]*a crash\.$/m,
    );
    assertMatch(stdout, /^ {2}-m, .*\b1M\b/m);
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
