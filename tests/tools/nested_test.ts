import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fileURLToPath } from "node:url";
import { cached, cacheFolder, hash } from "../../tools/support/cache.ts";
import { keepDurations, knownDurations } from "../../tools/nested/durations.ts";
import { NestedError } from "../../tools/nested/error.ts";
import { makeImage, PARTITION } from "../../tools/nested/ext4.ts";
import { jobImage, lockedPackages } from "../../tools/nested/job.ts";
import { LimitError, runMachine, StuckError } from "../../tools/nested/machine.ts";
import { dependencies, findModules } from "../../tools/nested/modules.ts";
import { effectiveLimit, parseOptions, quote } from "../../tools/nested/options.ts";
import { kernelParts, wantedPackages, wholeSuite } from "../../tools/nested/apt.ts";
import { parseAptShow, suiteSources } from "../../tools/support/apt.ts";
import { ToolError, UsageError } from "../../tools/support/error.ts";
import { packages } from "../../tools/nested/packages.ts";
import { missingMessage, missingPrograms, run } from "../../tools/support/process.ts";
import { mergeReports, readReport } from "../../tools/nested/report.ts";
import { parts } from "../../tools/nested/parts.ts";
import { inTurns } from "../../tools/nested/turns.ts";
import { findKvmUsers, reaching } from "../../tools/nested/uses_kvm.ts";
import { needing } from "../support/host.ts";

const root = new URL("../../", import.meta.url);

Deno.test("own options come first, and the rest is the command's, its options too", () => {
  assertEquals(parseOptions(["--limit", "5", "--debs=/d", "--", "ls", "--help"]), {
    help: false,
    limit: 5,
    debs: "/d",
    suite: undefined,
    withQemu: false,
    guests: false,
    all: false,
    report: undefined,
    rest: ["ls", "--help"],
  });
  assertEquals(parseOptions(["--filter", "x", "--limit", "5"]).rest, [
    "--filter",
    "x",
    "--limit",
    "5",
  ]);
  assertEquals(parseOptions(["--", "--", "x"]).rest, ["--", "x"]);
  assertEquals(parseOptions(["--help"]).help, true);
  assertEquals(parseOptions(["--with-qemu", "ls"]).withQemu, true);
});

Deno.test("an option without its value, and a limit that is no number of seconds, are refused", () => {
  for (const args of [["--limit"], ["--limit", "-1"], ["--limit=1.5"], ["--limit=9999999999"]]) {
    assertThrows(() => parseOptions(args), UsageError, "", args.join(" "));
  }
  assertThrows(() => parseOptions(["--help=yes"]), UsageError);
});

Deno.test("a command has a limit unless told otherwise, and a shell has none", () => {
  assertEquals(effectiveLimit(parseOptions([]), true), 0);
  assertEquals(effectiveLimit(parseOptions([]), false) > 0, true);
  assertEquals(effectiveLimit(parseOptions(["--limit", "0"]), false), 0);
  assertEquals(effectiveLimit(parseOptions(["--limit", "7"]), true), 7);
});

Deno.test("a shell takes a quoted word for the word, whatever is in it", async () => {
  const words = ["plain", "", "a b", "it's", "$HOME `x` \\", "*", "--filter=/^a|b$/", "ä\n\t!"];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `printf '%s|' ${words.map(quote).join(" ")}`],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), words.map((word) => `${word}|`).join(""));
});

