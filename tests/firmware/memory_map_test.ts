import { assert, assertEquals } from "@std/assert";
import {
  ACPI_TABLES,
  ACPI_TABLES_SIZE,
  BOOT_GDT,
  BOOT_PAGE_TABLES,
  BOOT_TIMER,
  COMMAND_LINE,
  COMMAND_LINE_SIZE,
  E820Type,
  EBDA,
  HIGH_MEMORY,
  HIGH_RAM,
  IO_APIC,
  LEGACY_HOLE,
  LOCAL_APIC,
  memoryMap,
  MMIO_HOLE,
  MP_TABLE,
  MP_TABLE_SIZE,
  ZERO_PAGE,
} from "../../src/firmware/mod.ts";
import { assertCode } from "../support/codes.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const { USABLE, RESERVED } = E820Type;

Deno.test("a small machine has one slot, and a kernel is told of four ranges but not of the hole", () => {
  const { ramBytes, slots, e820 } = memoryMap(128 * MIB);
  assertEquals(ramBytes, 128 * MIB);
  assertEquals(slots, [{ guestPhysAddr: 0, size: 128 * MIB }]);
  assertEquals(e820, [
    { start: 0, size: 0x9_fc00, type: USABLE },
    { start: 0x9_fc00, size: 0x400, type: RESERVED },
    { start: 0xe_0000, size: 0x2_0000, type: RESERVED },
    { start: 0x10_0000, size: 127 * MIB, type: USABLE },
  ]);
});

Deno.test("memory up to 3 GiB lies below the hole, and what is more goes on at 4 GiB", () => {
  assertEquals(memoryMap(3 * GIB).slots, [{ guestPhysAddr: 0, size: 3 * GIB }]);
  const { slots, e820 } = memoryMap(3 * GIB + 4096);
  assertEquals(slots, [
    { guestPhysAddr: 0, size: 3 * GIB },
    { guestPhysAddr: 4 * GIB, size: 4096 },
  ]);
  assertEquals(e820.at(-2), { start: MIB, size: 3 * GIB - MIB, type: USABLE });
  assertEquals(e820.at(-1), { start: 4 * GIB, size: 4096, type: USABLE });
});

Deno.test("whatever is usable is in a slot, and the ranges ascend without an overlap", () => {
  for (const size of [MIB + 4096, 64 * MIB, 3 * GIB - 4096, 3 * GIB, 5 * GIB, 2 ** 40]) {
    const { slots, e820 } = memoryMap(size);
    assertEquals(slots.reduce((sum, slot) => sum + slot.size, 0), size);
    let end = 0;
    for (const entry of e820) {
      assert(entry.start >= end && entry.size > 0, `${size}: ${JSON.stringify(entry)}`);
      end = entry.start + entry.size;
      const home = slots.find(({ guestPhysAddr, size }) =>
        entry.start >= guestPhysAddr && end <= guestPhysAddr + size
      );
      assert(home !== undefined, `${size}: ${JSON.stringify(entry)}`);
    }
  }
});

Deno.test("memory that is none is refused", () => {
  for (const size of [0, -4096, MIB, 2 * MIB + 1, 4096.5, NaN, Infinity, 2 ** 53, 2 ** 52]) {
    assertCode("EINVAL", () => memoryMap(size), `${size} bytes`);
  }
});

Deno.test("the layout's places ascend, and none reaches into the next", () => {
  const places: readonly (readonly [start: number, size: number])[] = [
    [BOOT_GDT, 0x100],
    [ZERO_PAGE, 0x1000],
    [BOOT_PAGE_TABLES, COMMAND_LINE - BOOT_PAGE_TABLES],
    [COMMAND_LINE, COMMAND_LINE_SIZE],
    [EBDA, 0x400],
    [LEGACY_HOLE, ACPI_TABLES - LEGACY_HOLE],
    [ACPI_TABLES, ACPI_TABLES_SIZE],
    [MP_TABLE, MP_TABLE_SIZE],
    [HIGH_MEMORY, MMIO_HOLE - HIGH_MEMORY],
    [BOOT_TIMER, 0x1000],
    [IO_APIC, 0x1000],
    [LOCAL_APIC, 0x1000],
    [HIGH_RAM, 1],
  ];
  places.reduce((end, [start, size]) => {
    assert(start >= end, `0x${start.toString(16)} is below 0x${end.toString(16)}`);
    return start + size;
  }, 0x500);
  assertEquals(MP_TABLE + MP_TABLE_SIZE, HIGH_MEMORY);
});
