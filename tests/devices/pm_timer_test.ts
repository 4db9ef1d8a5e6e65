import { assert, assertEquals, assertLess } from "@std/assert";
import { PM_TIMER_HZ, PmTimer } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

stands<PmTimer>({
  name: "the PM timer",
  make: ({ clock }) => new PmTimer({ clock }),
  offsets: [0, 1, 2, 3],
  actions: [(_, random, wires) => wires.now += random / 1000],
});

Deno.test("the timer counts 3,579,545 in a second and wraps at its width", () => {
  for (const [bits, modulus] of [[24, 2 ** 24], [32, 2 ** 32]] as const) {
    const wires = new Wires();
    const timer = new PmTimer({ clock: wires.clock, bits });
    let last = timer.read(0, 4);
    for (let second = 0; second < 3000; second++) {
      wires.now += 1000;
      const ticks = timer.read(0, 4);
      assert(ticks < modulus);
      const passed = (ticks - last + modulus) % modulus;
      assertLess(Math.abs(passed - PM_TIMER_HZ), 3, `second ${second}`);
      last = ticks;
    }
  }
});

Deno.test("bytes and words of the counter are parts of it, and beyond it is nothing", () => {
  const timer = new PmTimer({ clock: () => 0x8070_6050 / (PM_TIMER_HZ / 1000) + 1e-7 });
  assertEquals(timer.read(0, 4), 0x8070_6050);
  assertEquals([0, 1, 2, 3, 4].map((at) => timer.read(at, 1)), [0x50, 0x60, 0x70, 0x80, 0xff]);
  assertEquals([timer.read(2, 2), timer.read(3, 2)], [0x8070, 0xff80]);
});

Deno.test("writing does nothing", () => {
  const timer = new PmTimer({ clock: () => 1000 });
  timer.write(0, 4, 0x1234_5678);
  assertEquals(timer.read(0, 4), PM_TIMER_HZ);
});

Deno.test("without a clock it goes by the host's, and never back", () => {
  const timer = new PmTimer();
  let last = timer.read(0, 4);
  for (let turn = 0; turn < 1000; turn++) {
    const ticks = timer.read(0, 4);
    assertLess((ticks - last + 2 ** 32) % 2 ** 32, 2 ** 31);
    last = ticks;
  }
});