Deno.test("the cache is where the user keeps caches", () => {
  const folder = (variables: Record<string, string>) =>
    cacheFolder("nested", (name) => variables[name]);
  assertEquals(folder({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/deno-kvm/nested");
  assertEquals(folder({ HOME: "/h" }), "/h/.cache/deno-kvm/nested");
  assertEquals(folder({ XDG_CACHE_HOME: "", HOME: "/h" }), "/h/.cache/deno-kvm/nested");
});

Deno.test("an entry's name follows from its inputs alone", async () => {
  assertEquals(await hash(["6.1", { a: 1 }]), await hash(["6.1", { a: 1 }]));
  assertEquals(await hash(["6.1"]) === await hash(["6.2"]), false);
});

Deno.test("an entry is made once", () =>
  inFolder(async (folder) => {
    let built = 0;
    const build = (path: string) => Deno.writeTextFile(path, `${++built}`);
    for (let i = 0; i < 3; i++) {
      assertEquals(await Deno.readTextFile(await cached(folder, "entry", build)), "1");
    }
  }));

Deno.test("of two that make an entry at once both get a whole one, and one is left", () =>
  inFolder(async (folder) => {
    const both = Promise.withResolvers<void>();
    let building = 0;
    const paths = await Promise.all([1, 2].map(() =>
      cached(folder, "entry", async (path) => {
        await Deno.mkdir(path);
        if (++building === 2) both.resolve();
        await both.promise;
        await Deno.writeTextFile(`${path}/whole`, "yes");
      })
    ));
    for (const path of paths) assertEquals(Deno.readTextFileSync(`${path}/whole`), "yes");
    assertEquals(names(folder), ["entry"]);
  }));

Deno.test("what fails while it is made leaves nothing in the cache", () =>
  inFolder(async (folder) => {
    const half = async (path: string) => {
      await Deno.writeTextFile(path, "half");
      throw new NestedError("no space");
    };
    await assertRejects(() => cached(folder, "entry", half), NestedError, "no space");
    assertEquals(names(folder), []);
  }));

Deno.test("entries that nobody used for a month go when a new one is made", () =>
  inFolder(async (folder) => {
    const build = (path: string) => Deno.writeTextFile(path, "");
    const old = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    for (const name of ["old", "used"]) {
      await Deno.utime(await cached(folder, name, build), old, old);
    }
    await cached(folder, "used", build);
    await cached(folder, "new", build);
    assertEquals(names(folder), ["new", "used"]);
  }));

Deno.test("missing programs are told in one line, with the packages and the command", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/git`, "", { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/mke2fs`, "no program", { mode: 0o644 });
    const missing = missingPrograms(["qemu-system-x86_64", "mke2fs", "git"], folder);
    assertEquals(missing, ["qemu-system-x86_64", "mke2fs"]);
    assertEquals(
      missingMessage(missing),
      "These Debian packages are missing: qemu-system-x86 e2fsprogs. As root: " +
        "apt-get install --no-install-recommends qemu-system-x86 e2fsprogs",
    );
  }));

Deno.test("apt's candidates name the packages' versions, the kernel's proper among them", () => {
  const shown = parseAptShow(`Package: linux-image-cloud-amd64
Source: linux-signed-amd64 (6.1.192+2)
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)
Description: Linux for x86-64 cloud (meta-package)

Package: busybox-static
Version: 1:1.35.0-4+b1

Package: memtest86+
Version: 6.10-4
Depends: debconf (>= 0.5)

`);
  assertEquals(wantedPackages(shown), [
    "linux-image-6.1.0-56-cloud-amd64=6.1.192-2",
    "busybox-static=1:1.35.0-4+b1",
    "memtest86+=6.10-4",
  ]);
  assertThrows(() => wantedPackages(shown.slice(0, 2)), NestedError, "memtest86+");
  assertThrows(() => wantedPackages([]), NestedError, "--debs");
});

Deno.test("a kernel in parts is named by what its package depends on", () => {
  const depends = "linux-base-7.3.4 (= 7.3.4-1), linux-binary-7.3.4-cloud-amd64 (= 7.3.4-1), " +
    "linux-modules-7.3.4-cloud-amd64 (= 7.3.4-1), dracut | initramfs-tools (>= 0.120)";
  assertEquals(kernelParts({ name: "linux-image-7.3.4", version: "7.3.4-1", depends }), [
    "linux-binary-7.3.4-cloud-amd64=7.3.4-1",
    "linux-modules-7.3.4-cloud-amd64=7.3.4-1",
  ]);
  assertEquals(kernelParts({ name: "", version: "", depends: "kmod, linux-base (>= 4.3~)" }), []);
});

Deno.test("another suite is one of the Debian that apt knows, and backports need what they renew", () => {
  const archives = `|node|file:/node
Debian|Debian-Security|file:/security
Debian|Debian|file:/debian
`;
  assertMatch(suiteSources(archives, ["sid"]), /^deb \[signed-by=\S+\] file:\/debian sid main\n$/);
  assertMatch(
    suiteSources(archives, wholeSuite("sid-backports")),
    /sid-backports main\ndeb .* sid main\n$/,
  );
  assertEquals(wholeSuite("sid"), ["sid"]);
  assertThrows(() => suiteSources("Ubuntu|Ubuntu|file:/u", ["sid"]), ToolError);
});

