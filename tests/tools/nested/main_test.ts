import { assertEquals, assertStringIncludes } from "@std/assert";
import { tree } from "../../../tools/nested/nested.ts";

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

async function tool(name: string, args: string[]) {
  const path = `${tree}/tools/nested/${name}`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--cached-only", "--allow-all", path, ...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
