import { assertEquals } from "@std/assert";
import { RESET_CONTROL, ResetControl, resetControlState } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

function make(wires: Wires, state?: ResetControl["state"]): ResetControl {
  return new ResetControl({ reset: (kind) => wires.note(kind) }, state);
}

stands<ResetControl>({
  name: "the reset control register",
  make,
  offsets: [0],
  table: resetControlState,
});

const { HARD, RESET, FULL } = RESET_CONTROL;

Deno.test("the reset is as hard as the register says", () => {
  const wires = new Wires();
  const register = make(wires);
  for (const value of [0, HARD, FULL, HARD | FULL]) {
    register.write(0, 1, value);
    assertEquals(register.read(0, 1), value);
  }
  assertEquals(wires.log, []);
  for (const value of [RESET, FULL | RESET, HARD | RESET, HARD | FULL | RESET]) {
    register.write(0, 1, value);
    assertEquals(register.read(0, 1), value & ~RESET, "the bit does not stay");
  }
  assertEquals(wires.log, ["soft", "soft", "hard", "full"]);
});

Deno.test("what ACPI's FADT has written there resets at once", () => {
  const wires = new Wires();
  make(wires).write(0, 1, 0x06);
  assertEquals(wires.log, ["hard"]);
});

Deno.test("a doubleword for PCI's configuration address does not reset", () => {
  const wires = new Wires();
  make(wires).write(0, 4, 0x8000_0006);
  assertEquals(wires.log, []);
});
