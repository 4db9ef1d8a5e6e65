import { assert, assertEquals } from "@std/assert";
import { RTC, Rtc, RTC_A, RTC_B, RTC_C, RTC_D, rtcState } from "../../src/devices/mod.ts";
import { assertCode } from "../support/codes.ts";
import { stands, Wires } from "./support.ts";

function make({ interrupt, clock }: Wires, state?: Rtc["state"]): Rtc {
  return new Rtc({ interrupt, clock }, state);
}

interface Clock {
  wires: Wires;
  rtc: Rtc;
  get(index: number): number;
  set(index: number, value: number): void;
  /** The host's clock goes on; what is due by then is done. */
  pass(milliseconds: number): void;
  /** Year to second. */
  time(): number[];
}

const TIME = [
  ...[RTC.CENTURY, RTC.YEAR, RTC.MONTH, RTC.DAY_OF_MONTH, RTC.HOURS, RTC.MINUTES, RTC.SECONDS],
];

function clock(now?: number): Clock {
  const wires = new Wires();
  if (now !== undefined) wires.now = now;
  const rtc = make(wires);
  const get = (index: number) => {
    rtc.write(0, 1, index);
    return rtc.read(1, 1);
  };
  return {
    wires,
    rtc,
    get,
    set(index, value) {
      rtc.write(0, 1, index);
      rtc.write(1, 1, value);
    },
    pass(milliseconds) {
      const end = wires.now + milliseconds;
      for (let turns = 0; rtc.deadline <= end; turns++) {
        assert(turns < 10_000 && rtc.deadline >= wires.now, "a deadline that does not move");
        wires.now = rtc.deadline;
        rtc.elapse();
      }
      wires.now = end;
      rtc.elapse();
    },
    time: () => TIME.map(get),
  };
}

stands<Rtc>({
  name: "a clock",
  make,
  offsets: [0, 1],
  table: rtcState,
  values: [0x00, 0x04, 0x05, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x26, 0x72, 0x06, 0x82, 0x32, 0xff],
  actions: [
    (rtc, random, wires) => {
      wires.now += random % 100_000;
      rtc.elapse();
    },
    (_, random, wires) => wires.now -= random % 2000,
    (rtc) => rtc.deadline,
  ],
  check({ state, deadline }, { level }) {
    assertEquals(state.interrupt === 1, level);
    const wanted = state.cmos[RTC.B]! & (RTC_C.UF | RTC_C.AF | RTC_C.PF);
    assertEquals(level, (wanted & state.cmos[RTC.C]!) !== 0);
    assert(deadline === Infinity || Number.isSafeInteger(deadline), String(deadline));
    if (wanted === 0) assertEquals(deadline, Infinity);
    assertEquals(state.cmos[RTC.D], RTC_D.VRT);
  },
  // The battery: time and memory stay.
  forget(state) {
    const { cmos } = state;
    cmos.fill(0, 0, RTC.A);
    cmos.fill(0, RTC.D + 1);
    state.offset = state.offsetDays = 0;
  },
});

Deno.test("the time is the host's, BCD and in 24 hours, with the century", () => {
  const { wires, get, time } = clock(Date.UTC(2024, 1, 29, 23, 59, 58, 500));
  assertEquals(time(), [0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58]);
  assertEquals(get(RTC.DAY_OF_WEEK), 5, "a Thursday; Sunday is 1");
  wires.now += 1500;
  assertEquals(time(), [0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]);
  assertEquals(get(RTC.DAY_OF_WEEK), 6);
});

Deno.test("register B makes it binary, and hours twice twelve", () => {
  const { wires, get, set, time } = clock(Date.UTC(1999, 11, 31, 23, 59, 59));
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.BINARY);
  assertEquals(time(), [19, 99, 12, 31, 23, 59, 59]);
  const hours: number[] = [];
  set(RTC.B, 0);
  for (const hour of [0, 1, 11, 12, 13, 23]) {
    wires.now = Date.UTC(2000, 0, 1, hour);
    hours.push(get(RTC.HOURS));
  }
  assertEquals(hours, [0x12, 0x01, 0x11, 0x92, 0x81, 0x91]);
  set(RTC.B, RTC_B.BINARY);
  assertEquals(get(RTC.HOURS), 0x80 | 11);
});

