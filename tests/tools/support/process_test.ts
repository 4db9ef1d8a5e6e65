import { assertEquals, assertRejects } from "@std/assert";
import { Interrupted, ToolError } from "../../../tools/support/error.ts";
import { missingMessage, missingPrograms, run } from "../../../tools/support/process.ts";
import { inFolder } from "../support.ts";

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

Deno.test("a program that dies of the terminal's signal has not failed: the tool is interrupted", async () => {
  for (const [name, status] of [["HUP", 129], ["INT", 130], ["TERM", 143]] as const) {
    const error = await assertRejects(() => run("sh", ["-c", `kill -${name} $$`]), Interrupted);
    assertEquals(error.status, status);
  }
  await assertRejects(() => run("sh", ["-c", "kill -KILL $$"]), ToolError);
  await assertRejects(() => run("sh", ["-c", "exit 130"]), ToolError);
});
