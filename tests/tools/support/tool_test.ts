import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runScript, type ScriptResult, specifier } from "../../support/subprocess.ts";
import { inFolder } from "../support.ts";

/** Runs a tool that does this, with these variables. */
async function tool(
  task: string,
  env: Record<string, string> = {},
  args: readonly string[] = ["--allow-all"],
): Promise<ScriptResult> {
  const variables = Object.entries(env).map(([name, value]) =>
    `Deno.env.set(${JSON.stringify(name)}, ${JSON.stringify(value)});`
  );
  const text = `
    import { cached, cacheFolder } from ${specifier("tools/support/cache.ts")};
    import { run } from ${specifier("tools/support/process.ts")};
    import { inTemporaryFolder } from ${specifier("tools/support/temporary.ts")};
    import { runTool } from ${specifier("tools/support/tool.ts")};
    ${variables.join("\n")}
    await runTool("some", async (signal) => { ${task} });
  `;
  return await runScript(text, { args });
}

Deno.test("a cache that can't be used is status 125 and a line that says what to do", async () => {
  const some = ["--allow-read", "--allow-write", "--allow-env"];
  for (const args of [some, ["--allow-all"]]) {
    for (const home of ["/proc", "/dev/null"]) {
      const task = `await cached(cacheFolder("some"), "entry", Deno.mkdir);`;
      const { code, stderr } = await tool(task, { XDG_CACHE_HOME: home }, args);
      assertEquals(code, 125);
      assertMatch(stderr, /^some: .*: have XDG_CACHE_HOME name a folder .*\n$/);
      assertStringIncludes(stderr, `${home}/deno-kvm/some`);
    }
  }
});

Deno.test("so is a temporary folder", async () => {
  const task = `await inTemporaryFolder("x-", () => Promise.resolve());`;
  const { code, stderr } = await tool(task, { TMPDIR: "/nonexistent" });
  assertEquals(code, 125);
  assertMatch(stderr, /^some: .* '\/nonexistent\/x-.*: have TMPDIR name a folder .*\n$/);
});

Deno.test("so is any other file", async () => {
  const { code, stderr } = await tool(`await Deno.writeTextFile("/dev/full", "text");`);
  assertEquals(code, 125);
  assertMatch(stderr, /^some: No space left .* '\/dev\/full': see whether .*\n$/);
});

Deno.test("a mistake of the tool's comes with its trace", async () => {
  const { code, stderr } = await tool(`throw new TypeError("no function");`);
  assertEquals(code, 1);
  assertMatch(stderr, /Uncaught .*TypeError: no function\n[^]*\n +at runTool /);
});

Deno.test("a tool whose program the terminal's signal ends first is interrupted, too", async () => {
  const { code, stderr } = await tool(`await run("sh", ["-c", "kill -INT $$"], { signal });`);
  assertEquals([code, stderr], [130, ""]);
});

Deno.test("what is in a temporary folder goes with it, whatever happens", () =>
  inFolder(async (folder) => {
    const task = `await inTemporaryFolder("x-", async (folder) => {
      await Deno.writeTextFile(folder + "/file", "");
      await Deno.readTextFile(folder + "/none");
    });`;
    assertEquals((await tool(task, { TMPDIR: folder })).code, 125);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));