Deno.test("after power-on register A has the usual divider and rate, D a good battery", () => {
  const { rtc, get } = clock(Date.UTC(2024, 0, 1, 0, 0, 42));
  assertEquals([rtc.state.nmiMasked, rtc.read(1, 1)], [0, 0x42], "the seconds are selected");
  assertEquals([get(RTC.A), get(RTC.B), get(RTC.C), get(RTC.D)], [0x26, 0x02, 0, 0x80]);
});

Deno.test("UIP is up in the last two milliseconds of a second, and the time changes after it", () => {
  const { wires, get, set } = clock(Date.UTC(2024, 0, 1));
  const up: number[] = [];
  for (let at = 0; at < 1000; at++, wires.now++) {
    if ((get(RTC.A) & RTC_A.UIP) !== 0) up.push(at);
    assertEquals(get(RTC.SECONDS), 0);
  }
  assertEquals([up, get(RTC.A) & RTC_A.UIP, get(RTC.SECONDS)], [[998, 999], 0, 1]);
  wires.now += 999;
  assertEquals(get(RTC.A) & RTC_A.UIP, RTC_A.UIP);
  set(RTC.B, RTC_B.SET);
  assertEquals(get(RTC.A) & RTC_A.UIP, 0, "not while the time stands still");
  set(RTC.A, 0xff);
  assertEquals(get(RTC.A), 0x7f, "it can't be written");
});

Deno.test("while SET is up the time stands still; what was set goes on afterwards", () => {
  const { wires, get, set, time } = clock(Date.UTC(2024, 5, 1, 12, 0, 0, 250));
  set(RTC.B, RTC_B.SET | RTC_B.HOURS_24);
  wires.now += 10_000;
  assertEquals(time(), [0x20, 0x24, 0x06, 0x01, 0x12, 0x00, 0x00]);
  const wanted = [0x19, 0x70, 0x01, 0x01, 0x00, 0x00, 0x07];
  TIME.forEach((index, at) => set(index, wanted[at]!));
  set(RTC.B, RTC_B.HOURS_24);
  assertEquals(time(), wanted);
  wires.now += 749;
  assertEquals(get(RTC.SECONDS), 0x07, "the second goes on from where it was");
  wires.now += 1;
  assertEquals(get(RTC.SECONDS), 0x08);
});

Deno.test("a divider that was held begins half a second before the next update", () => {
  // As Linux sets the time: SET, hold the divider, registers, both back.
  const { wires, get, set, time } = clock(Date.UTC(2024, 5, 1, 12, 0, 0, 900));
  set(RTC.B, RTC_B.SET | RTC_B.HOURS_24);
  set(RTC.A, 0x76);
  const wanted = [0x20, 0x37, 0x12, 0x31, 0x23, 0x59, 0x59];
  TIME.forEach((index, at) => set(index, wanted[at]!));
  set(RTC.B, RTC_B.HOURS_24);
  wires.now += 60_000;
  assertEquals(time(), wanted, "held");
  set(RTC.A, 0x26);
  wires.now += 499;
  assertEquals(time(), wanted);
  wires.now += 1;
  assertEquals(time(), [0x20, 0x38, 0x01, 0x01, 0x00, 0x00, 0x00]);
  assertEquals(get(RTC.DAY_OF_WEEK), 6);
});

Deno.test("a register that is written without SET counts at once", () => {
  const { set, time } = clock(Date.UTC(2024, 5, 15, 12, 34, 56));
  set(RTC.HOURS, 0x03);
  assertEquals(time(), [0x20, 0x24, 0x06, 0x15, 0x03, 0x34, 0x56]);
});

Deno.test("the time can be what a date can't, and is then a later one", () => {
  const { set, time } = clock(Date.UTC(2024, 5, 15, 12));
  set(RTC.B, RTC_B.SET | RTC_B.HOURS_24);
  set(RTC.MONTH, 0x02);
  set(RTC.DAY_OF_MONTH, 0x31);
  set(RTC.B, RTC_B.HOURS_24);
  assertEquals(time().slice(2, 4), [0x03, 0x02]);
  for (const index of TIME) {
    for (const value of [0x00, 0xff, 0x9f]) {
      set(index, value);
      assert(time().every((byte) => byte <= 0x99));
    }
  }
});

