import { assertEquals, assertStringIncludes } from "@std/assert";
import { debugExit, outb, print } from "../../support/instructions.ts";
import { unemulated } from "../../support/rounds.ts";
import { allow, run, withFiles } from "./support.ts";

const permissions = [...allow, "--allow-write"];
const guest = [...print("new"), ...outb(0x2f8, 0x32), ...debugExit(0)];
const flat = ["guest.bin", "--protocol", "flat64"];

/** `kvm run`, and what it says of what went wrong. */
async function status(folder: string, ...args: string[]): Promise<[code: number, stderr: string]> {
  const { code, stderr } = await run(folder, args, { permissions });
  return [code, stderr];
}

Deno.test(unemulated("what is in an output file goes when the machine starts"), async () => {
  await withFiles({ "guest.bin": guest, "log": "old and longer" }, async (folder) => {
    const read = () => Deno.readTextFile(`${folder}/log`);
    const [code] = await status(folder, ...flat, "--serial", "file:log", "--memory", "1");
    assertEquals([code, await read()], [125, "old and longer"]);
    await status(folder, "missing.bin", "--serial", "file:log");
    assertEquals(await read(), "old and longer");
    assertEquals(await status(folder, ...flat, "--serial", "file:log"), [0, ""]);
    assertEquals(await read(), "new");
  });
});

Deno.test(unemulated("an output file of a machine that never starts is not made"), async () => {
  await withFiles({ "guest.bin": guest }, async (folder) => {
    const outputs = ["--serial", "file:log", "--debugcon", "file:debug"];
    const [code] = await status(folder, ...flat, ...outputs, "--memory", "1");
    assertEquals([code, Deno.readDirSync(folder).toArray().length], [125, 1]);
  });
});

Deno.test(unemulated("no output goes to a file that the machine is made from"), async () => {
  await withFiles({ "guest.bin": guest, "initrd": "disk", "data": "data" }, async (folder) => {
    await Deno.symlink("guest.bin", `${folder}/link`);
    await Deno.link(`${folder}/initrd`, `${folder}/hard`);
    for (const path of ["guest.bin", "./guest.bin", "link", "initrd", "hard", "data"]) {
      const inputs = ["--initrd", "initrd", "--fw-cfg", "opt/data=data"];
      const [code, stderr] = await status(folder, ...flat, ...inputs, "--serial", `file:${path}`);
      assertEquals(code, 125);
      assertStringIncludes(stderr, `Cannot write to ${path}: the machine is made from it`);
    }
    assertEquals(await Deno.readFile(`${folder}/guest.bin`), Uint8Array.from(guest));
    assertEquals(await Deno.readTextFile(`${folder}/initrd`), "disk");
    assertEquals(await Deno.readTextFile(`${folder}/data`), "data");
  });
});

Deno.test(unemulated("two ports don't go to one file, but to one device they may"), async () => {
  await withFiles({ "guest.bin": guest, "log": "old" }, async (folder) => {
    const both = (path: string) => ["--serial", `file:${path}`, "--serial", `file:${path}`];
    const [code, stderr] = await status(folder, ...flat, ...both("log"));
    assertEquals([code, await Deno.readTextFile(`${folder}/log`)], [125, "old"]);
    assertStringIncludes(stderr, "Cannot write to log: another port does already");
    assertEquals(await status(folder, ...flat, ...both("/dev/null")), [0, ""]);
  });
});
