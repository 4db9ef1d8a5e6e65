import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ACPI_TABLES,
  ACPI_TABLES_SIZE,
  acpiTables,
  type FirmwareDescription,
  mpTable,
  writeAcpiTables,
} from "../../src/firmware/mod.ts";
import { assertCode } from "../support/codes.ts";
import { emptyVm } from "../support/memory.ts";
import { findTables, type FoundTable, madtEntries } from "./acpi_parser.ts";
import { least, machine, textOf } from "./description.ts";

/** Writes a machine's tables into a VM's memory and finds them there. */
function written(description: FirmwareDescription): Map<string, FoundTable> {
  using vm = emptyVm();
  const { memory } = vm;
  vm.addMemory({ guestPhysAddr: 0, size: 0x10_0000 });
  writeAcpiTables(memory, description);
  return findTables((address, length) => memory.readBytes(address, length));
}

Deno.test("a kernel that looks for the RSDP in memory finds every table from there", () => {
  for (const cpus of [1, 2, 4, 64, 254, 300]) {
    const tables = written(machine(cpus));
    const names = ["APIC", "DSDT", "FACP", "FACS", "RSD PTR ", "RSDT", "XSDT"];
    assertEquals([...tables.keys()].sort(), names);
    assertEquals(tables.get("RSD PTR ")!.address, acpiTables(machine(cpus)).rsdpAddress);
    assertEquals(tables.get("RSD PTR ")!.address, ACPI_TABLES);
  }
});

Deno.test("no table overlaps another one or leaves the range", () => {
  for (const description of [least, machine(1), machine(254), machine(300), machine(2000)]) {
    let end = ACPI_TABLES;
    for (const { signature, address, bytes } of acpiTables(description).regions) {
      assert(address >= end, signature);
      assertEquals(address % (signature === "FACS" ? 64 : 16), 0, signature);
      assertEquals(textOf(bytes.subarray(0, signature.length)), signature);
      end = address + bytes.length;
    }
    assert(end <= ACPI_TABLES + ACPI_TABLES_SIZE);
  }
});

Deno.test("more processors than the tables have room for are refused with the bytes needed", () => {
  const error = assertCode("ENOMEM", () => acpiTables(machine(4000)));
  assertStringIncludes(error.hint!, "0xe0000-0xfdfff");
  assertCode("EINVAL", () => acpiTables(machine(5000)), "more names than there are");
});

Deno.test("the FADT says where the registers are", () => {
  const fadt = written({
    ...least,
    pm: {
      eventPort: 0x1600,
      controlPort: 0x1604,
      timerPort: 0x1608,
      sleepTypeS5: 0,
      resetPort: 0x64,
      resetValue: 0xfe,
    },
  }).get("FACP")!;
  const { view, bytes } = fadt;
  assertEquals([bytes.length, bytes[8]], [276, 6]);
  assertEquals(view.getUint16(46, true), 9); // SCI_INT
  assertEquals(view.getUint32(48, true), 0); // SMI_CMD: ACPI mode from the beginning
  const blocks = [[56, 88, 148, 0x1600, 4], [64, 89, 172, 0x1604, 2], [76, 91, 208, 0x1608, 4]];
  for (
    const [short, length, wide, port, size] of blocks as [number, number, number, number, number][]
  ) {
    assertEquals(view.getUint32(short, true), port);
    assertEquals(bytes[length], size);
    assertEquals([bytes[wide], bytes[wide + 1], bytes[wide + 2]], [1, size * 8, 0]);
    assertEquals(view.getBigUint64(wide + 4, true), BigInt(port));
  }
  assertEquals([...bytes.subarray(116, 120)], [1, 8, 0, 1]);
  assertEquals(view.getBigUint64(120, true), 0x64n);
  assertEquals(bytes[128], 0xfe);
});

Deno.test("the FADT's flags follow the devices that exist", () => {
  const bits = (description: FirmwareDescription) => {
    const { view, bytes } = written(description).get("FACP")!;
    return [bytes[108], view.getUint16(109, true), view.getUint32(112, true)];
  };
  const fixed = 0x565; // WBINVD, C1, no sleep button, no RTC wake, 32-bit timer, reset register
  assertEquals(bits(least), [0, 0b100100, fixed]);
  assertEquals(bits({ ...least, vga: true }), [0, 0b100000, fixed]);
  assertEquals(bits({ ...least, i8042: {} }), [0, 0b100111, fixed]);
  assertEquals(bits({ ...least, rtc: {} }), [0x32, 0b000100, fixed]);
  assertEquals(bits({ ...least, rtc: { century: 0 } }), [0, 0b000100, fixed]);
  assertEquals(bits(machine(1)), [0x32, 0b000111, fixed & ~(1 << 8)]);
});

Deno.test("the MADT has every processor, and those from id 255 on in the wider entry", () => {
  const madt = written({ ...least, apicIds: [4, 0, 254, 255, 256, 0xffff_fffe] }).get("APIC")!;
  assertEquals(madt.view.getUint32(36, true), 0xfee0_0000);
  assertEquals(madt.view.getUint32(40, true), 1);
  const processors = madtEntries(madt).flatMap(({ type, view }) =>
    type === 0
      ? [[type, view.byteLength, view.getUint8(2), view.getUint8(3), view.getUint32(4, true)]]
      : type === 9
      ? [[
        type,
        view.byteLength,
        view.getUint32(12, true),
        view.getUint32(4, true),
        view.getUint32(8, true),
      ]]
      : []
  );
  assertEquals(processors, [
    [0, 8, 4, 4, 1],
    [0, 8, 0, 0, 1],
    [0, 8, 254, 254, 1],
    [9, 16, 255, 255, 1],
    [9, 16, 256, 256, 1],
    [9, 16, 0xffff_fffe, 0xffff_fffe, 1],
  ]);
});

