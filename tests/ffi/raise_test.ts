import { assertEquals } from "@std/assert";
import { endingSignals } from "../../ffi/mod.ts";
import { runScript, specifier } from "../support/subprocess.ts";

const ffi = specifier("ffi/mod.ts");

for (const signal of Object.keys(endingSignals)) {
  Deno.test(`a raised ${signal} ends a process that does not listen, with --allow-ffi alone`, async () => {
    const result = await runScript(`
      import { raise } from ${ffi};
      console.log("before");
      raise("${signal}");
      console.log("behind");
    `);
    assertEquals([result.signal, result.stdout], [signal, "before\n"], result.stderr);
  });
}

Deno.test("a raised signal reaches a listener, and none that has been removed", async () => {
  const result = await runScript(`
    import { raise } from ${ffi};
    const heard = Promise.withResolvers();
    Deno.addSignalListener("SIGTERM", heard.resolve);
    raise("SIGTERM");
    await heard.promise;
    console.log("heard");
    Deno.removeSignalListener("SIGTERM", heard.resolve);
    raise("SIGTERM");
    console.log("behind");
  `);
  assertEquals([result.signal, result.stdout], ["SIGTERM", "heard\n"], result.stderr);
});
