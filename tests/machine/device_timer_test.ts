import { RTC, Rtc, RTC_B } from "../../src/devices/mod.ts";
import { DeviceTimer } from "../../src/machine/device_timer.ts";
import { SharedState } from "../../src/machine/shared/mod.ts";
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