Deno.test("the MADT says which interrupts are unlike ISA's, and where the NMI is", () => {
  const description: FirmwareDescription = {
    ...least,
    apicIds: [0, 300],
    ioApicId: 7,
    virtioMmio: [
      { address: 0xd001_0000, size: 0x1000, irq: 5 },
      { address: 0xd001_1000, size: 0x1000, irq: 6, trigger: "edge" },
      { address: 0xd001_2000, size: 0x1000, irq: 20 },
    ],
  };
  const rest = madtEntries(written(description).get("APIC")!)
    .filter(({ type }) => type !== 0 && type !== 9)
    .map(({ view }) => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]);
  assertEquals(rest, [
    [1, 12, 7, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0],
    [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
    [2, 10, 0, 5, 5, 0, 0, 0, 0xd, 0],
    [2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0],
    [4, 6, 0xff, 0, 0, 1],
    [10, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0],
  ]);
});

const virtio = { address: 0xd001_0000, size: 0x1000, irq: 5 };

Deno.test("a description that tables can't tell is refused", () => {
  const bad: Record<string, Partial<FirmwareDescription>> = {
    "no processor": { apicIds: [] },
    "an id twice": { apicIds: [0, 1, 0] },
    "a negative id": { apicIds: [-1] },
    "the id of all": { apicIds: [0xffff_ffff] },
    "a fraction": { apicIds: [0.5] },
    "an I/O APIC's id of all": { ioApicId: 255 },
    "a port beyond the last": { serialPorts: [{ port: 0xfff9, irq: 4 }] },
    "an IRQ beyond ISA": { serialPorts: [{ port: 0x3f8, irq: 16 }] },
    "the PIT's IRQ": { serialPorts: [{ port: 0x3f8, irq: 0 }] },
    "16 serial ports": { serialPorts: Array(16).fill({ port: 0x3f8, irq: 4 }) },
    "a century beyond CMOS": { rtc: { century: 128 } },
    "fw_cfg beyond the last port": { fwCfg: { port: 0xfff8 } },
    "no fw_cfg port": { fwCfg: { port: NaN } },
    "SLP_TYP of 4 bits": { pm: { sleepTypeS5: 8 } },
    "an event port beyond": { pm: { sleepTypeS5: 5, eventPort: 0xfffe } },
    "a reset value of 9 bits": { pm: { sleepTypeS5: 5, resetValue: 256 } },
    "virtio above 4 GiB": { virtioMmio: [{ ...virtio, address: 0x1_0000_0000 }] },
    "virtio across 4 GiB": { virtioMmio: [{ ...virtio, address: 0xffff_f800 }] },
    "no virtio registers": { virtioMmio: [{ ...virtio, size: 0 }] },
    "the PIT's pin": { virtioMmio: [{ ...virtio, irq: 2 }] },
    "a pin beyond": { virtioMmio: [{ ...virtio, irq: 24 }] },
    "a wide signature": { processor: { signature: 2 ** 32 } },
    "negative features": { processor: { features: -1 } },
    "ids that are no list": { apicIds: 2 as unknown as [] },
    "no ports": { serialPorts: [null] as unknown as [] },
    "no power management": { pm: null as never },
    "a number of no type": { pm: { sleepTypeS5: Symbol("5") as unknown as number } },
  };
  for (const [what, part] of Object.entries(bad)) {
    assertCode("EINVAL", () => acpiTables({ ...least, ...part }), what);
  }
  assertCode("EINVAL", () => acpiTables(null as never));
});

Deno.test("a name that no description has is refused, wherever it is", () => {
  const { pm } = least;
  const misspelt: readonly [name: string, right: string, part: object][] = [
    ["vgaa", "vga", { vgaa: true }],
    ["stepping", "signature", { processor: { stepping: 3 } }],
    ["IRQ", "irq", { serialPorts: [{ port: 0x3f8, irq: 4, IRQ: 3 }] }],
    ["mice", "mouse", { i8042: { mice: true } }],
    ["centuries", "century", { rtc: { centuries: 1 } }],
    ["ports", "port", { fwCfg: { ports: 0x510 } }],
    ["timer", "timerPort", { pm: { ...pm, timer: 0x608 } }],
    ["edge", "trigger", { virtioMmio: [{ ...virtio, edge: true }] }],
  ];
  for (const [name, right, part] of misspelt) {
    for (const make of [acpiTables, mpTable]) {
      const { message } = assertCode("EINVAL", () => make({ ...least, ...part }), name);
      assertStringIncludes(message, `has no ${name}, but `);
      assertStringIncludes(message, right);
    }
  }
  acpiTables({ ...least, vgaa: undefined } as typeof least);
});

Deno.test("tables need memory where they go", () => {
  using vm = emptyVm();
  vm.addMemory({ guestPhysAddr: 0, size: 0xe_0000 });
  assertCode("EFAULT", () => writeAcpiTables(vm.memory, least));
});

Deno.test("the tables made of a description are its own each time", () => {
  const [first, second] = [acpiTables(least), acpiTables(least)];
  first.regions[0]!.bytes.fill(0);
  assertEquals(textOf(second.regions[0]!.bytes.subarray(0, 8)), "RSD PTR ");
  assertEquals(textOf(acpiTables(least).regions[0]!.bytes.subarray(0, 8)), "RSD PTR ");
});
