import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
} from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { realMode } from "../../src/boot/mod.ts";
import { kick } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare, CELLS, runUntil, startLong, startReal } from "../support/machine.ts";
import { needs } from "../support/needs.ts";
import { isEmulated } from "../support/rounds.ts";
import { spin, spinUntil, withAmpleTime } from "../support/time.ts";

Deno.test("a guest that spins is interrupted when its time is over, and not before", () => {
  using machine = startLong(guests.spin);
  const { vcpu, memory } = machine;
  const start = performance.now();
  using _limit = vcpu.interruptAfter(30);
  assertEquals(vcpu.run().reason, "intr");
  assertGreaterOrEqual(performance.now() - start, 29.9);
  assertLess(performance.now() - start, 5000);
  assertEquals([memory.readU32(CELLS), vcpu.getRegs().rip], [1, 0x100bn]);
});

Deno.test("an interrupted guest goes on where it was, again and again", () => {
  // inc dword [CELLS]; jmp to it
  using machine = startReal([0x66, 0xff, 0x06, 0x00, 0x20, 0xeb, 0xf9]);
  const { vcpu, memory } = machine;
  let last = 0;
  for (let turn = 0; turn < 5; turn++) {
    let count = last;
    // A short one may be over before the guest's first instruction.
    for (let limit = 5; count === last; limit *= 2) {
      assertLess(limit, 5000);
      using _limit = vcpu.interruptAfter(limit);
      assertEquals(vcpu.run().reason, "intr");
      count = memory.readU32(CELLS);
    }
    assertGreater(count, last);
    last = count;
  }
});

Deno.test("of 300 runs with a time limit none is lost, however short it is", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  for (let turn = 0; turn < 300; turn++) {
    // Down to limits that are over before KVM_RUN begins.
    using _limit = vcpu.interruptAfter(turn % 3 === 0 ? 0.001 * (turn + 1) : 1 + turn % 2);
    assertEquals(vcpu.run().reason, "intr");
    assertEquals(vcpu.kvmRun.immediateExit, 0);
  }
});

Deno.test("a limit of 0 ms ends the run at once, and is not taken for none", () => {
  // A guest that exits by itself, so that a lost limit is a failure and no endless loop.
  using machine = startLong(guests.ports);
  for (const limit of [0, 1e-9, 1e-6]) {
    using _limit = machine.vcpu.interruptAfter(limit);
    let exits = 0;
    while (machine.vcpu.run().reason === "io" && exits < 20_000) exits++;
    assertLess(exits, 20_000, `${limit} ms`);
  }
});

Deno.test("a limit that is over between two runs ends the next one", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  using _limit = vcpu.interruptAfter(1);
  assert(spinUntil(() => vcpu.kvmRun.immediateExit === 1, 5000));
  assertEquals([vcpu.run().reason, vcpu.run().reason], ["intr", "io"]);
});

Deno.test("a limit that was not needed leaves no flag and no alarm behind", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  let reason: string | undefined;
  const limit = withAmpleTime((milliseconds) => {
    using _limit = vcpu.interruptAfter(milliseconds);
    reason = vcpu.run().reason;
  });
  assertEquals(reason, "io");
  spin(2 * limit);
  assertEquals(vcpu.kvmRun.immediateExit, 0);
  for (let turn = 0; turn < 100; turn++) runUntil(vcpu, "io");
});

Deno.test("a limit that rang without a run ends no later one once it is disposed of", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  {
    using _limit = vcpu.interruptAfter(0.5);
    assert(spinUntil(() => vcpu.kvmRun.immediateExit === 1, 5000));
  }
  assertEquals(vcpu.kvmRun.immediateExit, 0);
  runUntil(vcpu, "io");
});

Deno.test("a second limit counts anew, and disposing of the first leaves it standing", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  const first = vcpu.interruptAfter(60_000);
  using _second = vcpu.interruptAfter(20);
  first[Symbol.dispose]();
  // The guard must not be the limit under test: a request would end this run at once.
  using guard = deadline(vcpu, 20_000);
  assertEquals(vcpu.run().reason, "intr");
  assert(!guard.late());
});