Deno.test("a folder without the packages, or with two of a kind, is refused with the reason", () =>
  inFolder(async (folder) => {
    const error = () => packages(`${folder}/cache`, { debs: folder, suite: undefined });
    await assertRejects(error, NestedError, "There is no linux-image-*_amd64.deb");
    for (const version of [1, 2]) {
      await Deno.writeTextFile(`${folder}/linux-image-${version}_amd64.deb`, "");
    }
    await assertRejects(error, NestedError, "There is more than one linux-image-*_amd64.deb");
    await assertRejects(
      () => packages(folder, { debs: `${folder}/none`, suite: undefined }),
      NestedError,
      "--debs",
    );
  }));

Deno.test("modules load after those that they say they depend on", () =>
  inFolder(async (folder) => {
    const modules = { "kvm-amd": "kvm,ccp", kvm: "irq_bypass", "irq-bypass": "", ccp: "" };
    for (const [name, depends] of Object.entries(modules)) {
      await Deno.writeTextFile(`${folder}/${name}.ko`, `\x7fELF\0depends=${depends}\0name=x\0`);
    }
    const files = names(folder).map((name) => `${folder}/${name}`);
    const found = (await findModules(files, ["kvm-amd"])).map(({ name }) => name);
    assertEquals(found, ["irq_bypass", "kvm", "ccp", "kvm_amd"]);
    await assertRejects(() => findModules(files, ["kvm-intel"]), NestedError, "kvm_intel");
    assertEquals(dependencies(new Uint8Array(100)), []);
  }));

Deno.test(
  needs("xz")("modules that are compressed come out plain"),
  () =>
    inFolder(async (folder) => {
      const text = "\x7fELF\0depends=b\0";
      // The text in the format that xz writes; BusyBox's only reads it.
      const compressed = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAOf0VMRgBkZXBlbmRzPWIAAAA0vaMceDml" +
        "GQABJw/fGvxqH7bzfQEAAAAABFla";
      await Deno.writeFile(`${folder}/a-a.ko.xz`, Uint8Array.fromBase64(compressed));
      await Deno.writeTextFile(`${folder}/b.ko`, "\x7fELF\0depends=\0");
      const found = await findModules(names(folder).map((name) => `${folder}/${name}`), ["a_a"]);
      assertEquals(found.map(({ name }) => name), ["b", "a_a"]);
      assertEquals(new TextDecoder().decode(found[1]!.bytes), text);
    }),
);

Deno.test("the packages of deno.lock are those that npm knows, without their peers", async () => {
  assertEquals(lockedPackages('{"npm": {"@a/b@1.0.0_react@18.0.0": {}, "c_d@2.0.0": {}}}'), [
    "npm:@a/b@1.0.0",
    "npm:c_d@2.0.0",
  ]);
  assertEquals(lockedPackages('{"version": "5"}'), []);
  const own = lockedPackages(await Deno.readTextFile(new URL("deno.lock", root)));
  assertEquals(own.some((name) => /^npm:deno-std@\d/.test(name)), true);
});

const sizes = { "a_test.ts": 5, "b/c_test.ts": 9, "b/latest.ts": 99, "d.ts": 9, "z.test.ts": 3 };
const files = Object.entries(sizes).map(([path, size]) => ({ path, size }));

const all = () => true;

Deno.test("a whole run is divided: each test file goes to one machine, as much to each", () => {
  const args = ["--filter", "x"];
  assertEquals(parts(files, args, 2, all), [
    { args, files: ["b/c_test.ts"] },
    { args, files: ["a_test.ts", "z.test.ts"] },
  ]);
  assertEquals(parts(files, [], 9, all).length, 3);
});

Deno.test("of files that were timed before, each machine gets as much time", () => {
  const known = { "a_test.ts": 60, "b/c_test.ts": 20, "z.test.ts": 30 };
  const divided = parts(files, [], 2, all, known);
  assertEquals(divided.map(({ files }) => files), [["a_test.ts"], ["b/c_test.ts", "z.test.ts"]]);
});

