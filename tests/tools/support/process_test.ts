import { assertEquals } from "@std/assert";
import { missingMessage, missingPrograms } from "../../../tools/support/process.ts";
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
