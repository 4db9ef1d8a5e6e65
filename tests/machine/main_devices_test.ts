import { assertEquals, assertThrows } from "@std/assert";
import { KvmError, sizeOf } from "../../ffi/mod.ts";
import { kvmRun } from "../../ffi/uapi/mod.ts";
import type { Device } from "../../src/devices/mod.ts";
import { IoExit, type MmioExit, RunPage } from "../../src/kvm/exits/mod.ts";
import { Bus } from "../../src/machine/bus.ts";
import { MainDevices } from "../../src/machine/main_devices.ts";
import { SharedState } from "../../src/machine/shared/mod.ts";
import type { GuestMemory } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";

/** Without a board and without memory. */
function make(): MainDevices {
  const board = { ports: new Bus("ports", 0x1_0000), afterAccess() {} };
  const memory = { slots: [] } as unknown as GuestMemory;
  return new MainDevices(new SharedState(1), board, memory, (error) => {
    throw error;
  });
}

/** A device that notes what it is asked, and reads as bytes of its number. */
function noting(number: number, log: string[]): Device {
  return {
    read: (offset, size) => {
      log.push(`${number}: read ${offset}, ${size}`);
      return 0x11111111 * number;
    },
    write: (offset, size, value) =>
      void log.push(`${number}: write ${offset}, ${size}, ${value.toString(16)}`),
  };
}

/** What an exit's bytes are afterwards. */
function mmio(devices: MainDevices, physAddr: number, data: Uint8Array, isWrite = false): number[] {
  const exit = { reason: "mmio", physAddr, len: data.length, data, isWrite };
  devices.handle(exit as unknown as MmioExit);
  return [...data];
}

function io(devices: MainDevices, port: number, size: number, data: Uint8Array, out: boolean) {
  const direction = out ? "out" : "in";
  const exit = { reason: "io", port, size, count: data.length / size, data, direction };
  devices.handle(exit as unknown as IoExit);
  return [...data];
}

Deno.test("of an access that reaches beyond a device, it gets its part, and nobody the rest", () => {
  const log: string[] = [];
  const devices = make();
  devices.mapMmio(0xd100_0ff8, 8, noting(1, log));
  devices.mapMmio(0xd100_1002, 2, noting(2, log));
  const read = mmio(devices, 0xd100_0ffd, new Uint8Array(8));
  assertEquals(read, [0x11, 0x11, 0x11, 0xff, 0xff, 0x22, 0x22, 0xff]);
  assertEquals(log.splice(0), ["1: read 5, 2", "1: read 7, 1", "2: read 0, 2"]);
  mmio(devices, 0xd100_0ffe, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), true);
  assertEquals(log.splice(0), ["1: write 6, 2, 201", "2: write 0, 2, 605"]);
  assertEquals(mmio(devices, 0xd100_0ff8, new Uint8Array(8)), new Array(8).fill(0x11));
  assertEquals(log.splice(0), ["1: read 0, 4", "1: read 4, 4"]);
  assertEquals(mmio(devices, 0xd100_2000, new Uint8Array(2)), [0xff, 0xff]);
});

Deno.test("so it is at ports, for every element of a string instruction", () => {
  const log: string[] = [];
  const devices = make();
  devices.mapPorts(0x50, 2, noting(1, log));
  devices.mapPorts(0xffff, 1, noting(2, log));
  const read = io(devices, 0x51, 4, new Uint8Array(8), false);
  assertEquals(read, [0x11, 0xff, 0xff, 0xff, 0x11, 0xff, 0xff, 0xff]);
  assertEquals(log.splice(0), ["1: read 1, 1", "1: read 1, 1"]);
  io(devices, 0xffff, 2, Uint8Array.of(1, 2), true);
  assertEquals(log.splice(0), ["2: write 0, 1, 1"]);
});

Deno.test("what a device can't have read is refused by its kind", () => {
  const devices = make();
  const port = new IoExit(new RunPage(new ArrayBuffer(sizeOf(kvmRun))));
  const kinds = [Symbol("x"), Object.create(null), Promise.resolve(1), 1n, undefined];
  for (const value of [...kinds, NaN, 0.5, Infinity, -Infinity, 2 ** 53]) {
    assertThrows(
      () => port.value = value as number,
      KvmError,
      "a whole number, and no promise of one",
    );
    using _ = devices.mapMmio(0xd100_0000, 4, { read: () => value as number, write() {} });
    const call = () => mmio(devices, 0xd100_0000, new Uint8Array(4));
    assertThrows(call, KvmError, "a whole number, and no promise of one");
  }
});

Deno.test("of a whole number that is wider than the access, or negative, the low bits are read", () => {
  const devices = make();
  const data = new Uint8Array(2);
  const cases: [number, number[]][] = [[-2, [0xfe, 0xff]], [0x7_0123_4567, [0x67, 0x45]]];
  for (const [value, bytes] of cases) {
    using _ = devices.mapMmio(0xd100_0000, 4, { read: () => value, write() {} });
    assertEquals(mmio(devices, 0xd100_0000, data), bytes);
  }
});

Deno.test("places for a device that can't be are refused, whatever their type", () => {
  const devices = make();
  const device = noting(1, []);
  for (
    const wrong of [undefined, null, -1, NaN, 1.5, "1", 5n, {}, Symbol("x"), 2 ** 53, [], true]
  ) {
    const place = wrong as number;
    for (const map of [devices.mapPorts, devices.mapMmio]) {
      assertCode("EINVAL", () => map.call(devices, place, 1, device), "start");
      assertCode("EINVAL", () => map.call(devices, 0x50, place, device), "length");
    }
    const none = wrong as unknown as Device;
    assertCode("EINVAL", () => devices.mapPorts(0x50, 1, none), "device");
  }
});
