import { assert, assertEquals } from "@std/assert";
import {
  type FirmwareDescription,
  MP_TABLE,
  MP_TABLE_SIZE,
  mpTable,
  writeMpTable,
} from "../../src/firmware/mod.ts";
import { assertCode } from "../support/codes.ts";
import { emptyVm } from "../support/memory.ts";
import { least, machine } from "./description.ts";
import { findMpTable, type ParsedMpTable } from "./mp_parser.ts";

/** Writes a machine's table into a VM's memory, and looks for it where kernels do. */
function written(description: FirmwareDescription): ParsedMpTable {
  using vm = emptyVm();
  vm.addMemory({ guestPhysAddr: 0, size: 0x10_0000 });
  writeMpTable(vm.memory, description);
  return findMpTable(vm.memory.readBytes(0, 0x10_0000), 0xf_0000, 0x10_0000);
}

Deno.test("a kernel finds every processor in the MP table, and the first one boots", () => {
  for (const cpus of [1, 2, 4, 64, 254]) {
    const { processors, localApicAddress } = written(machine(cpus));
    assertEquals(localApicAddress, 0xfee0_0000);
    assertEquals(
      processors,
      Array.from({ length: cpus }, (_, id) => ({
        id,
        version: 0x14,
        enabled: true,
        boots: id === 0,
        signature: 0x306c3,
        features: 0x1fc9_fbff,
      })),
    );
  }
});

Deno.test("processors that the MP table has no bits for are left out", () => {
  const ids = written({ ...least, apicIds: [254, 0, 255, 256] }).processors
    .map(({ id, boots }) => [id, boots]);
  assertEquals(ids, [[254, true], [0, false]]);
  assertEquals(written(machine(300)).processors.length, 255);
});

Deno.test("ISA's interrupts come in at their pins, but for the PIT's and the cascade's", () => {
  const { buses, ioApics, interrupts } = written({ ...least, ioApicId: 3 });
  assertEquals([...buses], [[0, "ISA   "]]);
  assertEquals(ioApics, [{ id: 3, address: 0xfec0_0000 }]);
  const irqs = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  assertEquals(
    interrupts,
    irqs.map((irq) => ({
      type: "INT",
      mode: irq === 9 ? "high level" : "conforms conforms",
      bus: 0,
      irq,
      apic: 3,
      pin: irq === 0 ? 2 : irq,
    })),
  );
});

Deno.test("virtio devices' interrupts are in the MP table, too", () => {
  const { interrupts } = written(machine(1));
  const modes = new Map(interrupts.map(({ irq, pin, mode }) => [irq, [pin, mode]]));
  assertEquals(modes.size, 17);
  assertEquals(modes.get(5), [5, "high level"]);
  assertEquals(modes.get(16), [16, "conforms conforms"]);
  assertEquals(modes.get(23), [23, "high level"]);
});

Deno.test("the PIC is at every processor's LINT0 and the NMI at LINT1", () => {
  const { localInterrupts } = written(machine(4));
  const same = { mode: "conforms conforms", bus: 0, irq: 0, apic: 0xff };
  assertEquals(localInterrupts, [
    { type: "ExtINT", pin: 0, ...same },
    { type: "NMI", pin: 1, ...same },
  ]);
});

Deno.test("the MP table stays in its range", () => {
  for (const description of [least, machine(254), machine(1000)]) {
    const { floatingPointerAddress, regions } = mpTable(description);
    assertEquals(floatingPointerAddress, MP_TABLE);
    let end = MP_TABLE;
    for (const { address, bytes } of regions) {
      assert(address >= end && address % 16 === 0);
      end = address + bytes.length;
    }
    assert(end <= MP_TABLE + MP_TABLE_SIZE);
  }
});

Deno.test("an MP table without processors or without memory is refused", () => {
  assertCode("EINVAL", () => mpTable({ ...least, apicIds: [] }));
  using vm = emptyVm();
  vm.addMemory({ guestPhysAddr: 0, size: 0xf_0000 });
  assertCode("EFAULT", () => writeMpTable(vm.memory, least));
});
