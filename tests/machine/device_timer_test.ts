import { assertEquals } from "@std/assert";
import { RTC, Rtc, RTC_B } from "../../src/devices/mod.ts";
import { DeviceTimer } from "../../src/machine/device_timer.ts";
import { SharedState } from "../../src/machine/shared/mod.ts";
import { debugExit, outb } from "../support/instructions.ts";
import { unemulated } from "../support/rounds.ts";
import { script, specifier } from "../support/subprocess.ts";
import { inTime } from "../support/time.ts";

/** A clock that interrupts 64 times in a second, with the timer that has it do so. */
function ticking() {
  let raised = () => {};
  const rtc = new Rtc({ interrupt: { set: (level) => level && raised() } });
  const timer = new DeviceTimer(new SharedState(1), [rtc]);
  rtc.write(0, 2, 0x2a << 8 | RTC.A);
  rtc.write(0, 2, (RTC_B.HOURS_24 | RTC_B.PIE) << 8 | RTC.B);
  return {
    /** Reads the register that takes the interrupt back; resolves with the next one. */
    next(): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      raised = resolve;
      rtc.write(0, 1, RTC.C);
      rtc.read(1, 1);
      timer.set();
      return promise;
    },
    [Symbol.dispose]: () => timer.clear(),
  };
}

Deno.test("a periodic interrupt goes on when the host's clock is set back", async () => {
  using clock = ticking();
  await clock.next();
  const { now } = Date;
  const next = clock.next();
  try {
    // Nothing has looked at the clock since, and nothing but the timer will.
    Date.now = () => now() - 3_600_000;
    await inTime(next);
  } finally {
    Date.now = now;
  }
});

Deno.test(unemulated("an alarm that is yet to come keeps no process from its end"), async () => {
  // In half an hour, whatever the hour is: the two highest bits set.
  const minute = (new Date().getUTCMinutes() + 30) % 60;
  const alarm = [
    [RTC.HOURS_ALARM, 0xc0],
    [RTC.MINUTES_ALARM, Math.floor(minute / 10) << 4 | minute % 10],
    [RTC.SECONDS_ALARM, 0],
    [RTC.B, RTC_B.HOURS_24 | RTC_B.AIE],
  ] as const;
  const code = [
    ...alarm.flatMap(([register, value]) => [...outb(0x70, register), ...outb(0x71, value)]),
    ...debugExit(5),
  ];
  await using child = script(`
    import { Machine } from ${specifier("src/machine/mod.ts")};
    const kernel = Uint8Array.from(${JSON.stringify(code)});
    await using machine = await Machine.boot({ kernel, protocol: "flat64", memory: "2M" });
    console.log((await machine.finished).code);`).spawn();
  const { code: status, stdout, stderr } = await inTime(child.output());
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([status, out], [0, "5\n"], err);
});