/** Ends the run of a vCPU from a Worker if nothing else does. */
function deadline(
  vcpu: ReturnType<typeof startLong>["vcpu"],
  milliseconds: number,
): Disposable & { late(): boolean } {
  const start = performance.now();
  const door = new URL("../../src/kvm/mod.ts", import.meta.url).href;
  const text = `
    import { kick } from ${JSON.stringify(door)};
    onmessage = ({ data }) => setTimeout(() => kick(data), ${milliseconds});
    postMessage("ready");`;
  const url = `data:application/javascript,${encodeURIComponent(text)}`;
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(vcpu.kickHandle);
  return {
    late: () => performance.now() - start >= milliseconds,
    [Symbol.dispose]: () => worker.terminate(),
  };
}

Deno.test("a time that can't be is EINVAL, and sets no limit", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [-1, NaN, Infinity, 1e15, undefined];
  for (const time of wrong) assertCode("EINVAL", () => vcpu.interruptAfter(time), String(time));
  for (let turn = 0; turn < 10; turn++) runUntil(vcpu, "io");
});

Deno.test("an immediate exit ends the next run before the guest does anything", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  vcpu.requestImmediateExit();
  assertEquals([vcpu.run().reason, vcpu.getRegs().rip], ["intr", 0x1000n]);
  assertEquals(vcpu.kvmRun.immediateExit, 0);
  assertEquals(runUntil(vcpu, "io").value, 1);
});

Deno.test("an immediate exit completes the IN before it, so that its value is in the register", () => {
  using machine = startLong(guests.echo);
  const { vcpu } = machine;
  runUntil(vcpu, "io").value = 0x41;
  vcpu.requestImmediateExit();
  assertEquals(vcpu.run().reason, "intr");
  assertEquals(vcpu.getRegs().rax & 0xffn, 0x41n);
  assertEquals(runUntil(vcpu, "io").direction, "out");
});

Deno.test(needs("a vCPU that waits to be started is interrupted as well", "IRQCHIP"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  using second = machine.vm.createVcpu(1);
  using _limit = second.interruptAfter(20);
  assertEquals(second.run().reason, "intr");
});

Deno.test("limits of two vCPUs on one thread do not get in each other's way", () => {
  using one = startLong(guests.spin);
  using other = startLong(guests.spin);
  using _long = one.vcpu.interruptAfter(60);
  {
    using _short = other.vcpu.interruptAfter(10);
    assertEquals(other.vcpu.run().reason, "intr");
  }
  const start = performance.now();
  assertEquals(one.vcpu.run().reason, "intr");
  assertLess(performance.now() - start, 5000);
  realMode(other.vcpu, other.memory, { code: guests.helloReal });
  runUntil(other.vcpu, "io");
});

Deno.test("a limit may be disposed of twice, and after the vCPU was closed", () => {
  using machine = startLong(guests.spin);
  const limit = machine.vcpu.interruptAfter(1000);
  limit[Symbol.dispose]();
  limit[Symbol.dispose]();
  const other = machine.vcpu.interruptAfter(1);
  machine.vcpu.close();
  spin(10);
  other[Symbol.dispose]();
});

Deno.test("a run's timeout leaves a limit around it standing", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  using guard = deadline(vcpu, 20_000);
  let outer: Disposable | undefined;
  withAmpleTime((milliseconds) => {
    outer?.[Symbol.dispose]();
    outer = vcpu.interruptAfter(milliseconds);
    assertEquals(vcpu.run({ timeout: milliseconds / 4 }).reason, "intr");
  });
  assertEquals(vcpu.run().reason, "intr");
  outer?.[Symbol.dispose]();
  assert(!guard.late());
  assertEquals(vcpu.kvmRun.immediateExit, 0);
});

Deno.test("an abort is not lost when a limit of this thread ends at that moment", async () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  for (let turn = 0; turn < 20; turn++) {
    const limit = vcpu.interruptAfter(1000);
    const abort = new AbortController();
    const run = vcpu.runAsync({ signal: abort.signal }).catch((error) => error.name);
    abort.abort();
    limit[Symbol.dispose]();
    assertCode("EBUSY", () => vcpu.run({ timeout: 1000 }));
    assertEquals(await run, "AbortError");
    assertEquals(vcpu.kvmRun.immediateExit, 0);
  }
});

