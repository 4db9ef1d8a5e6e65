import { assertEquals } from "@std/assert";
import { Port92, port92State, PORT_92 } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

function make(wires: Wires, state?: Port92["state"]): Port92 {
  const reset = () => wires.note("reset");
  return new Port92({ reset, a20: (enabled) => wires.note("a20", enabled) }, state);
}

stands<Port92>({ name: "port 0x92", make, offsets: [0], table: port92State });

Deno.test("port 0x92 switches A20, which is on after power-on", () => {
  const wires = new Wires();
  const port = make(wires);
  assertEquals(port.read(0, 1), PORT_92.A20);
  for (const value of [PORT_92.A20, 0, 0, PORT_92.A20]) port.write(0, 1, value);
  assertEquals(wires.log, ["a20 false", "a20 true"]);
});

Deno.test("port 0x92 resets when its bit goes from 0 to 1", () => {
  const wires = new Wires();
  const port = make(wires);
  const both = PORT_92.A20 | PORT_92.RESET;
  for (const value of [both, both, PORT_92.A20, both]) port.write(0, 1, value);
  assertEquals(wires.log, ["reset", "reset"]);
  assertEquals(port.read(0, 1), both);
});
