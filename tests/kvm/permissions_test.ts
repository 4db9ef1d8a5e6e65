import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unemulated } from "../support/rounds.ts";
import { outputOf, root, runScript } from "../support/subprocess.ts";

/** Runs a guest with what the library's door exports. */
const program = (door: string) => `
  import { guests, Kvm, longMode } from ${JSON.stringify(door)};
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  using vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code: guests.hello });
  let text = "";
  for (let exit = vcpu.run(); exit.reason === "io"; exit = vcpu.run()) {
    text += String.fromCharCode(...exit.data);
  }
  using _limit = vcpu.interruptAfter(20_000);
  console.log(text.trim(), vcpu.getRegs().rax);`;

const OUTPUT = "Hello from long mode! 42n\n";

/** Serves the repository's modules; what was asked for, and how to stop. */
function serve(): { port: number; asked: Set<string>; [Symbol.asyncDispose](): Promise<void> } {
  const asked = new Set<string>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.slice(1);
    asked.add(path);
    try {
      const body = await Deno.readTextFile(new URL(path, root));
      return new Response(body, { headers: { "content-type": "application/typescript" } });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
  return { port: server.addr.port, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("a program that imports the library from a file needs --allow-ffi alone", async () => {
  assertEquals(await outputOf(program(new URL("mod.ts", root).href)), OUTPUT);
});

Deno.test(
  unemulated(
    "a program that imports the library from a URL needs --allow-ffi, and leave to import",
  ),
  async () => {
    await using server = serve();
    const folder = await Deno.makeTempDir();
    try {
      const host = `127.0.0.1:${server.port}`;
      const text = program(`http://${host}/mod.ts`);
      const args = ["--allow-ffi", `--allow-import=${host}`, "--no-config"];
      Deno.env.set("DENO_DIR", folder);
      try {
        assertEquals(await outputOf(text, { args }), OUTPUT);
      } finally {
        Deno.env.delete("DENO_DIR");
      }
      for (const path of server.asked) {
        assert(/^(mod\.ts|(ffi|src|guests)\/.*\.ts)$/.test(path), path);
      }
      assert(![...server.asked].some((path) => path.startsWith("src/assemble")), "needs NASM");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test(unemulated("importing the library does nothing that needs a permission"), async () => {
  const text = `
    import * as library from ${JSON.stringify(new URL("mod.ts", root).href)};
    console.log(typeof library.Kvm, Object.keys(library).length > 10);`;
  assertEquals(await outputOf(text, { args: [] }), "function true\n");
});

Deno.test("without --allow-ffi the first use is NotCapable and names the permission", async () => {
  const { code, stderr } = await runScript(program(new URL("mod.ts", root).href), { args: [] });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "NotCapable");
  assertStringIncludes(stderr, "--allow-ffi");
});

Deno.test("the library asks for nothing beyond --allow-ffi while guests run", async () => {
  const text = program(new URL("mod.ts", root).href).replace(
    "using kvm",
    `for (const name of ["read", "write", "net", "env", "run", "sys"]) {
       if (Deno.permissions.querySync({ name }).state === "granted") throw new Error(name);
     }
     using kvm`,
  );
  assertEquals(await outputOf(text), OUTPUT);
});
