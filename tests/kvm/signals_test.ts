import { assert, assertEquals, assertLess } from "@std/assert";
import { isEmulated, rounds } from "../support/rounds.ts";
import { script, specifier } from "../support/subprocess.ts";

/** A script whose guest spins; it says so once it is about to. */
const spinning = (before = "", run = "vcpu.run();") => `
  import { Kvm } from ${specifier("src/kvm/mod.ts")};
  import { longMode } from ${specifier("src/boot/mod.ts")};
  import { guests } from ${specifier("guests/mod.ts")};
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  using vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code: guests.spin });
  ${before}
  console.log("running");
  ${run}`;

async function whenRunning(
  text: string,
  then: (child: Deno.ChildProcess) => void | Promise<void>,
): Promise<{ status: Deno.CommandStatus; stdout: string; stderr: string; time: number }> {
  const child = script(text, { args: ["--allow-all"] }).spawn();
  const guard = setTimeout(() => child.kill("SIGKILL"), 15_000);
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let stdout = "";
    while (!stdout.includes("running\n")) {
      const { value, done } = await reader.read();
      if (done) break;
      stdout += value;
    }
    const start = performance.now();
    await then(child);
    const status = await child.status;
    const time = performance.now() - start;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      stdout += part.value;
    }
    const stderr = await new Response(child.stderr).text();
    return { status, stdout, stderr, time };
  } finally {
    clearTimeout(guard);
  }
}

/** Waits until a process uses a processor: it is in its guest. */
async function untilBusy(pid: number): Promise<void> {
  const ticks = () => {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  const start = ticks();
  while (ticks() < start + 8) await new Promise((resolve) => setTimeout(resolve, 20));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends a process whose guest runs, at once and by that signal`, async () => {
    const { status, stderr, time } = await whenRunning(spinning(), async (child) => {
      await untilBusy(child.pid);
      child.kill(signal);
    });
    assertEquals([status.signal, stderr], [signal, ""]);
    assertLess(time, 10_000);
  });
}

Deno.test("signals that end nothing do not end a run either", async () => {
  // Longer than all of them take.
  const limit = isEmulated() ? 3000 : 1500;
  const text = spinning(
    `using _limit = vcpu.interruptAfter(${limit});`,
    `
    const start = performance.now();
    const { reason } = vcpu.run();
    console.log(reason, performance.now() - start > ${limit - 100});`,
  );
  const { status, stdout, stderr } = await whenRunning(text, async (child) => {
    // SIGRTMIN+10, 44, is the one that limits use; here it comes from somebody else.
    for (let turn = 0; turn < rounds(20); turn++) {
      for (const signal of ["SIGWINCH", "SIGCHLD", "SIGCONT", "SIGURG"] as const) {
        child.kill(signal);
      }
      new Deno.Command("sh", { args: ["-c", `kill -44 ${child.pid}`] }).outputSync();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  assertEquals([status.code, stdout], [0, "running\nintr true\n"], stderr);
});

Deno.test("a stopped process goes on with its guest when it is continued", async () => {
  const text = spinning(
    "using _limit = vcpu.interruptAfter(1500);",
    "console.log(vcpu.run().reason);",
  );
  const { status, stdout, stderr } = await whenRunning(text, async (child) => {
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGCONT");
  });
  assertEquals([status.code, stdout], [0, "running\nintr\n"], stderr);
});

Deno.test("a process ends although one of its Workers is inside a guest", async () => {
  const worker = spinning("", "vcpu.run();").replace(
    'console.log("running")',
    'postMessage("running")',
  );
  const text = `
    const url = "data:application/typescript," + encodeURIComponent(${JSON.stringify(worker)});
    const worker = new Worker(url, { type: "module" });
    worker.onmessage = () => {
      console.log("running");
      setTimeout(() => Deno.exit(7), 50);
    };`;
  const { status, stderr, time } = await whenRunning(text, () => {});
  assertEquals(status.code, 7, stderr);
  assert(time < 10_000);
});
