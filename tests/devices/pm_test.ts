import { assertEquals } from "@std/assert";
import {
  PM1_CONTROL,
  PM1_EVENT,
  PmControl,
  pmControlState,
  SLP_TYP_S5,
} from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

const STATUS = 0;
const ENABLE = 2;
const CONTROL = 4;

function make(wires: Wires, state?: PmControl["state"]): PmControl {
  const { interrupt } = wires;
  const powerOff = () => wires.note("off");
  return new PmControl({ interrupt, powerOff, sleep: (type) => wires.note("sleep", type) }, state);
}

stands<PmControl>({
  name: "ACPI's event and control registers",
  make,
  offsets: [0, 1, 2, 3, 4, 5],
  table: pmControlState,
  values: [0, 1, 0x21, 0x23, 0x34, 0xff],
  actions: [(pm) => pm.pressPowerButton()],
  check({ state }, { level }) {
    assertEquals(level, (state.status & state.enable) !== 0);
    assertEquals(state.control & (PM1_CONTROL.SCI_EN | PM1_CONTROL.SLP_EN), 0);
  },
});

Deno.test("the hardware is in ACPI mode, whatever is written", () => {
  const pm = make(new Wires());
  assertEquals(pm.read(CONTROL, 2), PM1_CONTROL.SCI_EN);
  pm.write(CONTROL, 2, 0);
  assertEquals(pm.read(CONTROL, 2), PM1_CONTROL.SCI_EN);
});

Deno.test("the power button raises the SCI where it is enabled, until the status is cleared", () => {
  const wires = new Wires();
  const pm = make(wires);
  pm.pressPowerButton();
  assertEquals([wires.level, pm.read(STATUS, 2)], [false, PM1_EVENT.PWRBTN]);
  pm.write(ENABLE, 2, 0xffff);
  const { TMR, GBL, PWRBTN, SLPBTN, RTC } = PM1_EVENT;
  assertEquals(pm.read(ENABLE, 2), TMR | GBL | PWRBTN | SLPBTN | RTC);
  assertEquals(wires.level, true);
  pm.write(STATUS, 2, 0);
  assertEquals(wires.level, true, "a zero clears nothing");
  pm.write(STATUS, 2, PWRBTN);
  assertEquals([wires.level, pm.read(STATUS, 2)], [false, 0]);
  pm.pressPowerButton();
  assertEquals([wires.level, wires.rises], [true, 2]);
  pm.write(ENABLE, 2, 0);
  assertEquals(wires.level, false);
});

Deno.test("registers can be reached by bytes and together", () => {
  const wires = new Wires();
  const pm = make(wires);
  pm.pressPowerButton();
  pm.write(ENABLE + 1, 1, PM1_EVENT.PWRBTN >> 8);
  assertEquals(wires.level, true);
  assertEquals(pm.read(STATUS, 4), (PM1_EVENT.PWRBTN << 16 | PM1_EVENT.PWRBTN) >>> 0);
  assertEquals([pm.read(STATUS + 1, 1), pm.read(STATUS, 1)], [PM1_EVENT.PWRBTN >> 8, 0]);
  pm.write(STATUS + 1, 1, PM1_EVENT.PWRBTN >> 8);
  assertEquals(wires.level, false);
  assertEquals(pm.read(CONTROL, 4), 0xffff_0000 + PM1_CONTROL.SCI_EN);
});

Deno.test("sleep of S5's type switches off; the type alone does not, and other types sleep", () => {
  const wires = new Wires();
  const pm = make(wires);
  pm.write(CONTROL, 2, SLP_TYP_S5 << 10);
  assertEquals(wires.log, []);
  assertEquals(pm.read(CONTROL, 2), SLP_TYP_S5 << 10 | PM1_CONTROL.SCI_EN);
  pm.write(CONTROL, 2, SLP_TYP_S5 << 10 | PM1_CONTROL.SLP_EN);
  assertEquals(pm.read(CONTROL, 2) & PM1_CONTROL.SLP_EN, 0, "it reads 0");
  pm.write(CONTROL, 2, 1 << 10 | PM1_CONTROL.SLP_EN);
  assertEquals(wires.log, ["off", "sleep 1"]);
});
