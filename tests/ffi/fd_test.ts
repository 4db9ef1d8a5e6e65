import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { define, Errno, Fd } from "../../ffi/mod.ts";
import { assertCode } from "../support/codes.ts";
import { openFiles } from "../support/host.ts";

const { GET, STRUCT } = define({
  GET: { nr: 0, dir: "none", on: "system", cap: "NONE" },
  STRUCT: { nr: 0x81, dir: "r", arg: { a: "u64" }, on: "vcpu", hints: { ENOTTY: "Not this one" } },
});

Deno.test("a file is open until it is closed, and closing twice does nothing", () => {
  const before = openFiles();
  const fd = Fd.open("/dev/null", "null device");
  assertEquals([fd.closed, openFiles()], [false, before + 1]);
  assert(fd.number > 2);
  fd.close();
  assertEquals([fd.closed, fd.number, openFiles()], [true, -1, before]);
  fd.close();
  assertEquals(openFiles(), before);
});

Deno.test("closing twice leaves a file alone that got the same number meanwhile", () => {
  const first = Fd.open("/dev/null", "first");
  const { number } = first;
  first.close();
  using second = Fd.open("/dev/null", "second");
  assertEquals(second.number, number);
  first.close();
  first[Symbol.dispose]();
  assertEquals(Deno.readLinkSync(`/proc/self/fd/${number}`), "/dev/null");
});

Deno.test("the end of a using block closes it, also by an exception", () => {
  const before = openFiles();
  try {
    using _fd = Fd.open("/dev/null", "null device");
    throw new Error("on the way");
  } catch {
    assertEquals(openFiles(), before);
  }
});

Deno.test("a file that is not there, not allowed or a folder has the errno's name and no descriptor", () => {
  const before = openFiles();
  const hint = { ENOENT: "Make it" };
  const error = assertCode("ENOENT", () => Fd.open("/nowhere/kvm", "device", hint));
  assertEquals(error.message, "Cannot open /nowhere/kvm: open: ENOENT. Make it");
  assertCode("EISDIR", () => Fd.open("/proc", "device", hint));
  assertCode("ENOTDIR", () => Fd.open("/dev/null/kvm", "device"));
  assertCode("ENOENT", () => Fd.open("", "device"));
  assertCode("ENAMETOOLONG", () => Fd.open("/".padEnd(5000, "x"), "device"));
  assertEquals(openFiles(), before);
});

Deno.test("a path with a zero character is refused, and not cut there", () => {
  assertCode("EINVAL", () => Fd.open("/dev/null\0/other", "device").close());
});

Deno.test("an opened file is not inherited by programs that are started", () => {
  using fd = Fd.open("/dev/null", "null device");
  const { stdout } = new Deno.Command("ls", { args: ["/proc/self/fd"] }).outputSync();
  const open = new TextDecoder().decode(stdout).trim().split("\n").map(Number);
  assert(!open.includes(fd.number) || fd.number < 4, `${fd.number} in ${open}`);
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd.number}`);
  const flags = parseInt(info.match(/^flags:\s+(\d+)$/m)![1]!, 8);
  assertEquals(flags & 0o2000003, 0o2000002);
});

Deno.test("an ioctl that the file does not take fails with the ioctl's name", () => {
  using fd = Fd.open("/dev/null", "null device");
  const general = assertCode("ENOTTY", () => fd.call(GET));
  assertEquals([general.call, general.operation], ["GET", "use null device"]);
  assertStringIncludes(general.hint!, "Cap.NONE");
  const own = assertCode("ENOTTY", () => fd.get(STRUCT, undefined, "read it"));
  assertEquals(own.message, "Cannot read it: STRUCT: ENOTTY. Not this one");
});

Deno.test("every kind of ioctl on a closed file is EBADF and says that it was closed", () => {
  const fd = Fd.open("/dev/null", "null device");
  fd.close();
  const bytes = new Uint8Array(8);
  for (
    const call of [
      () => fd.call(GET),
      () => fd.call(GET, 5),
      () => fd.get(STRUCT),
      () => fd.setBytes(STRUCT, bytes),
    ]
  ) {
    assertStringIncludes(assertCode("EBADF", call).hint!, "The null device was closed");
  }
  assertEquals(fd.invoke(GET), -Errno.EBADF);
  assertEquals(fd.trySetBytes(GET, bytes), -Errno.EBADF);
});

Deno.test("EBADF of a file that is still ours is the kernel's and not called a closed one", () => {
  const fd = new Fd(0x7fff_0000, "stranger");
  const error = assertCode("EBADF", () => fd.call(GET));
  assertEquals(error.call, "GET");
});

Deno.test("anything but a view of the ioctl's struct is refused before the kernel sees it", () => {
  using fd = Fd.open("/dev/null", "null device");
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [{ a: 1n }, [], "text", 5, new Uint8Array(8), new ArrayBuffer(8), () => {}];
  for (const value of wrong) assertCode("EINVAL", () => fd.set(STRUCT, value), String(value));
  for (const value of wrong) assertCode("EINVAL", () => fd.get(STRUCT, value), String(value));
});
