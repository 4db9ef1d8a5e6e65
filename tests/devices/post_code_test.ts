import { assertEquals } from "@std/assert";
import { PostCode, postCodeState } from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

stands<PostCode>({
  name: "port 0x80",
  make: ({ output }, state) => new PostCode({ output }, state),
  offsets: [0],
  table: postCodeState,
});

Deno.test("port 0x80 keeps the last code, and each one goes out", () => {
  const wires = new Wires();
  const port = new PostCode({ output: wires.output });
  for (const code of [0x01, 0x55, 0xaa]) port.write(0, 1, code);
  assertEquals([port.state.code, port.read(0, 1)], [0xaa, 0xaa]);
  assertEquals(wires.log, ["put 1", "put 85", "put 170"]);
});

Deno.test("connected to nothing it keeps the code all the same", () => {
  const port = new PostCode();
  port.write(0, 2, 0x1234);
  assertEquals([port.read(0, 1), port.read(0, 2)], [0x34, 0xff34]);
});
