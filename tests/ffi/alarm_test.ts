import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Alarm, Mapping } from "../../ffi/mod.ts";
import { shim } from "../../ffi/shim.ts";
import { assertCode } from "../support/codes.ts";
import { outputOf, specifier } from "../support/subprocess.ts";

const SYS_NANOSLEEP = 35;
const SYS_GETTID = 186;
const EINTR = -4n;

/** Blocks this thread in the kernel for so many seconds, or until a signal. */
function sleep(seconds: number): bigint {
  const time = new BigUint64Array([BigInt(seconds), 0n]);
  return shim().syscallBuffer(SYS_NANOSLEEP, new Uint8Array(time.buffer), 0n, 0n);
}

/** Does no system call that an alarm could interrupt until it went off. */
function spinUntil(done: () => boolean, milliseconds: number): boolean {
  const end = performance.now() + milliseconds;
  while (!done() && performance.now() < end);
  return done();
}

function pageWithAlarm(offset = 0): Disposable & { byte: () => number; alarm: Alarm } {
  const mapping = Mapping.anonymous(4096, "page");
  const alarm = new Alarm(mapping, offset);
  return {
    alarm,
    byte: () => new Uint8Array(mapping.buffer)[offset]!,
    [Symbol.dispose]() {
      alarm.close();
      mapping.close();
    },
  };
}

Deno.test("an alarm interrupts the system call under way and sets its byte", () => {
  using page = pageWithAlarm(77);
  const start = performance.now();
  page.alarm.arm(10);
  assertEquals(sleep(20), EINTR);
  assertEquals(page.byte(), 1);
  assertGreaterOrEqual(performance.now() - start, 9.9);
  assertLess(performance.now() - start, 5000);
});

Deno.test("an alarm that goes off outside of a system call sets its byte all the same", () => {
  using page = pageWithAlarm();
  page.alarm.arm(2);
  assert(spinUntil(() => page.byte() === 1, 5000));
});

Deno.test("an alarm rings once, and again when it is set again", () => {
  using page = pageWithAlarm();
  for (let turn = 0; turn < 5; turn++) {
    page.alarm.arm(1);
    assertEquals(sleep(20), EINTR);
  }
  assertEquals(sleep(0), 0n);
});

Deno.test("an alarm that is set anew forgets the earlier time", () => {
  using page = pageWithAlarm();
  page.alarm.arm(1);
  page.alarm.arm(60_000);
  assert(!spinUntil(() => page.byte() === 1, 20));
  page.alarm.arm(60_000);
  page.alarm.arm(1);
  assert(spinUntil(() => page.byte() === 1, 5000));
});

Deno.test("an alarm that is stopped, or closed before its time, never rings", () => {
  const mapping = Mapping.anonymous(4096, "page");
  const bytes = new Uint8Array(mapping.buffer);
  const stopped = new Alarm(mapping, 0);
  stopped.arm(5);
  stopped.disarm();
  const closed = new Alarm(mapping, 1);
  closed.arm(5);
  closed.close();
  closed.close();
  assert(!spinUntil(() => bytes[0] === 1 || bytes[1] === 1, 20));
  stopped.close();
  mapping.close();
});

Deno.test("many alarms at a time set each its own byte", () => {
  const mapping = Mapping.anonymous(4096, "page");
  const bytes = new Uint8Array(mapping.buffer);
  const alarms = Array.from({ length: 100 }, (_, offset) => new Alarm(mapping, offset * 3));
  for (const [index, alarm] of alarms.entries()) if (index % 2 === 0) alarm.arm(1 + index / 50);
  const rung = () => bytes.filter((byte) => byte === 1).length === 50;
  assert(spinUntil(rung, 5000), `${bytes.filter((byte) => byte === 1).length} rang`);
  for (const index of alarms.keys()) assertEquals(bytes[index * 3], index % 2 === 0 ? 1 : 0);
  for (const alarm of alarms) alarm.close();
  mapping.close();
});

Deno.test("alarms made and closed by the thousand leave nothing behind", () => {
  const pending = () => {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(status.match(/^SigQ:\s+(\d+)\//m)![1]);
  };
  const before = pending();
  const mapping = Mapping.anonymous(4096, "page");
  for (let turn = 0; turn < 1000; turn++) {
    using alarm = new Alarm(mapping, 0);
    alarm.arm(turn % 2 ? 0.001 : 1000);
  }
  mapping.close();
  assertEquals(pending(), before);
});

Deno.test("a time that can't be is EINVAL", () => {
  using page = pageWithAlarm();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [-1, -0.001, NaN, Infinity, -Infinity, 1e15, undefined];
  for (const time of wrong) assertCode("EINVAL", () => page.alarm.arm(time), String(time));
});

Deno.test("every time from a nanosecond to a year is one that the kernel takes", () => {
  using page = pageWithAlarm();
  for (
    const time of [1e-6, 0.1, 999.999_999_9, 1999.999_999_999, 59_999.9999999, 366 * 86_400_000]
  ) {
    page.alarm.arm(time);
  }
  page.alarm.disarm();
});

Deno.test("a time of 0, or too short for the clock, rings at once and does not stop the alarm", () => {
  for (const time of [0, -0, 1e-9]) {
    using page = pageWithAlarm();
    page.alarm.arm(time);
    assert(spinUntil(() => page.byte() === 1, 1000), String(time));
  }
});

Deno.test("setting an alarm that was closed is EBADF", () => {
  const page = pageWithAlarm();
  page[Symbol.dispose]();
  assertCode("EBADF", () => page.alarm.arm(1));
  assertCode("EBADF", () => page.alarm.disarm());
});

Deno.test("the alarm's signal from someone else neither ends the process nor writes anywhere", () => {
  using page = pageWithAlarm();
  const { syscall6 } = shim();
  const SYS_TGKILL = 234;
  const [pid, tid] = [BigInt(Deno.pid), syscall6(SYS_GETTID, 0n, 0n, 0n, 0n, 0n, 0n)];
  for (let turn = 0; turn < 100; turn++) {
    assertEquals(syscall6(SYS_TGKILL, pid, tid, 44n, 0n, 0n, 0n), 0n);
  }
  assertEquals(page.byte(), 0);
});

Deno.test("an alarm interrupts its own thread, and no other's", async () => {
  const output = await outputOf(
    `
    const worker = (milliseconds) => {
      const text = \`
        import { Alarm, Mapping } from ${specifier("ffi/mod.ts").replaceAll('"', "'")};
        import { shim } from ${specifier("ffi/shim.ts").replaceAll('"', "'")};
        const mapping = Mapping.anonymous(4096, "page");
        const alarm = new Alarm(mapping, 0);
        alarm.arm(\${milliseconds});
        const time = new Uint8Array(new BigUint64Array([3n, 0n]).buffer);
        const start = performance.now();
        const result = shim().syscallBuffer(35, time, 0n, 0n);
        postMessage([result, Math.round((performance.now() - start) / 100) * 100]);\`;
      const url = "data:application/typescript," + encodeURIComponent(text);
      const worker = new Worker(url, { type: "module" });
      return new Promise((resolve) => {
        worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      });
    };
    console.log(JSON.stringify((await Promise.all([worker(200), worker(600)])).map(([result, time]) =>
      [Number(result), time])));`,
    { args: ["--allow-all"] },
  );
  assertEquals(output.trim(), "[[-4,200],[-4,600]]");
});
