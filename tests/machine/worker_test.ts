import { assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { SharedState } from "../../src/machine/shared/mod.ts";
import { type VcpuJob, VcpuWorker } from "../../src/machine/worker/mod.ts";
import { bundleWorker, isOutdated } from "../../tools/worker.ts";
import { needing } from "../support/host.ts";
import { unemulated } from "../support/rounds.ts";
import { outputOf, specifier } from "../support/subprocess.ts";

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

Deno.test(unemulated("threads that come and go leave nothing of their text behind"), async () => {
  const [first, counted] = [60, 150];
  const halfAJob = { id: 0, cpus: 1, buffer: new SharedState(1).buffer } as VcpuJob;
  let before = 0;
  for (let count = 0; count < first + counted; count++) {
    if (count === first) before = Deno.memoryUsage().rss;
    using worker = new VcpuWorker(count);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    // It fails on it, and so it has come to it.
    worker.begin(halfAJob, { onFailure: resolve, onCrash: resolve });
    await promise;
  }
  // The text has more than 90 KB.
  assertLess((Deno.memoryUsage().rss - before) / counted, 50_000);
});

for (const cpus of [1, 3]) {
  const name =
    `without the thread of one of ${cpus} vCPUs there is no machine, and nothing is left of it`;
  Deno.test(unemulated(name), async () => {
    const output = await outputOf(
      `
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(url, options) {
          const text = "data:text/javascript,throw new Error('no thread')";
          super(options.name === "vCPU 0" ? text : url, options);
        }
      };
      const { Machine } = await import(${specifier("src/machine/mod.ts")});
      const output = new WritableStream();
      const kernel = Uint8Array.of(0xb0, 7, 0xe6, 0xf4);
      const options = { kernel, protocol: "flat64", memory: "2M", console: { output } };
      try {
        const machine = await Machine.create({ ...options, cpus: ${cpus} });
        await using _machine = machine;
        await machine.finished;
      } catch (error) {
        console.log(error.message);
      }
      console.log(output.locked);`,
      { args: ["--allow-all"] },
    );
    assertMatch(output, /^The thread of vCPU 0 failed: .*no thread\nfalse\n$/);
  });
}

/** Bytes of all files in a folder. */
function bytesIn(folder: string): number {
  return Deno.readDirSync(folder)
    .map(({ name, isDirectory }) =>
      isDirectory ? bytesIn(`${folder}/${name}`) : Deno.statSync(`${folder}/${name}`).size
    )
    .reduce((sum, size) => sum + size, 0);
}

Deno.test(unemulated("the runtime's cache does not grow with each machine"), async () => {
  const cache = Deno.makeTempDirSync();
  try {
    const program = `${cache}/program.js`;
    const machine = new URL("../../src/machine/mod.ts", import.meta.url).href;
    Deno.writeTextFileSync(
      program,
      `import { Machine } from ${JSON.stringify(machine)};
      const kernel = Uint8Array.of(0xe6, 0xf4);
      await using machine = await Machine.boot({ kernel, protocol: "flat64", memory: "2M" });
      await machine.finished;`,
    );
    const sizes: number[] = [];
    for (let run = 0; run < 4; run++) {
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--allow-ffi", "--allow-read", program],
        env: { DENO_DIR: `${cache}/deno` },
      }).output();
      assertEquals(success, true);
      sizes.push(bytesIn(`${cache}/deno`));
    }
    // It is filled by the first run, and by a second one where that could not.
    const [, second, third, fourth] = sizes;
    assertGreater(second!, 0);
    assertEquals([third, fourth], [second, second]);
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
});