Deno.test("an update that ends sets UF, and interrupts with UIE until C was read", () => {
  const { wires, rtc, get, set, pass } = clock(Date.UTC(2024, 0, 1, 0, 0, 0, 300));
  assertEquals(get(RTC.C), 0);
  assertEquals(rtc.deadline, Infinity);
  pass(700);
  assertEquals([get(RTC.C), get(RTC.C)], [RTC_C.UF | RTC_C.PF, 0], "who polls sees it, too");
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.UIE);
  assertEquals(rtc.deadline, Date.UTC(2024, 0, 1, 0, 0, 2));
  pass(999);
  assertEquals(wires.level, false);
  pass(1);
  assertEquals([wires.level, rtc.deadline], [true, Infinity]);
  pass(5000);
  assertEquals(wires.rises, 1, "not again before C was read");
  assertEquals(get(RTC.C), RTC_C.IRQF | RTC_C.UF | RTC_C.PF);
  assertEquals(wires.level, false);
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.UIE | RTC_B.SET);
  assertEquals(get(RTC.B) & RTC_B.UIE, 0, "SET clears it");
});

Deno.test("the alarm comes at its time, and with don't-care bytes again and again", () => {
  const { wires, rtc, get, set, pass } = clock(Date.UTC(2024, 1, 28, 23, 59, 30));
  const alarm = (hours: number, minutes: number, seconds: number) => {
    set(RTC.HOURS_ALARM, hours);
    set(RTC.MINUTES_ALARM, minutes);
    set(RTC.SECONDS_ALARM, seconds);
    get(RTC.C);
  };
  alarm(0x06, 0x30, 0x15);
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.AIE);
  assertEquals(rtc.deadline, Date.UTC(2024, 1, 29, 6, 30, 15));
  pass(6.6 * 3_600_000);
  assertEquals([wires.rises, get(RTC.C) & (RTC_C.AF | RTC_C.IRQF)], [1, RTC_C.AF | RTC_C.IRQF]);
  assertEquals(rtc.deadline, Date.UTC(2024, 2, 1, 6, 30, 15), "the next day");
  alarm(0xff, 0xc0, 0x00);
  const now = wires.now;
  assertEquals(rtc.deadline, Math.floor(now / 60_000 + 1) * 60_000, "each full minute");
  alarm(0xff, 0xff, 0xff);
  assertEquals(rtc.deadline, Math.floor(now / 1000 + 1) * 1000, "each second");
  alarm(0x24, 0x00, 0x00);
  assertEquals(rtc.deadline, Infinity, "never");
});

Deno.test("an alarm follows the guest's time, not the host's", () => {
  const { wires, rtc, get, set, pass } = clock(Date.UTC(2024, 0, 1, 12, 0, 0));
  set(RTC.HOURS, 0x20);
  set(RTC.HOURS_ALARM, 0x21);
  set(RTC.MINUTES_ALARM, 0);
  set(RTC.SECONDS_ALARM, 0);
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.AIE);
  assertEquals(rtc.deadline, Date.UTC(2024, 0, 1, 13, 0, 0));
  pass(3_599_999);
  assertEquals([wires.level, get(RTC.C) & RTC_C.AF], [false, 0]);
  pass(1);
  assertEquals([wires.level, get(RTC.C) & RTC_C.AF], [true, RTC_C.AF]);
  assertEquals(get(RTC.HOURS), 0x21);
});

Deno.test("the periodic interrupt comes at its rate, and a thousand times a second at most", () => {
  const rates = [[15, 2], [14, 4], [10, 64], [6, 1000], [3, 1000], [1, 256], [2, 128]] as const;
  for (const [rate, count] of rates) {
    const { wires, get, set, pass } = clock(Date.UTC(2024, 0, 1, 0, 0, 0));
    set(RTC.A, 0x20 | rate);
    set(RTC.B, RTC_B.HOURS_24 | RTC_B.PIE);
    for (let at = 0; at < 1000; at++) {
      pass(1);
      if (wires.level) assertEquals(get(RTC.C) & RTC_C.PF, RTC_C.PF);
    }
    assertEquals(wires.rises, count, `rate ${rate}`);
  }
  const { rtc, set } = clock();
  set(RTC.A, 0x20);
  set(RTC.B, RTC_B.PIE);
  assertEquals(rtc.deadline, Infinity, "rate 0 is none");
});

