import { assertEquals } from "@std/assert";
import { bundleWorker, isOutdated } from "../../tools/worker.ts";
import { needing } from "../support/host.ts";
import { unemulated } from "../support/rounds.ts";

const made = await bundleWorker();

Deno.test(
  needing("Deno's bundler", "text" in made, "the bundle of a vCPU's thread is up to date"),
  () => assertEquals("text" in made && isOutdated(made.text), false, "run deno task worker"),
);

Deno.test(unemulated("without files for its threads a machine is refused"), async () => {
  const machine = new URL("../../src/machine/mod.ts", import.meta.url).href;
  const script = `import { Machine } from ${JSON.stringify(machine)};
    const kernel = Uint8Array.of(0xf4);
    await Machine.create({ kernel, protocol: "flat64", memory: "2M", cpus: 40 }).catch((error) =>
      console.log(error.code)
    );`;
  const limited = 'ulimit -n 128; exec "$0" eval "$1"';
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-c", limited, Deno.execPath(), script],
    stderr: "inherit",
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "EMFILE\n"]);
});