Deno.test("a limit may be as long as a year on this thread, and 2^31 - 1 ms beside the event loop", async () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  const days = 86_400_000;
  for (const timeout of [2 ** 31 - 1, 2 ** 31, 365 * days]) {
    assertEquals(vcpu.run({ timeout }).reason, "io");
    using _limit = vcpu.interruptAfter(timeout);
    assertEquals(vcpu.run().reason, "io");
  }
  assertCode("EINVAL", () => vcpu.run({ timeout: 400 * days }));
  assertEquals((await vcpu.runAsync({ timeout: 2 ** 31 - 1 })).reason, "io");
  const error = await assertRejects(() => vcpu.runAsync({ timeout: 2 ** 31 }), KvmError);
  assertEquals(error.code, "EINVAL");
});

Deno.test("a limit that can't be leaves the one around it standing", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  using guard = deadline(vcpu, 20_000);
  using _limit = vcpu.interruptAfter(20);
  for (const wrong of [-1, NaN, 1e15]) assertCode("EINVAL", () => vcpu.interruptAfter(wrong));
  assertEquals(vcpu.run().reason, "intr");
  assert(!guard.late());
});

Deno.test("of limits that are over at once each ends a run of its own", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  using guard = deadline(vcpu, 20_000);
  using _limits = new DisposableStack();
  for (const time of [5, 5.1, 5.4]) _limits.use(vcpu.interruptAfter(time));
  spin(10);
  for (let turn = 0; turn < 3; turn++) assertEquals(vcpu.run().reason, "intr");
  assert(!guard.late());
  assertEquals(vcpu.kvmRun.immediateExit, 0);
});

Deno.test("a run that something else ends just before a limit leaves the limit standing", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  using guard = deadline(vcpu, 20_000);
  const ends = [() => kick(vcpu.kickHandle), () => vcpu.requestImmediateExit()];
  for (let turn = 0; turn < 40; turn++) {
    using _limit = vcpu.interruptAfter(2);
    spin(1.5 + turn / 80);
    ends[turn % 2]!();
    assertEquals([vcpu.run().reason, vcpu.run().reason], ["intr", "intr"]);
    assertEquals(vcpu.kvmRun.immediateExit, 0);
  }
  assert(!guard.late());
});

Deno.test("a request to exit at once outlives the end of a limit, whether that rang or not", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  for (const time of [0, 60_000]) {
    vcpu.requestImmediateExit();
    vcpu.interruptAfter(time)[Symbol.dispose]();
    assertEquals([vcpu.run().reason, vcpu.run().reason], ["intr", "io"]);
  }
});

Deno.test("very many limits at a time are no more work for each than a few", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  const start = performance.now();
  const limits = Array.from(
    { length: isEmulated() ? 2000 : 130_000 },
    () => vcpu.interruptAfter(1e6),
  );
  {
    using _first = vcpu.interruptAfter(1);
    assertEquals(vcpu.run().reason, "intr");
  }
  for (const limit of limits) limit[Symbol.dispose]();
  // By the number of limits it would be minutes.
  assertLess(performance.now() - start, 15_000);
  assertEquals(vcpu.run({ timeout: 1 }).reason, "intr");
});

Deno.test("limits end in any order, and those that are left ring at their time", () => {
  using machine = startLong(guests.spin);
  const { vcpu } = machine;
  const times = [40, 10, 30, 20, 30, 10];
  const start = performance.now();
  const limits = times.map((time) => vcpu.interruptAfter(time));
  for (const index of [1, 2, 5]) limits[index]![Symbol.dispose]();
  for (const time of [20, 30, 40]) {
    assertEquals(vcpu.run().reason, "intr");
    assertGreaterOrEqual(performance.now() - start, time - 0.1);
  }
  for (const limit of limits) limit[Symbol.dispose]();
  assertEquals(vcpu.kvmRun.immediateExit, 0);
});