Deno.test("enabling an interrupt whose flag is up raises it at once", () => {
  const { wires, set, pass } = clock();
  pass(1000);
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.UIE);
  assertEquals(wires.level, true);
  set(RTC.B, RTC_B.HOURS_24);
  assertEquals(wires.level, false);
});

Deno.test("a host's clock that goes back does no harm", () => {
  const { wires, get, set, pass } = clock(Date.UTC(2024, 0, 1));
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.UIE);
  wires.now -= 3_600_000;
  assertEquals([get(RTC.HOURS), get(RTC.C)], [0x23, 0]);
  pass(1000);
  assertEquals(wires.level, true);
});

Deno.test("the memory keeps bytes, and its size is where firmwares look for it", () => {
  const { rtc, get, set } = clock();
  set(0x40, 0xa5);
  assertEquals(get(0x40), 0xa5);
  const word = (index: number) => get(index) | get(index + 1) << 8;
  rtc.setMemorySize({ below4G: 3 * 2 ** 30, above4G: 5 * 2 ** 30 });
  assertEquals([word(0x15), word(0x17), word(0x30)], [640, 0xffff, 0xffff]);
  assertEquals(word(0x34), (3 * 2 ** 30 - 2 ** 24) / 2 ** 16);
  assertEquals(word(0x5b) | get(0x5d) << 16, 5 * 2 ** 14);
  rtc.setMemorySize({ below4G: 4 << 20 });
  assertEquals([word(0x15), word(0x17), word(0x30), word(0x34)], [640, 3072, 3072, 0]);
  rtc.reset();
  assertEquals([get(0x40), word(0x30)], [0xa5, 3072], "it has a battery");
  for (const below4G of [-1, 0.5, NaN]) {
    assertCode("EINVAL", () => rtc.setMemorySize({ below4G }));
    assertCode("EINVAL", () => rtc.setMemorySize({ below4G: 0, above4G: below4G }));
  }
  for (const wrong of [undefined, null, {}, { below4G: 1n }, { below4G: 0, above: 0 }] as never[]) {
    assertCode("EINVAL", () => rtc.setMemorySize(wrong));
  }
  assertEquals(word(0x30), 3072);
});

Deno.test("time that the guest has set outlives a reset, and one that came while it was setting", () => {
  const { rtc, get, set } = clock(Date.UTC(2024, 0, 1, 10));
  set(RTC.HOURS, 0x05);
  rtc.reset();
  assertEquals(get(RTC.HOURS), 0x05);
  set(RTC.B, RTC_B.SET | RTC_B.HOURS_24);
  set(RTC.HOURS, 0x06);
  rtc.reset();
  assertEquals([get(RTC.HOURS), get(RTC.B)], [0x06, RTC_B.HOURS_24]);
});

Deno.test("the index port keeps the NMI's mask and can't be read", () => {
  const { rtc } = clock();
  rtc.write(0, 1, 0x80 | RTC.D);
  assertEquals([rtc.read(0, 1), rtc.read(1, 1), rtc.state.nmiMasked], [0xff, RTC_D.VRT, 1]);
  rtc.write(0, 2, RTC.SECONDS | 0x3000);
  assertEquals([rtc.read(1, 1), rtc.state.nmiMasked], [0x30, 0], "a word is index and data");
});

Deno.test("what was due until a register is written came by what it was until then", () => {
  const { wires, get, set } = clock(Date.UTC(2024, 0, 1, 0, 0, 57));
  set(RTC.SECONDS_ALARM, 0x59);
  set(RTC.MINUTES_ALARM, 0xff);
  set(RTC.HOURS_ALARM, 0xff);
  set(RTC.A, 0x2f);
  get(RTC.C);
  wires.now += 2000;
  set(RTC.SECONDS_ALARM, 0x30);
  assertEquals(get(RTC.C), RTC_C.AF | RTC_C.UF | RTC_C.PF);
  wires.now += 600;
  set(RTC.A, 0x20);
  assertEquals(get(RTC.C), RTC_C.PF, "the rate was 2 Hz");
  wires.now += 600;
  set(RTC.B, RTC_B.HOURS_24 | RTC_B.SET);
  assertEquals(get(RTC.C), RTC_C.UF, "the update was before the time stood still");
});
