import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { addressOf, Alarm, Fd, Mapping } from "../../ffi/mod.ts";
import { shim } from "../../ffi/shim.ts";
import { assertCode } from "../support/codes.ts";
import { outputOf, specifier } from "../support/subprocess.ts";
import { spinUntil, withAmpleTime } from "../support/time.ts";

const SYS_NANOSLEEP = 35;
const SYS_READ = 0;
const SYS_GETTID = 186;
const SYS_TIMERFD_CREATE = 283;
const SYS_TIMERFD_SETTIME = 286;
const EINTR = -4n;

/** Blocks this thread in the kernel for so many milliseconds, or until a signal. */
function sleep(milliseconds: number): bigint {
  const time = new BigUint64Array([
    BigInt(Math.floor(milliseconds / 1000)),
    BigInt(milliseconds % 1000) * 1_000_000n,
  ]);
  return shim().syscallBuffer(SYS_NANOSLEEP, new Uint8Array(time.buffer), 0n, 0n);
}

/** Blocks this thread in read(2), which has something to read after so many milliseconds. */
function read(milliseconds: number): bigint {
  const { syscall6, transfer } = shim();
  const file = syscall6(SYS_TIMERFD_CREATE, 1n, 0n, 0n, 0n, 0n, 0n);
  using _fd = new Fd(Number(file), "timer");
  const time = new BigUint64Array([0n, 0n, 0n, BigInt(milliseconds) * 1_000_000n]);
  const address = addressOf(new Uint8Array(time.buffer));
  assertEquals(syscall6(SYS_TIMERFD_SETTIME, file, 0n, address, 0n, 0n, 0n), 0n);
  return transfer(SYS_READ, file, new Uint8Array(8), 8n);
}

interface PageWithAlarm extends Disposable {
  readonly alarm: Alarm;
  byte(): number;
  clear(): void;
}

function pageWithAlarm(offset = 0): PageWithAlarm {
  const mapping = Mapping.anonymous(4096, "page");
  const alarm = new Alarm(mapping, offset);
  const bytes = () => new Uint8Array(mapping.buffer);
  return {
    alarm,
    byte: () => bytes()[offset]!,
    clear: () => void (bytes()[offset] = 0),
    [Symbol.dispose]() {
      alarm.close();
      mapping.close();
    },
  };
}

Deno.test("an alarm interrupts the system call under way and sets its byte", () => {
  using page = pageWithAlarm(77);
  let result = 0n;
  // The time may be over before the call begins, and then nothing interrupts it.
  for (let time = 10; result === 0n && time < 5000; time *= 2) {
    const start = performance.now();
    page.alarm.arm(time);
    result = sleep(4 * time);
    assertGreaterOrEqual(performance.now() - start, time - 0.1);
    assertEquals(page.byte(), 1);
  }
  assertEquals(result, EINTR);
});

Deno.test("a read that an alarm finds blocked goes on", () => {
  using page = pageWithAlarm();
  page.alarm.arm(20);
  assertEquals([read(100), page.byte()], [8n, 1]);
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
    assert(spinUntil(() => page.byte() === 1, 5000));
    page.clear();
    assert(!spinUntil(() => page.byte() === 1, 10));
  }
  assertEquals(sleep(20), 0n);
});

Deno.test("an alarm that is set anew forgets the earlier time", () => {
  using page = pageWithAlarm();
  const time = withAmpleTime((milliseconds) => {
    page.clear();
    page.alarm.arm(milliseconds);
    page.alarm.arm(60_000);
  });
  assert(!spinUntil(() => page.byte() === 1, 4 * time));
  page.alarm.arm(60_000);
  page.alarm.arm(1);
  assert(spinUntil(() => page.byte() === 1, 5000));
});

Deno.test("an alarm that is stopped, or closed before its time, never rings", () => {
  const mapping = Mapping.anonymous(4096, "page");
  const bytes = new Uint8Array(mapping.buffer);
  const stopped = new Alarm(mapping, 0);
  const time = withAmpleTime((milliseconds) => {
    bytes.fill(0);
    stopped.arm(milliseconds);
    stopped.disarm();
    const closed = new Alarm(mapping, 1);
    closed.arm(milliseconds);
    closed.close();
    closed.close();
  });
  assert(!spinUntil(() => bytes.includes(1), 4 * time));
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
    const worker = (body) => {
      const text = \`
        import { Alarm, Mapping } from ${specifier("ffi/mod.ts").replaceAll('"', "'")};
        import { shim } from ${specifier("ffi/shim.ts").replaceAll('"', "'")};
        const sleep = (nanoseconds) =>
          shim().syscallBuffer(35, new Uint8Array(new BigInt64Array([0n, nanoseconds]).buffer), 0n, 0n);
        onmessage = ({ data: [rings, done] }) => { \${body} };\`;
      return new Worker("data:application/typescript," + encodeURIComponent(text), { type: "module" });
    };
    const ringing = worker(\`
      const alarm = new Alarm(Mapping.anonymous(4096, "page"), 0);
      while (Atomics.load(done, 0) === 0 || rings[0] === 0) {
        alarm.arm(2);
        if (sleep(20_000_000n) !== -4n) continue;
        Atomics.add(rings, 0, 1);
        Atomics.notify(rings, 0);
      }
      postMessage("interrupted");\`);
    const sleeping = worker(\`
      Atomics.wait(rings, 0, 0);
      const result = sleep(300_000_000n);
      Atomics.store(done, 0, 1);
      postMessage(Number(result));\`);
    const shared = [1, 2].map(() => new Int32Array(new SharedArrayBuffer(4)));
    const results = await Promise.all([ringing, sleeping].map((worker) => {
      worker.postMessage(shared);
      return new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    }));
    console.log(JSON.stringify(results));
    Deno.exit();`,
    { args: ["--allow-all"] },
  );
  assertEquals(output.trim(), '["interrupted",0]');
});
