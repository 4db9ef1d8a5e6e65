import {
  assert,
  assertEquals,
  AssertionError,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  arg,
  buffer,
  device,
  integer,
  interrupt,
  irqNoFlags,
  local,
  memory32Fixed,
  method,
  name,
  nameString,
  packageOf,
  resourceTemplate,
  returnValue,
  scope,
  store,
  text,
} from "../../src/firmware/acpi/aml/mod.ts";
import { acpiTables, type FirmwareDescription, type TableRegion } from "../../src/firmware/mod.ts";
import { needing } from "../support/host.ts";
import { least, machine } from "./description.ts";
import { disassemble, hasIasl, recompile } from "./iasl.ts";

/** What comes before the AML. */
const HEADER = 36;

function withIasl(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({
    ...needing("iasl of acpica-tools", hasIasl(), name),
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await test(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

function table(description: FirmwareDescription, signature: string): TableRegion {
  return acpiTables(description).regions.find((region) => region.signature === signature)!;
}

for (const cpus of [1, 2, 4, 64, 254, 300]) {
  withIasl(`iasl finds no fault in the tables of a machine with ${cpus} CPUs`, async (folder) => {
    const { regions } = acpiTables(machine(cpus));
    // The RSDP is no table to iasl.
    for (const { signature, bytes } of regions.filter(({ signature }) => signature !== "RSD PTR")) {
      assertStringIncludes(await disassemble(folder, bytes), `"${signature}"`);
    }
  });
}

withIasl("iasl's complaints of a damaged table are noticed", async (folder) => {
  const damaged = (signature: string, offset: number, value: number) => {
    const { bytes } = table(machine(1), signature);
    bytes[offset] = value;
    return bytes;
  };
  // The FADT's checksum; the length of the MADT's first entry; the DSDT's first opcode.
  for (
    const [signature, offset, value] of [["FACP", 9, 0], ["APIC", 45, 9], ["DSDT", 36, 6]] as const
  ) {
    const bytes = damaged(signature, offset, value);
    await assertRejects(() => disassemble(folder, bytes), AssertionError);
  }
});

withIasl("the DSDT is what iasl makes of its own text, byte for byte", async (folder) => {
  for (const description of [least, machine(1), machine(4), machine(300)]) {
    const { bytes } = table(description, "DSDT");
    assertEquals((await recompile(folder, bytes)).subarray(HEADER), bytes.subarray(HEADER));
  }
});

withIasl("iasl names the devices and resources that were described", async (folder) => {
  const { bytes } = table({ ...machine(2), apicIds: [0, 300] }, "DSDT");
  const source = (await disassemble(folder, bytes))
    .replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "").replaceAll(/\s+/g, "");
  const expected = [
    'Device(C001){Name(_HID,"ACPI0007")Name(_UID,0x012C)Name(_STA,0x0F)}',
    'Device(COM2){Name(_HID,EisaId("PNP0501"))Name(_UID,0x02)Name(_STA,0x0F)' +
    "Name(_CRS,ResourceTemplate(){IO(Decode16,0x02F8,0x02F8,0x01,0x08,)IRQNoFlags(){3}})}",
    'Device(KBD){Name(_HID,EisaId("PNP0303"))Name(_STA,0x0F)' +
    "Name(_CRS,ResourceTemplate(){IO(Decode16,0x0060,0x0060,0x01,0x01,)" +
    "IO(Decode16,0x0064,0x0064,0x01,0x01,)IRQNoFlags(){1}})}",
    'Device(MOU){Name(_HID,EisaId("PNP0F13"))',
    'Device(RTC){Name(_HID,EisaId("PNP0B00"))Name(_STA,0x0F)' +
    "Name(_CRS,ResourceTemplate(){IO(Decode16,0x0070,0x0070,0x01,0x02,)IRQNoFlags(){8}})}",
    'Device(FWCF){Name(_HID,"QEMU0002")Name(_STA,0x0B)' +
    "Name(_CRS,ResourceTemplate(){IO(Decode16,0x0510,0x0510,0x01,0x0C,)})}",
    'Device(V001){Name(_HID,"LNRO0005")Name(_UID,One)Name(_STA,0x0F)' +
    "Name(_CRS,ResourceTemplate(){Memory32Fixed(ReadWrite,0xD0011000,0x00001000,)" +
    "Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x00000010,}})}",
    "Name(_S5,Package(0x04){0x05,0x05,Zero,Zero})",
  ];
  for (const part of expected) assert(source.includes(part), `${part}\nis not in\n${source}`);
});

withIasl(
  "iasl reads the encoder's methods, packages and lengths as they were meant",
  async (folder) => {
    // Around every size at which a length takes a byte more.
    const sizes = [1, 54, 55, 56, 57, 58, 59, 60, 200, 4080, 4085, 4090, 4095, 5000];
    const terms = [
      ...sizes.map((size, index) =>
        name(`B${index.toString(36).toUpperCase()}`, buffer(new Uint8Array(size).fill(index + 1)))
      ),
      name("INTS", packageOf(integer(0), integer(1), integer(2n ** 64n - 1n), integer(2 ** 33))),
      name("NEST", packageOf(packageOf(text("a"), integer(0x1234)), text(""), integer(0x12345))),
      scope(
        "\\_SB",
        device(
          "DEV",
          name("_HID", text("TEST0001")),
          name("VAL", integer(7)),
          name(
            "_CRS",
            resourceTemplate(
              irqNoFlags(15),
              memory32Fixed(0xffff_f000, 0x1000),
              interrupt(3, { edge: true, activeLow: true, shared: true }),
            ),
          ),
          method("GET", {}, returnValue(nameString("VAL"))),
          method(
            "SET",
            { args: 1, serialized: true },
            store(nameString("VAL"), local(7)),
            store(arg(0), nameString("\\_SB.DEV.VAL")),
            returnValue(local(7)),
          ),
        ),
      ),
    ];
    const header = table(least, "DSDT").bytes.slice(0, HEADER);
    const bytes = new Uint8Array([...header, ...terms.flatMap((term) => [...term])]);
    new DataView(bytes.buffer).setUint32(4, bytes.length, true);
    bytes[9]! -= bytes.reduce((sum, byte) => sum + byte, 0);
    assertEquals((await recompile(folder, bytes)).subarray(HEADER), bytes.subarray(HEADER));
  },
);
