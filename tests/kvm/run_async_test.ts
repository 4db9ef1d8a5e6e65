import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import type { RunAsyncOptions } from "../../src/kvm/mod.ts";
import { bare, startLong, startReal } from "../support/machine.ts";

/** Options that run something when `name` is read. */
function readingRuns(name: "signal" | "timeout", action: () => unknown): RunAsyncOptions {
  return Object.defineProperty({}, name, {
    get: () => {
      action();
      return undefined;
    },
  });
}

for (const name of ["signal", "timeout"] as const) {
  Deno.test(`a second run that begins as the first reads its ${name} is the only one`, async () => {
    using machine = startLong(guests.spin);
    const { vcpu } = machine;
    let inner: Promise<string> | undefined;
    const outer = vcpu.runAsync(readingRuns(name, () => {
      inner ??= vcpu.runAsync({ timeout: 20 }).then(({ reason }) => reason);
    }));
    await assertRejects(() => outer, KvmError, "EBUSY");
    assertEquals(await inner, "intr");
    // Where it was when its time was over: a busy machine may not have let it begin.
    assert([0x1000n, 0x100bn].includes(vcpu.getRegs().rip));
    assertEquals((await vcpu.runAsync({ timeout: 1 })).reason, "intr");
  });
}

Deno.test("a run that reads its timeout from one beside the event loop is EBUSY", async () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  let inner: Promise<unknown> | undefined;
  const options = {
    get timeout() {
      inner = vcpu.runAsync({ timeout: 20 });
      return 20;
    },
  };
  await assertRejects(async () => await vcpu.run(options), KvmError, "EBUSY");
  await inner;
});

Deno.test("a signal is an AbortSignal, and its class's own methods are used", async () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  const calls: string[] = [];
  const methods = {
    aborted: false,
    throwIfAborted: () => calls.push("throwIfAborted"),
    addEventListener: () => calls.push("addEventListener"),
    removeEventListener: () => calls.push("removeEventListener"),
  };
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const fakes: any[] = [methods, Object.create(AbortSignal.prototype), new EventTarget(), null, 1];
  for (const signal of fakes) {
    const error = await assertRejects(() => vcpu.runAsync({ signal, timeout: 1 }), KvmError);
    assertEquals(error.code, "EINVAL");
  }
  const { throwIfAborted, addEventListener, removeEventListener } = methods;
  const signal = AbortSignal.timeout(20);
  Object.assign(signal, { throwIfAborted, addEventListener, removeEventListener });
  const error = await assertRejects(() => vcpu.runAsync({ signal }), DOMException);
  assertEquals([error.name, calls], ["TimeoutError", []]);
});

Deno.test("until the caller has a run's exit, no other run can take the next one", async () => {
  for (let turn = 0; turn < 5; turn++) {
    // out 0x10, al; out 0x11, al; out 0x12, al; hlt
    using machine = startReal([0xe6, 0x10, 0xe6, 0x11, 0xe6, 0x12, 0xf4]);
    const { vcpu } = machine;
    const seen: number[] = [];
    let waiting = true;
    const run = vcpu.runAsync().then((exit) => {
      waiting = false;
      assert(exit.reason === "io");
      seen.push(exit.port);
    });
    const busy = (async () => {
      // A promise of the runtime's, so that these turns lie between the pool's and the caller's.
      while (waiting) {
        await Deno.readFile("/proc/self/comm");
        for (let tick = 0; tick < 8 && waiting; tick++) {
          try {
            const exit = vcpu.run();
            if (exit.reason === "io") seen.push(exit.port);
          } catch (error) {
            assert(error instanceof KvmError && error.code === "EBUSY", String(error));
          }
          await null;
        }
      }
    })();
    await Promise.all([run, busy]);
    assertEquals(seen[0], 0x10);
  }
});

Deno.test("a run whose options close the vCPU is EBADF", async () => {
  using machine = bare();
  const { vcpu } = machine;
  const run = vcpu.runAsync(readingRuns("timeout", () => vcpu.close()));
  await assertRejects(() => run, KvmError, "EBADF");
});