Deno.test("tests that have nothing to do with KVM run if they are chosen", () => {
  const usesKvm = (path: string) => path.startsWith("a");
  assertEquals(parts(files, [], 2, usesKvm), [{ args: [], files: ["a_test.ts"] }]);
  assertEquals(parts(files, ["z"], 2, usesKvm), [{ args: [], files: ["z.test.ts"] }]);
});

Deno.test("what leads to a module is found through any number of imports", () => {
  const module = (specifier: string, ...imports: string[]) => ({
    specifier,
    dependencies: imports.map((specifier) => ({ code: { specifier } })),
  });
  const modules = [
    module("a", "b"),
    module("b", "target", "a"),
    module("c", "d"),
    { specifier: "d", dependencies: [{}] },
    { specifier: "target" },
  ];
  assertEquals([...reaching({ modules }, ["target"])].sort(), ["a", "b", "target"]);
});

Deno.test("this project's tests of the processor's tables have nothing to do with KVM", async () => {
  const tests = ["tests/arch/cpuid_test.ts", "tests/kvm/cpuid_test.ts", "tests/cli/run_test.ts"];
  const usesKvm = await findKvmUsers(fileURLToPath(root), tests);
  assertEquals(tests.map(usesKvm), [false, true, true]);
});

Deno.test("how long each file took is kept from one run to the next", () =>
  inFolder(async (folder) => {
    assertEquals(await knownDurations(folder), {});
    const testcase = (path: string, time: string) =>
      `<testcase name="a &quot;b&quot;" classname="./${path}" time="${time}" line="1" col="1">`;
    for (const time of ["9.000", "1.500"]) {
      const report = testcase("a_test.ts", time) + testcase("b.ts", "2.0") +
        testcase("a_test.ts", "0.250");
      await keepDurations(folder, report);
    }
    assertEquals(await knownDurations(folder), { "a_test.ts": 1.75, "b.ts": 2 });
    assertEquals(names(folder), ["durations.json"]);
  }));

Deno.test("a run of chosen files goes to one machine", () => {
  const chosen = { args: ["--fail-fast"], files: ["b/c_test.ts"] };
  for (const word of ["b", "./b/c_test.ts"]) {
    assertEquals(parts(files, [word, "--fail-fast"], 2, all), [chosen]);
  }
});

Deno.test("what only Deno understands is left to it", () => {
  for (const rest of [["--doc"], ["--shard=1/2"], ["--", "x"], ["d.ts"]]) {
    assertEquals(parts(files, rest, 2, all), [{ args: rest, files: [] }]);
  }
});

Deno.test("reports of several machines become one that has all their tests", () => {
  const report = (tests: number, suites: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<testsuites name="deno test" tests="${tests}" failures="1" errors="0" time="1.250">` +
    `${suites}</testsuites>\n`;
  const merged = mergeReports([
    report(2, '<testsuite name="a" tests="2"></testsuite>'),
    report(0, ""),
    report(3, '<testsuite name="b" tests="3"></testsuite>'),
  ]);
  assertStringIncludes(merged, 'tests="5" failures="3" errors="0" time="3.750"');
  assertEquals(merged.match(/<testsuite name="[ab]"/g)?.length, 2);
  assertEquals(merged.match(/<testsuites/g)?.length, 1);
});

Deno.test(
  needs("mke2fs", "debugfs")("a report is read from a disk, and half of one is none"),
  () =>
    inFolder(async (folder) => {
      const files = `${folder}/files`;
      await Deno.mkdir(files);
      const image = `${folder}/image`;
      const made = async (text: string) => {
        await Deno.writeTextFile(`${files}/report.xml`, text);
        await makeImage(files, image, { free: 1 << 20 });
        return await readReport(image);
      };
      const whole = "<testsuites>\n</testsuites>\n";
      assertEquals(await made(whole), whole);
      assertEquals(await made("<testsuites>"), undefined);
      await Deno.remove(`${files}/report.xml`);
      await makeImage(files, image, { free: 1 << 20 });
      assertEquals(await readReport(image), undefined);
    }),
);

Deno.test("outputs of several come one after the other, and the first one's at once", () => {
  let text = "";
  const [first, second, third] = inTurns(3, (bytes) => text += new TextDecoder().decode(bytes));
  const write = (turn: typeof first, word: string) => turn!.write(new TextEncoder().encode(word));
  write(second, "B1 ");
  write(first, "A1 ");
  assertEquals(text, "A1 ");
  third!.end();
  write(second, "B2 ");
  first!.end();
  assertEquals(text, "A1 B1 B2 ");
  write(second, "B3");
  second!.end();
  assertEquals(text, "A1 B1 B2 B3");
});

Deno.test(
  needs("mke2fs", "debugfs")("a folder becomes an image that has its files and room"),
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/files/deep`, { recursive: true });
      await Deno.writeTextFile(`${folder}/files/deep/hello`, "hello\n".repeat(10_000));
      for (let i = 0; i < 300; i++) await Deno.writeTextFile(`${folder}/files/${i}`, "");
      const image = `${folder}/a,b.img`;
      await makeImage(`${folder}/files`, image, { free: 8 << 20 });
      const cat = await run("debugfs", ["-R", "cat /deep/hello", image]);
      assertEquals(new TextDecoder().decode(cat), "hello\n".repeat(10_000));
      const listed = new TextDecoder().decode(await run("debugfs", ["-R", "ls -p /", image]));
      assertEquals(listed.match(/^\/\d+\/100\d+\/\d+\/\d+\/\d+\/0\/$/gm)?.length, 300);
      assertEquals(Deno.statSync(image).size >= 8 << 20, true);
    }),
);

