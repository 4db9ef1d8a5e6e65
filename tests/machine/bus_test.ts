import { assertEquals, assertThrows } from "@std/assert";
import { KvmError } from "../../mod.ts";
import type { Device } from "../../src/devices/mod.ts";
import { Bus } from "../../src/machine/bus.ts";

const device = (): Device => ({ read: () => 0, write() {} });

Deno.test("a bus finds the device that has an address, and none in the gaps", () => {
  const bus = new Bus("ports", 0x1_0000);
  const [low, high, middle] = [device(), device(), device()];
  bus.map(0x60, 1, low);
  bus.map(0xfff8, 8, high);
  bus.map(0x3f8, 8, middle);
  const at = (address: number) => bus.find(address)?.device;
  assertEquals([0x5f, 0x61, 0x3f7, 0x400, 0xfff7].map(at), new Array(5).fill(undefined));
  assertEquals(at(0x60), low);
  assertEquals([0x3f8, 0x3fb, 0x3ff].map(at), [middle, middle, middle]);
  assertEquals([0xfff8, 0xffff].map(at), [high, high]);
});

Deno.test("a device that was taken off a bus is not found any more", () => {
  const bus = new Bus("ports", 0x1_0000);
  const region = bus.map(0x60, 4, device());
  assertEquals(bus.find(0x62), region);
  assertEquals(bus.unmap(region), true);
  assertEquals(bus.find(0x62), undefined);
  assertEquals(bus.unmap(region), false);
});

Deno.test("two devices can't have one address", () => {
  const bus = new Bus("ports", 0x1_0000);
  bus.map(0x3f8, 8, device());
  for (const [start, length] of [[0x3f8, 1], [0x3ff, 2], [0x3f0, 9], [0x300, 0x200]] as const) {
    assertThrows(() => bus.map(start, length, device()), KvmError, "0x3f8 to 0x3ff");
  }
  assertEquals(bus.regions.length, 1);
  bus.map(0x3f0, 8, device());
  bus.map(0x400, 1, device());
});

Deno.test("a device's reset is a method, or there is none", () => {
  const bus = new Bus("ports", 0x1_0000);
  for (const reset of [5, null, {}, "reset"]) {
    const wrong = { ...device(), reset } as unknown as Device;
    assertThrows(() => bus.map(0x60, 1, wrong), KvmError, "reset is a method");
  }
  bus.map(0x60, 1, { ...device(), reset: undefined } as unknown as Device);
});

Deno.test("registers that reach beyond a device's addresses end where another device is", () => {
  const bus = new Bus("ports", 0x1_0000);
  const region = bus.map(0xf4, 1, device(), { reach: 0xf8 });
  assertEquals(bus.find(0xf5), undefined);
  assertEquals(bus.partEnd(region), 0xf8);
  const last = bus.map(0xf7, 4, device());
  assertEquals([bus.partEnd(region), bus.partEnd(last)], [0xf7, 0xfb]);
  const next = bus.map(0xf5, 1, device());
  assertEquals([bus.partEnd(region), bus.partEnd(next)], [0xf5, 0xf6]);
});

Deno.test("what is no range of a bus's addresses, and what is no device, is refused", () => {
  const bus = new Bus("ports", 0x1_0000);
  const ranges = [[-1, 2], [0xffff, 2], [0, 0], [0.5, 1], [0, NaN], [0, Infinity]] as const;
  for (const [start, length] of ranges) {
    assertThrows(() => bus.map(start, length, device()), KvmError, "below 0x10000");
  }
  for (const nothing of [undefined, {}, { read() {} }]) {
    assertThrows(() => bus.map(0, 1, nothing as unknown as Device), KvmError, "read(offset, size)");
  }
});
