import { assert, assertEquals } from "@std/assert";
import { rounds, unemulated } from "../support/rounds.ts";
import { runScript, specifier } from "../support/subprocess.ts";

/** What a Worker does, given a machine whose guest spins. */
const worker = (body: string) => `
  import { Kvm } from ${specifier("src/kvm/mod.ts")};
  import { longMode } from ${specifier("src/boot/mod.ts")};
  import { guests } from ${specifier("guests/mod.ts")};
  const kvm = Kvm.open();
  const vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const vcpu = vm.createVcpu(0);
  const start = (code) => longMode(vcpu, memory, { code });
  ${body}`;

/** A script that starts Workers from texts, and what it does with them. */
const main = (body: string) => `
  const start = (text) => new Worker("data:application/typescript," + encodeURIComponent(text), { type: "module" });
  const message = (worker) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
  });
  ${body}`;

async function output(text: string, args = ["--allow-all"]): Promise<string> {
  const { code, signal, stdout, stderr } = await runScript(text, { args });
  assertEquals([code, signal], [0, null], stdout + stderr);
  return stdout.trim();
}

Deno.test("Workers each run guests of their own at the same time, with limits of their own", async () => {
  const text = worker(`
    let lost = 0;
    for (let turn = 0; turn < ${rounds(60)}; turn++) {
      start(guests.spin);
      using _limit = vcpu.interruptAfter(1 + turn % 3);
      if (vcpu.run().reason !== "intr") lost++;
      start(guests.halt);
      if (vcpu.run().reason !== "hlt" || memory.readU32(0x2000) !== 42) lost++;
    }
    vm.close();
    postMessage(lost);`);
  const script = main(`
    const workers = [1, 2, 3].map(() => start(${JSON.stringify(text)}));
    console.log((await Promise.all(workers.map(message))).join());
    for (const worker of workers) worker.terminate();`);
  assertEquals(await output(script), "0,0,0");
});

Deno.test(
  unemulated("a Worker that ends with a limit running and everything open harms nobody"),
  async () => {
    const text = worker(`
    start(guests.ports);
    vcpu.interruptAfter(30);
    vcpu.run();
    postMessage("ready");`);
    const script = main(`
    for (let turn = 0; turn < ${rounds(10)}; turn++) {
      const worker = start(${JSON.stringify(text)});
      await message(worker);
      worker.terminate();
    }
    // The alarms of the ended threads are due now.
    await new Promise((resolve) => setTimeout(resolve, 80));
    console.log("alive");`);
    assertEquals(await output(script), "alive");
  },
);

Deno.test("a Worker terminated inside a guest goes when its run is over, and the process lives on", async () => {
  const text = worker(`
    start(guests.spin);
    using _limit = vcpu.interruptAfter(300);
    postMessage("running");
    vcpu.run();
    postMessage("over");`);
  const script = main(`
    const workers = [1, 2].map(() => start(${JSON.stringify(text)}));
    await Promise.all(workers.map(message));
    for (const worker of workers) worker.terminate();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const again = start(${JSON.stringify(text.replace("guests.spin", "guests.halt"))});
    console.log(await message(again));
    again.terminate();`);
  assertEquals(await output(script), "running");
});

Deno.test(
  unemulated("Workers that come and go with guests by the dozen leave the process as it was"),
  async () => {
    const text = worker(`
    start(guests.halt);
    using _limit = vcpu.interruptAfter(1000);
    postMessage(vcpu.run().reason);
    vm.close();
    kvm.close();
    self.close();`);
    const script = main(`
    const files = () => [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
      try { return Deno.readLinkSync("/proc/self/fd/" + name).includes("kvm"); } catch { return false; }
    }).length;
    for (let turn = 0; turn < ${rounds(24)}; turn++) await message(start(${JSON.stringify(text)}));
    for (let wait = 0; files() > 0 && wait < 100; wait++) await new Promise((resolve) => setTimeout(resolve, 10));
    console.log(files());`);
    assertEquals(await output(script), "0");
  },
);

Deno.test("a Worker needs --allow-ffi alone, when it comes from a data: URL", async () => {
  const text = worker(`
    start(guests.halt);
    postMessage(vcpu.run().reason);`);
  const script = main(`
    const worker = start(${JSON.stringify(text)});
    console.log(await message(worker));
    worker.terminate();`);
  const { code, stdout, stderr } = await runScript(script);
  // A data: module may import local files only where reading is allowed.
  const blocked = stderr.includes("--allow-read") || stderr.includes("--allow-import");
  assert(blocked || (code === 0 && stdout.trim() === "hlt"), stdout + stderr);
});