Deno.test(
  needs("mke2fs", "debugfs")("an image with an id has a partition that has all the rest"),
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/files`);
      await Deno.writeTextFile(`${folder}/files/hello`, "hello");
      const image = `${folder}/image`;
      await makeImage(`${folder}/files`, image, { free: 1 << 20, id: 0x8123_4567 });
      const cat = await run("debugfs", ["-R", "cat /hello", `${image}?offset=${PARTITION}`]);
      assertEquals(new TextDecoder().decode(cat), "hello");
      const bytes = Deno.readFileSync(image);
      const sector = new DataView(bytes.buffer, 0, 512);
      const [start, count] = [sector.getUint32(454, true), sector.getUint32(458, true)];
      assertEquals([start * 512, (start + count) * 512], [PARTITION, bytes.length]);
      assertEquals([sector.getUint32(440, true), bytes[450]], [0x8123_4567, 0x83]);
      assertEquals([...bytes.subarray(510, 512)], [0x55, 0xaa]);
    }),
);

Deno.test(
  needs("git", "mke2fs", "debugfs")(
    "what is edited is what runs: changed and new files go in, ignored and deleted ones don't",
  ),
  () =>
    inFolder(async (folder) => {
      const tree = `${folder}/it's a tree`;
      const npm = `${folder}/npm`;
      await Deno.mkdir(`${tree}/sub`, { recursive: true });
      await Deno.mkdir(npm);
      const write = (name: string, text: string) => Deno.writeTextFile(`${tree}/${name}`, text);
      await write(".gitignore", "ignored\n");
      await write("kept", "before");
      await write("deleted", "");
      await run("git", ["init", "-q"], { cwd: tree });
      await run("git", ["add", "."], { cwd: tree });
      await write("kept", "after");
      await write("sub/new", "new");
      await write("ignored", "");
      await Deno.remove(`${tree}/deleted`);
      const image = await jobImage({ tree, npm, command: "echo hi" }, folder);
      const read = async (path: string) =>
        new TextDecoder().decode(await run("debugfs", ["-R", `cat ${path}`, image]));
      assertEquals(await read("/tree/kept"), "after");
      assertEquals(await read("/tree/sub/new"), "new");
      assertEquals(await read("/tree/ignored"), "");
      assertEquals(await read("/tree/deleted"), "");
      assertEquals(await read("/path"), tree);
      assertStringIncludes(await read("/run"), "\nexec echo hi\n");
    }),
);

const CONSOLE = 0x3f8;
const TERMINAL = 0x2f8;
const RESULT = 0x3e8;

