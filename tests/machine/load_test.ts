import { assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine, type MachineOptions } from "../../src/machine/mod.ts";
import { spin } from "../support/instructions.ts";
import { flat } from "../support/pc.ts";

Deno.test("a file that can't be read is told with what was tried and the system's error", async () => {
  const gone = new Uint8Array(1);
  gone.buffer.transfer();
  const wrong: [Partial<MachineOptions>, string][] = [
    [{ kernel: "/proc/self/exe/" }, "Cannot read the kernel from /proc/self/exe/: ENOTDIR"],
    [{ kernel: "/proc/self" }, "EISDIR. Give the path of a file"],
    [{ kernel: "k".repeat(300) }, "ENAMETOOLONG"],
    [{ kernel: "/dev/zero" }, "EINVAL. It is no regular file"],
    [{ kernel: gone }, "Cannot read the kernel: EINVAL. It is a Uint8Array whose buffer"],
    [{ initrd: "/proc/self/mem" }, "Cannot read the initial ramdisk from /proc/self/mem: EIO"],
    [{ modules: [{ image: "/nowhere" }] }, "Cannot read the module from /nowhere: ENOENT"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => Machine.create({ ...flat(spin), ...options }), KvmError, message);
  }
});

Deno.test("a path that leads round in a circle is refused as the system does", async () => {
  const folder = await Deno.makeTempDir();
  const kernel = `${folder}/loop`;
  await Deno.symlink("loop", kernel);
  const made = Machine.create({ ...flat(spin), kernel });
  assertEquals((await assertRejects(() => made, KvmError)).code, "ELOOP");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an abort with any reason while files are read is that, and no matter of theirs", async () => {
  const aborter = new AbortController();
  const made = Machine.create({ ...flat(spin), kernel: "/proc/self/exe", signal: aborter.signal });
  aborter.abort(new TypeError("enough"));
  await assertRejects(() => made, TypeError, "enough");
});
