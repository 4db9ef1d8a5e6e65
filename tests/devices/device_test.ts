import { assertEquals } from "@std/assert";
import {
  type Device,
  readBytewise,
  Scancode,
  unconnected,
  writeBytewise,
} from "../../src/devices/mod.ts";

/** Four bytes of memory, and beyond them what is not a byte. */
function bytes(): Device & { log: [number, number][] } {
  const log: [number, number][] = [];
  return {
    log,
    read: (offset) => offset < 4 ? 0xa0 + offset : -1,
    write: (offset, _size, value) => {
      log.push([offset, value]);
    },
  };
}

Deno.test("a wider read is made of bytes in their order, and is never negative", () => {
  assertEquals(readBytewise(bytes(), 0, 4), 0xa3a2_a1a0);
  assertEquals(readBytewise(bytes(), 1, 2), 0xa2a1);
  assertEquals(readBytewise(bytes(), 3, 4), 0xffff_ffa3);
});

Deno.test("a wider write is as many bytes", () => {
  const device = bytes();
  writeBytewise(device, 2, 4, 0x8765_4321);
  assertEquals(device.log, [[2, 0x21], [3, 0x43], [4, 0x65], [5, 0x87]]);
});

Deno.test("a size that no bus has ends at four bytes", () => {
  const device = bytes();
  writeBytewise(device, 0, 1e9, 1);
  assertEquals(device.log.length, 4);
  assertEquals(readBytewise(device, 0, 1e9), 0xa3a2_a1a0);
});

Deno.test("a line that leads nowhere takes levels", () => {
  assertEquals([unconnected.set(true), unconnected.set(false)], [undefined, undefined]);
});

Deno.test("no two keys have the same scan code", () => {
  const codes = Object.values(Scancode);
  assertEquals(new Set<number>(codes).size, codes.length);
});
