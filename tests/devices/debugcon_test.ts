import { assertEquals } from "@std/assert";
import { Debugcon, DEBUGCON_PRESENT } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

stands<Debugcon>({
  name: "the debug console",
  make: ({ output }) => new Debugcon({ output }),
  offsets: [0],
});

Deno.test("the debug console hands bytes on, and says that it is there", () => {
  const wires = new Wires();
  const port = new Debugcon({ output: wires.output });
  for (const char of "firmware\n") port.write(0, 1, char.charCodeAt(0));
  assertEquals(wires.text, "firmware\n");
  assertEquals(port.read(0, 1), DEBUGCON_PRESENT);
  assertEquals([port.read(0, 2), port.read(0, 4)], [0xffe9, 0xffff_ffe9]);
});

Deno.test("of a wider write the lowest byte is for this port", () => {
  const wires = new Wires();
  new Debugcon({ output: wires.output }).write(0, 4, 0x4443_4241);
  assertEquals(wires.text, "A");
});
