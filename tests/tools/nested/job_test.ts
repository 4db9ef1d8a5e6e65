import { assertEquals, assertStringIncludes } from "@std/assert";
import { jobImage, lockedPackages } from "../../../tools/nested/job.ts";
import { tree as project } from "../../../tools/nested/nested.ts";
import { run } from "../../../tools/support/process.ts";
import { inFolder, needs } from "../support.ts";

Deno.test("the packages of deno.lock are those that npm knows, without their peers", async () => {
  assertEquals(lockedPackages('{"npm": {"@a/b@1.0.0_react@18.0.0": {}, "c_d@2.0.0": {}}}'), [
    "npm:@a/b@1.0.0",
    "npm:c_d@2.0.0",
  ]);
  assertEquals(lockedPackages('{"version": "5"}'), []);
  const own = lockedPackages(await Deno.readTextFile(`${project}/deno.lock`));
  assertEquals(own.some((name) => /^npm:deno-std@\d/.test(name)), true);
});

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
      await write("wrong.ts", "no module");
      await write("ignored", "");
      await Deno.remove(`${tree}/deleted`);
      const image = await jobImage({ tree, npm, command: "echo hi" }, folder);
      const read = async (path: string) =>
        new TextDecoder().decode(await run("debugfs", ["-R", `cat ${path}`, image]));
      assertEquals(await read("/tree/kept"), "after");
      assertEquals(await read("/tree/sub/new"), "new");
      // Whoever uses it inside will tell.
      assertEquals(await read("/tree/wrong.ts"), "no module");
      assertEquals(await read("/tree/ignored"), "");
      assertEquals(await read("/tree/deleted"), "");
      assertEquals(await read("/path"), tree);
      assertStringIncludes(await read("/run"), "\nexec echo hi\n");
    }),
);
