import { assert, assertEquals } from "@std/assert";
import { BOOT_TIMER_BOOTED, BootTimer, bootTimerState } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

function make(wires: Wires, state?: BootTimer["state"]): BootTimer {
  const { clock } = wires;
  const report = (milliseconds: number, point: number) => wires.note("at", milliseconds, point);
  return new BootTimer({ clock, report }, state);
}

stands<BootTimer>({
  name: "the boot timer",
  make,
  offsets: [0],
  table: bootTimerState,
  actions: [(_, random, wires) => wires.now += random % 1000],
});

Deno.test("the boot timer reports how long it took, and points of the guest's own", () => {
  const wires = new Wires();
  const timer = make(wires);
  wires.now += 250;
  timer.write(0, 1, 7);
  wires.now += 250;
  timer.write(0, 4, BOOT_TIMER_BOOTED);
  assertEquals(wires.log, ["at 250 7", "at 500 123"]);
});

Deno.test("a reset starts it anew", () => {
  const wires = new Wires();
  const timer = make(wires);
  wires.now += 1000;
  timer.reset();
  wires.now += 5;
  timer.write(0, 1, 1);
  assertEquals(wires.log, ["at 5 1"]);
});

Deno.test("without a clock it goes by the host's", () => {
  const times: number[] = [];
  const timer = new BootTimer({ report: (milliseconds) => times.push(milliseconds) });
  for (let turn = 0; turn < 3; turn++) timer.write(0, 1, BOOT_TIMER_BOOTED);
  assert(times.every((time) => time >= 0 && time < 10_000), times.join());
  assertEquals(times, times.toSorted((a, b) => a - b));
});
