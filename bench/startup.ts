/**
 * How long it takes to import the library: a process that does nothing else, and one that does
 * nothing at all.
 *
 * @module
 */

import type { Benchmark } from "./run.ts";

/** From start to end of a process. */
export function startup(): Benchmark[] {
  return [{
    name: "startup, import mod.ts",
    unit: "ms",
    aim: { of: "difference", to: "plain", atMost: 30 },
    prepare(stack) {
      const folder = stack.adopt(
        Deno.makeTempDirSync(),
        (path) => Deno.removeSync(path, { recursive: true }),
      );
      const process = (name: string, source: string) => {
        const script = `${folder}/${name}.js`;
        Deno.writeTextFileSync(script, source);
        return () => milliseconds(script);
      };
      const library = new URL("../mod.ts", import.meta.url).href;
      return {
        plain: process("empty", ""),
        kvm: process("import", `import ${JSON.stringify(library)};\n`),
      };
    },
  }];
}

function milliseconds(script: string): number {
  const args = ["run", "--no-config", "--no-lock", script];
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" });
  const start = performance.now();
  const { success } = command.outputSync();
  const duration = performance.now() - start;
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return duration;
}
