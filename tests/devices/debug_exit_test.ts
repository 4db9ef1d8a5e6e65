import { assertEquals } from "@std/assert";
import { DebugExit } from "../../src/devices/mod.ts";
import { stands } from "./support.ts";

stands<DebugExit>({
  name: "the debug exit",
  make: (wires) => new DebugExit({ exit: (code) => wires.note("exit", code) }),
  offsets: [0],
});

Deno.test("the status is the value that the guest writes, of any size", () => {
  const codes: number[] = [];
  const port = new DebugExit({ exit: (code) => codes.push(code) });
  port.write(0, 1, 0);
  port.write(0, 1, 0xff);
  port.write(0, 2, 0x1234);
  port.write(0, 4, 0xdead_beef);
  assertEquals(codes, [0, 0xff, 0x1234, 0xdead_beef]);
  assertEquals([1, 2, 4].map((size) => port.read(0, size)), [0xff, 0xffff, 0xffff_ffff]);
});
