import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { shim } from "../../ffi/shim.ts";
import { openTargets } from "../support/host.ts";
import { outputOf, runScript, specifier } from "../support/subprocess.ts";

const EBADF = 9;
const ENOSYS = 38;
const SYS_GETPID = 39;

Deno.test("a function of the shim returns the kernel's result, or -errno", () => {
  const { ioctl2, ioctlU32, ioctlBuffer, syscallBuffer, syscall6 } = shim();
  const bytes = new Uint8Array(8);
  assertEquals(ioctl2(-1, 0xae00), -EBADF);
  assertEquals(ioctlU32(-1, 0xae00, 0), -EBADF);
  assertEquals(ioctlBuffer(-1, 0xae00, bytes), -EBADF);
  assertEquals(ioctl2(0x7fff_ffff, 0xffff_ffff), -EBADF);
  assertEquals(syscallBuffer(SYS_GETPID, bytes, 0n, 0n), BigInt(Deno.pid));
  assertEquals(syscall6(SYS_GETPID, 0n, 0n, 0n, 0n, 0n, 0n), BigInt(Deno.pid));
  assertEquals(syscallBuffer(-1, bytes, 0n, 0n), BigInt(-ENOSYS));
});

Deno.test("all six arguments of a call arrive in order and whole", () => {
  // pwritev2(fd, iov, count, offset low, offset high, flags) refuses the one that is wrong; mmap
  // takes all six for what they are.
  const { syscall6 } = shim();
  const MMAP = 9, MUNMAP = 11, PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x10_0022n;
  const address = 0x5123_4567_8000n;
  const flags = PRIVATE_ANONYMOUS_FIXED_NOREPLACE;
  // A descriptor of -1 is what anonymous memory wants; an odd offset is what no memory takes.
  assertEquals(syscall6(MMAP, address, 0x1000n, 0n, flags, -1n, 1n), -22n);
  assertEquals(syscall6(MMAP, address, 0x1000n, 0n, flags, -1n, 0n), address);
  assertEquals(syscall6(MMAP, address, 0x1000n, 0n, flags, -1n, 0n), -17n);
  assertEquals(syscall6(MUNMAP, address, 0x1000n, 0n, 0n, 0n, 0n), 0n);
});

Deno.test("a call after 100,000 others, compiled by then, still returns what the kernel says", () => {
  const { ioctl2, syscall6 } = shim();
  let wrong = 0;
  for (let turn = 0; turn < 100_000; turn++) {
    if (ioctl2(-1, 0xae00) !== -EBADF) wrong++;
  }
  for (let turn = 0; turn < 10_000; turn++) {
    if (syscall6(SYS_GETPID, 0n, 0n, 0n, 0n, 0n, 0n) !== BigInt(Deno.pid)) wrong++;
  }
  assertEquals(wrong, 0);
});

Deno.test("the shim leaves no file open", () => {
  shim();
  assertEquals(openTargets().filter((target) => target.includes("kvm-shim")), []);
});

Deno.test("loading the shim needs --allow-ffi alone", async () => {
  const output = await outputOf(`
    import { shim } from ${specifier("ffi/shim.ts")};
    const call = shim().ioctl2(-1, 0xae00);
    const other = await Promise.all(["read", "write", "net", "env", "run", "sys"].map(async (name) =>
      (await Deno.permissions.query({ name })).state));
    console.log(call, [...new Set(other)]);`);
  assertEquals(output.trim(), `-9 [ "prompt" ]`);
});

Deno.test("an import alone needs no permission, and the first use without one is NotCapable", async () => {
  const output = await outputOf(
    `
    import { Kvm } from ${specifier("src/kvm/mod.ts")};
    console.log("imported");
    try {
      Kvm.open();
    } catch (error) {
      console.log(error instanceof Deno.errors.NotCapable, error.message);
    }`,
    { args: [] },
  );
  assertMatch(output, /^imported\ntrue .*--allow-ffi/);
});

Deno.test("a permission that was taken back before the first use is missed like one never given", async () => {
  const output = await outputOf(`
    import { Kvm } from ${specifier("src/kvm/mod.ts")};
    Deno.permissions.revokeSync({ name: "ffi" });
    try { Kvm.open(); } catch (error) { console.log(error.name); }`);
  assertEquals(output.trim(), "NotCapable");
});

for (const [os, arch] of [["darwin", "x86_64"], ["windows", "x86_64"], ["linux", "aarch64"]]) {
  Deno.test(`on ${os} ${arch} every use is ENOSYS, and nothing is loaded`, async () => {
    const output = await outputOf(`
      Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "${os}", arch: "${arch}" } });
      Object.defineProperty(Deno, "dlopen", { value() { throw new Error("loaded"); } });
      const { Kvm } = await import(${specifier("src/kvm/mod.ts")});
      try { Kvm.open(); } catch (error) { console.log(error.name, error.code, error.message); }`);
    assertStringIncludes(output, "KvmError ENOSYS");
    assertStringIncludes(output, `${os} ${arch}`);
  });
}

Deno.test("without a free file descriptor the error says so, and a later try succeeds", async () => {
  const { code, stdout, stderr } = await runScript(
    `
    import { Kvm } from ${specifier("src/kvm/mod.ts")};
    const files = [];
    try { for (;;) files.push(Deno.openSync("/dev/null")); } catch { /* all taken */ }
    try { Kvm.open(); } catch (error) { console.log(error.code, error.hint); }
    for (const file of files) file.close();
    console.log(Kvm.open().apiVersion);`,
    { args: ["--allow-all"] },
  );
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^EMFILE .*ulimit -n.*\n12\n$/);
});

Deno.test("two copies of the library in one process share no state and both work", async () => {
  const output = await outputOf(
    `
    const first = await import(${specifier("src/kvm/mod.ts")});
    const copies = [];
    const folder = Deno.makeTempDirSync();
    const copy = (from, to) => {
      Deno.mkdirSync(to, { recursive: true });
      for (const { name, isDirectory } of Deno.readDirSync(from)) {
        if (isDirectory) copy(from + "/" + name, to + "/" + name);
        else if (name.endsWith(".ts")) Deno.copyFileSync(from + "/" + name, to + "/" + name);
      }
    };
    try {
      const root = new URL(${specifier("")}).pathname;
      for (const part of ["ffi", "src"]) copy(root + part, folder + "/" + part);
      const second = await import("file://" + folder + "/src/kvm/mod.ts");
      const kvms = [first, second].map(({ Kvm }) => Kvm.open());
      console.log(first.Kvm !== second.Kvm, kvms.map(({ apiVersion }) => apiVersion));
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }`,
    { args: ["--allow-all"] },
  );
  assertEquals(output.trim(), "true [ 12, 12 ]");
});

Deno.test("the shim's code is not writable and its stack is not executable", () => {
  shim();
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  const pages = maps.filter((line) => line.includes("kvm-shim"));
  assert(pages.length > 0);
  for (const line of pages) assert(!/^\S+ .wx/.test(line), line);
});