Deno.test(
  needs("qemu-system-x86_64")("a machine's output and the status it leaves come out"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [
        [RESULT, "booted 0.25\n"],
        [TERMINAL, "hello"],
        [RESULT, "status 200\n"],
      ], "reset");
      let text = "";
      const output = (bytes: Uint8Array) => void (text += new TextDecoder().decode(bytes));
      const ending = await runMachine({ kernel, disks: [], folder, limit: 60, output });
      assertEquals(ending, { status: 200, boot: 0.25 });
      assertEquals(text, "hello");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that hangs is cut off, and the console's end is shown"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [
        [RESULT, "booted 0.25\n"],
        [CONSOLE, "one\r\ntwo\r\n"],
      ], "hang");
      let limit = 1;
      const cutOff = () =>
        assertRejects(
          () => runMachine({ kernel, disks: [], folder, limit, output: () => {} }),
          LimitError,
        );
      let error = await cutOff();
      // It may be over before QEMU has begun.
      while (error.message.includes("did not boot") && limit < 60) {
        limit *= 2;
        error = await cutOff();
      }
      assertStringIncludes(error.message, `after ${limit} s`);
      assertStringIncludes(error.message, "  one\n  two");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that has booted and says nothing any more is stuck"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[RESULT, "booted 0.25\n.\n"]], "hang");
      const machine = { kernel, disks: [], folder, limit: 60, output: () => {}, patience: 0.5 };
      const error = await assertRejects(() => runMachine(machine), StuckError);
      assertStringIncludes(error.message, "said nothing for 0.5 s");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that ends and leaves no status is an error"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[CONSOLE, "Kernel panic"]], "reset");
      const machine = { kernel, disks: [], folder, limit: 60, output: () => {} };
      const error = await assertRejects(() => runMachine(machine), NestedError);
      assertEquals(error instanceof LimitError, false);
      assertStringIncludes(error.message, "Kernel panic");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("an abort ends a machine at once, with its reason"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[TERMINAL, "on"]], "hang");
      const abort = new AbortController();
      const output = () => abort.abort(new Error("Ctrl-C"));
      const { signal } = abort;
      const machine = { kernel, disks: [], folder, limit: 60, output, signal };
      await assertRejects(() => runMachine(machine), Error, "Ctrl-C");
    }),
);

Deno.test("both tasks explain themselves, and what they can't do is status 125", async () => {
  for (const name of ["main.ts", "run_tests.ts"]) {
    const help = await tool(name, ["--help"]);
    assertEquals(help.code, 0);
    assertStringIncludes(help.stdout, "Usage: deno task");
    assertStringIncludes(help.stdout, "--limit");
    const wrong = await tool(name, ["--limit", "soon"]);
    assertEquals(wrong.code, 125);
    assertStringIncludes(wrong.stderr, "--limit takes");
  }
});

/** Makes a test's name and condition: all of these programs. */
function needs(...programs: string[]) {
  const present = missingPrograms(programs).length === 0;
  return (name: string) => needing(programs.join(", "), present, name);
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

async function tool(name: string, args: string[]) {
  const path = fileURLToPath(new URL(`tools/nested/${name}`, root));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--cached-only", "--allow-all", path, ...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * A kernel that writes texts to ports and then hangs or resets the machine, in the format that QEMU
 * loads without a disk (Multiboot Specification 0.6.96, 3.1). It begins in 32-bit protected mode.
 */
async function multiboot(
  folder: string,
  texts: readonly (readonly [port: number, text: string])[],
  end: "hang" | "reset",
): Promise<string> {
  const address = 0x100000;
  const headerSize = 32;
  const magic = 0x1badb002;
  // Bit 16: the load addresses are in the header, and the file needs no ELF header.
  const flags = 0x10000;
  const code = texts.flatMap(([port, text]) => [
    ...[0x66, 0xba, port & 0xff, port >> 8], // mov dx, port
    ...[...new TextEncoder().encode(text)].flatMap((byte) => [0xb0, byte, 0xee]), // mov al; out
  ]);
  // mov al, 0xfe; out 0x64, al: the keyboard controller resets the processor. Then jmp $.
  code.push(...(end === "reset" ? [0xb0, 0xfe, 0xe6, 0x64] : []), 0xeb, 0xfe);
  const bytes = new Uint8Array(headerSize + code.length);
  const size = address + bytes.length;
  const header = [magic, flags, -(magic + flags), address, address, size, size];
  new Uint32Array(bytes.buffer, 0, 8).set([...header, address + headerSize]);
  bytes.set(code, headerSize);
  const path = `${folder}/kernel`;
  await Deno.writeFile(path, bytes);
  return path;
}
