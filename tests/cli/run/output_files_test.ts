import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { debugExit, outb, print } from "../../support/instructions.ts";
import { unemulated } from "../../support/rounds.ts";
import { argsOf } from "../support.ts";
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

Deno.test(
  unemulated("a --timeout before the machine runs leaves files as they are"),
  async () => {
    await withFiles({ "guest.bin": guest, "log": "old" }, async (folder) => {
      const outputs = ["--serial", "file:log", "--debugcon", "file:debug"];
      for (const [timeout, cpus] of [["0.001", "1"], ["0.1", "24"]] as const) {
        const more = ["--timeout", timeout, "--cpus", cpus];
        const [code, stderr] = await status(folder, ...flat, ...outputs, ...more);
        assertEquals(code, 124);
        assertStringIncludes(stderr, "had not ended after");
        const names = Deno.readDirSync(folder).map(({ name }) => name).toArray().sort();
        assertEquals([await Deno.readTextFile(`${folder}/log`), names], [
          "old",
          ["guest.bin", "log"],
        ]);
      }
    });
  },
);

Deno.test(unemulated("who else writes to an output file overwrites nothing"), async () => {
  await withFiles({ "guest.bin": guest, "log": "old" }, async (folder) => {
    using other = await Deno.open(`${folder}/log`, { append: true });
    await other.write(new TextEncoder().encode(" and longer"));
    assertEquals(await status(folder, ...flat, "--serial", "file:log"), [0, ""]);
    await other.write(new TextEncoder().encode("er"));
    assertEquals(await Deno.readTextFile(`${folder}/log`), "newer");
    const two = [
      status(folder, ...flat, "--serial", "file:both"),
      status(folder, ...flat, "--serial", "file:both"),
    ];
    assertEquals(await Promise.all(two), [[0, ""], [0, ""]]);
    assertMatch(await Deno.readTextFile(`${folder}/both`), /^[new]{3,6}$/);
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

Deno.test(unemulated("no output goes to a file that standard input or output is"), async () => {
  await withFiles({ "guest.bin": guest, "in": "precious" }, async (folder) => {
    const cases = [["<in", "in", "standard input comes from"], [
      ">out",
      "out",
      "standard output goes",
    ]];
    for (const [redirection, name, reason] of cases) {
      const kvm = argsOf(permissions, ["run", ...flat, "--serial", `file:${name}`]);
      const { code, stderr } = await new Deno.Command("sh", {
        args: ["-c", `exec "$0" "$@" ${redirection}`, Deno.execPath(), ...kvm],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      assertEquals(code, 125);
      assertStringIncludes(new TextDecoder().decode(stderr), `Cannot write to ${name}: ${reason}`);
    }
    assertEquals(await Deno.readTextFile(`${folder}/in`), "precious");
  });
});
