import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needed, tree } from "../../../tools/nested/nested.ts";
import { needs } from "../support.ts";

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

Deno.test("a misspelt option is refused before anything else", async () => {
  for (const name of ["main.ts", "run_tests.ts"]) {
    const wrong = await tool(name, ["--guests", "--limits=5", "--", "true"]);
    assertEquals(wrong.code, 125);
    assertMatch(wrong.stderr, /^nested: Unknown option '--limits': .*\n$/);
  }
});

Deno.test(
  needs(...needed, "debugfs")(
    "a report that can't be written is refused before anything is checked",
  ),
  async () => {
    for (const path of ["", "/proc/none", "/nonexistent/report.xml"]) {
      // Deno would refuse this of the tests' arguments.
      const wrong = await tool("run_tests.ts", [`--report=${path}`, "--", "--no-such-option"]);
      assertEquals([wrong.code, wrong.stderr.trim().split("\n").length], [125, 1]);
      assertStringIncludes(wrong.stderr, "nested: --report wants a file that can be written");
      assertStringIncludes(wrong.stderr, `'${path}'`);
    }
  },
);

async function tool(name: string, args: string[]) {
  const path = `${tree}/tools/nested/${name}`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--cached-only", "--allow-all", path, ...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
