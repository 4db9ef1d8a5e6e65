import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Cap } from "../../ffi/uapi/mod.ts";
import { cpuidFeatures, MSR } from "../../src/arch/x86/mod.ts";
import { type CpuidEntry, Kvm } from "../../src/kvm/mod.ts";
import { main } from "../../src/cli/main.ts";
import { type Stream, Terminal } from "../../src/cli/terminal.ts";
import { capMeanings } from "../../src/cli/info/cap_meanings.ts";
import { flagNames } from "../../src/cli/info/flags.ts";
import { msrMeanings } from "../../src/cli/info/msr_meanings.ts";
import { commentsOf, generate, outdated } from "../../tools/meanings.ts";
import { hasProgram, needing } from "../support/host.ts";
import { unemulated } from "../support/rounds.ts";
import { becomeNobody, root, runScript, specifier } from "../support/subprocess.ts";
import { argsOf, Kept, kvm, type Result } from "./support.ts";

/** Runs a command line as a process of its own, with no more permissions than it asks for. */
async function run(args: string[], options: RunOptions = {}): Promise<Result> {
  const { allow = ["--allow-ffi"] } = options;
  const command = new Deno.Command(Deno.execPath(), {
    args: argsOf(allow, args),
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

interface RunOptions {
  readonly allow?: string[];
}

Deno.test("as a process of its own it writes JSON and exits with 0, with --allow-ffi alone", async () => {
  const { code, stdout, stderr } = await run(["info", "limits", "--json"]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, (await kvm("info", "limits", "--json")).stdout);
});

Deno.test("output that can't be written is one line and exit status 1", async () => {
  class Full implements Stream {
    writeSync(): number {
      throw new Error("No space left on device (os error 28)");
    }

    isTerminal(): boolean {
      return false;
    }
  }
  const err = new Kept();
  assertEquals(await main(["info", "--json"], new Terminal(new Full()), new Terminal(err)), 1);
  const message = "kvm: cannot write the output: No space left on device (os error 28)\n";
  assertEquals(err.text, message);
  // Nor does the message's own loss matter to the status.
  assertEquals(await main(["nonsense"], new Terminal(new Full()), new Terminal(new Full())), 2);
});

Deno.test("it tells its version", async () => {
  const { code, stdout } = await kvm("--version");
  assertEquals(code, 0);
  assertMatch(stdout, /^kvm \d+\.\d+\.\d+\n$/);
  assertEquals((await kvm("-V")).stdout, stdout);
});

Deno.test(unemulated("as a process of its own it exits with 2 for wrong arguments"), async () => {
  const { code, stdout, stderr } = await run(["info", "--nonsense"], { allow: [] });
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^kvm: Unknown option '--nonsense'\n$/);
});

Deno.test("info shows every section, with what this host answers", async () => {
  const { code, stdout, stderr } = await kvm("info");
  assertEquals([code, stderr], [0, ""]);
  using host = Kvm.open();
  assertMatch(stdout, /^KVM at \/dev\/kvm, API version 12\n/);
  assertMatch(stdout, new RegExp(`^  maxVcpus +${host.maxVcpus}  vCPUs`, "m"));
  assertMatch(stdout, new RegExp(`^  NR_MEMSLOTS +${host.check(Cap.NR_MEMSLOTS)}  Answers`, "m"));
  assertMatch(stdout, /^ {2}vendor +\S{12}$/m);
  assertMatch(stdout, /^ {2}sse2 +0x1 edx\[26\] +SSE2$/m);
  assertMatch(stdout, /^ {2}LSTAR +0xc0000082 +state +RIP of SYSCALL/m);
  assert(!stdout.includes("that are absent"));
  assert(!stdout.includes("\x1b"), "no colours");
});

/** Without the APIC id, which is that of the processor that KVM was asked on. */
function anywhere(entry: CpuidEntry): CpuidEntry {
  switch (entry.function) {
    case 1:
      return { ...entry, ebx: entry.ebx & 0xff_ffff };
    case 0xb:
    case 0x1f:
      return { ...entry, edx: 0 };
    case 0x8000_001e:
      return { ...entry, eax: 0, ebx: 0, ecx: 0 };
    default:
      return entry;
  }
}

Deno.test("info --json is JSON with the same answers", async () => {
  const { code, stdout } = await kvm("info", "--json");
  assertEquals(code, 0);
  const info = JSON.parse(stdout);
  using host = Kvm.open();
  assertEquals(Object.keys(info), [
    ...["device", "apiVersion", "limits", "capabilities", "cpuid", "msrs"],
  ]);
  for (const { name, number, value } of info.capabilities) {
    assertEquals(number, Cap[name as keyof typeof Cap]);
    assertEquals(value, host.check(number), name);
    assertGreater(value, 0, name);
  }
  const supported = host.getSupportedCpuid();
  assertEquals(info.cpuid.features.map(({ name }: { name: string }) => name), supported.features);
  assertEquals(info.cpuid.entries.map(anywhere), supported.entries.map(anywhere));
  const indices: number[] = info.msrs.map(({ index }: { index: number }) => index);
  for (const index of host.getMsrIndexList()) assert(indices.includes(index));
  for (const index of host.getMsrFeatureIndexList()) assert(indices.includes(index));
});

Deno.test("info --all has everything that the tables have", async () => {
  const { stdout } = await kvm("info", "--all", "--json");
  const info = JSON.parse(stdout);
  assertEquals(info.capabilities.length, Object.keys(Cap).length);
  assertEquals(info.cpuid.features.length, cpuidFeatures.length);
  const indices = new Set(info.msrs.map(({ index }: { index: number }) => index));
  for (const index of Object.values(MSR)) assert(indices.has(index));

  const text = (await kvm("info", "-a")).stdout;
  assertStringIncludes(text, "Capabilities that are absent");
  assertMatch(text, /^ {2}PV_MMU +The paravirtual MMU, long gone: 0$/m);
});

Deno.test("info shows the sections that are named, by the beginning of their names, too", async () => {
  const { stdout } = await kvm("info", "msr", "limits", "--json");
  assertEquals(Object.keys(JSON.parse(stdout)), ["device", "apiVersion", "limits", "msrs"]);
});

Deno.test("--help is there for everything", async () => {
  for (
    const args of [["--help"], ["-h"], ["help"], ["info", "--help"], ["info", "-h"], [
      "help",
      "info",
    ]]
  ) {
    const { code, stdout, stderr } = await kvm(...args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    assertMatch(stdout, /^Usage: kvm /m);
    assertMatch(stdout, /^Exit status: 0 done, 1 KVM can't be used.*, 2 wrong arguments\.$/m);
  }
});

Deno.test("wrong arguments exit with 2 and say what is wrong", async () => {
  for (
    const [args, message] of [
      [["infos"], 'There is no command "infos"'],
      [["constructor"], 'There is no command "constructor"'],
      [["help", "nothing"], 'There is no command "nothing"'],
      [["info", "--nonsense"], "Unknown option '--nonsense'"],
      [["info", "--device"], "--device"],
      [["info", "--json=yes"], "--json"],
      [["info", "registers"], 'There is no section "registers": limits, capabilities,'],
      [["info", ""], 'There is no section ""'],
    ] as const
  ) {
    const { code, stdout, stderr } = await kvm(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^kvm: .*\n$/);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("no command at all exits with 2 and shows the help as an error", async () => {
  const { code, stdout, stderr } = await kvm();
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "Usage: kvm COMMAND");
});

Deno.test("a host without KVM is told in a line, with what to do", async () => {
  const missing = await kvm("info", "--device", "/dev/no-such-kvm");
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(
    missing.stderr,
    /^kvm: Cannot open \/dev\/no-such-kvm: open: ENOENT\. .*modprobe.*\n$/,
  );
  const other = await kvm("info", "--device", "/dev/null");
  assertEquals(other.code, 1);
  assertMatch(other.stderr, /^kvm: Cannot .*ENOTTY.*\n$/);
});

Deno.test({
  name: "a user who may not use KVM is told which group may (needs root, to become somebody else)",
  ignore: Deno.uid() !== 0,
  async fn() {
    const device = await Deno.makeTempFile();
    try {
      await Deno.chmod(device, 0o600);
      const { code, stderr } = await runScript(
        `
        import { main } from ${specifier("src/cli/main.ts")};
        ${becomeNobody}
        Deno.exit(await main(["info", "--device", ${JSON.stringify(device)}]));`,
      );
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /EACCES\. You may not use it: join the group/);
    } finally {
      await Deno.remove(device);
    }
  },
});

Deno.test({
  ...needing("script", hasProgram("script"), "colours are for terminals, unless NO_COLOR is set"),
  async fn() {
    const main = new URL("src/cli/main.ts", root).pathname;
    const run = `"${Deno.execPath()}" run --no-check --no-lock --allow-ffi "${main}" info limits`;
    for (const [env, coloured] of [["", true], ["NO_COLOR=1 ", false]] as const) {
      const { stdout } = await new Deno.Command("script", {
        args: ["-qec", `env -u NO_COLOR ${env}${run}`, "/dev/null"],
        env: { TERM: "xterm" },
        stdin: "null",
      }).output();
      const text = new TextDecoder().decode(stdout);
      assertStringIncludes(text, "maxVcpus");
      assertEquals(text.includes("\x1b[1mLimits"), coloured, Deno.inspect(text));
    }
  },
});

Deno.test("without --allow-ffi it says that it is needed", async () => {
  const { code, stdout, stderr } = await run(["info"], { allow: [] });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^kvm: Requires ffi access.*--allow-ffi\n$/);
});

Deno.test("a reader that goes away ends it quietly", async () => {
  const gone: Stream = {
    writeSync: () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
    isTerminal: () => false,
  };
  const err = new Kept();
  assertEquals(await main(["info"], new Terminal(gone), new Terminal(err)), 0);
  assertEquals(err.text, "");
});

Deno.test("every capability and MSR has a meaning, and the generated tables are up to date", () => {
  assertEquals(Object.keys(capMeanings), Object.keys(Cap));
  assertEquals(Object.keys(msrMeanings).sort(), Object.keys(MSR).sort());
  for (const [name, meaning] of Object.entries({ ...capMeanings, ...msrMeanings })) {
    assertMatch(meaning, /^\S.*[^.]$/, name);
  }
  assertEquals(outdated(generate()), [], "run deno task meanings");
});

Deno.test("meanings are taken from comments without their marks", () => {
  const text = `export const Cap = {
  /** One \`word\`. */
  ONE: 1,
  TWO: 2,
  /**
   * Two lines, and
   * {@linkcode Cap.ONE}.
   */
  THREE: 3,
} as const;
`;
  assertEquals(commentsOf(text, "Cap"), [
    ["ONE", "One word"],
    ["TWO", ""],
    ["THREE", "Two lines, and ONE"],
  ]);
});

Deno.test("answers that consist of bits are shown by name", () => {
  assertEquals(flagNames(Cap.X86_DISABLE_EXITS, 6), ["HLT", "PAUSE"]);
  assertEquals(flagNames(Cap.VM_TYPES, 0b11), ["DEFAULT", "SW_PROTECTED"]);
  assertEquals(flagNames(Cap.SYNC_REGS, 7), ["REGS", "SREGS", "EVENTS"]);
  assertEquals(flagNames(Cap.NR_VCPUS, 7), undefined);
});
