import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hasProgram, needing } from "./support/host.ts";
import { root } from "./support/subprocess.ts";

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, text + new TextDecoder().decode(stderr));
  return text;
}

Deno.test("the example of the README's first command prints what the README shows", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const output = await deno("run", "--no-check", "--allow-ffi", "examples/hello.ts");
  const registers = output.indexOf("\n\n");
  assertStringIncludes(readme, output.slice(0, registers));
  assertMatch(output, /RAX 000000000000002a .*\n(.*\n)+EFER 00000500/);
});

Deno.test("the program at the top of the README prints the line it promises", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const program = readme.match(/```ts\n([^]*?)```/)![1]!;
  const module = new URL("mod.ts", root).href;
  const url = `data:application/typescript,${
    encodeURIComponent(program.replace('"./mod.ts"', JSON.stringify(module)))
  }`;
  const output = await deno(
    "run",
    "--no-check",
    "--allow-ffi",
    "--allow-import",
    "--allow-read",
    url,
  );
  assertEquals(output, "Hello from long mode!\n");
});

Deno.test("a device in a dozen lines answers the guest's reads", async () => {
  const output = await deno("run", "--no-check", "--allow-ffi", "examples/mmio_device.ts");
  assertEquals(output, "the guest read 1\nthe guest read 2\nthe guest read 3\n");
});

Deno.test("a time limit ends an endless guest on this thread and on another", async () => {
  const output = await deno("run", "--no-check", "--allow-ffi", "examples/time_limit.ts");
  assertEquals(output.match(/^intr after/gm)?.length, 2);
  assertStringIncludes(output, "meanwhile this one went on: true");
});

Deno.test({
  ...needing("NASM", hasProgram("nasm"), "unit tests for machine code are written in assembly"),
  async fn() {
    const args = ["--no-check", "--allow-ffi", "--allow-run=nasm", "examples/machine_code.ts"];
    assertStringIncludes(await deno("test", ...args), "3 passed");
  },
});
