import { assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine, type MachineOptions } from "../../src/machine/mod.ts";
import { findTables, madtEntries } from "../firmware/acpi_parser.ts";
import { findMpTable } from "../firmware/mp_parser.ts";
import { imageOf } from "../loader/support.ts";
import { spin } from "../support/instructions.ts";
import { flat } from "../support/pc.ts";

Deno.test("a file that can't be read is told with what was tried and the system's error", async () => {
  const gone = new Uint8Array(1);
  gone.buffer.transfer();
  const wrong: [Partial<MachineOptions>, string][] = [
    [{ kernel: "/proc/self/exe/" }, "Cannot read the kernel from /proc/self/exe/: ENOTDIR"],
    [{ kernel: "/proc/self" }, "EISDIR. Give the path of a file"],
    [{ kernel: "k".repeat(300) }, "ENAMETOOLONG"],
    [{ kernel: "/dev/zero" }, "EINVAL. It is no regular file"],
    [{ kernel: gone }, "Cannot read the kernel: EINVAL. It is a Uint8Array whose buffer"],
    [{ initrd: "/proc/self/mem" }, "Cannot read the initial ramdisk from /proc/self/mem: EIO"],
    [{ modules: [{ image: "/nowhere" }] }, "Cannot read the module from /nowhere: ENOENT"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => Machine.create({ ...flat(spin), ...options }), KvmError, message);
  }
});

Deno.test("a path that leads round in a circle is refused as the system does", async () => {
  const folder = await Deno.makeTempDir();
  const kernel = `${folder}/loop`;
  await Deno.symlink("loop", kernel);
  const made = Machine.create({ ...flat(spin), kernel });
  assertEquals((await assertRejects(() => made, KvmError)).code, "ELOOP");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an abort with any reason while files are read is that, and no matter of theirs", async () => {
  const aborter = new AbortController();
  const made = Machine.create({ ...flat(spin), kernel: "/proc/self/exe", signal: aborter.signal });
  aborter.abort(new TypeError("enough"));
  await assertRejects(() => made, TypeError, "enough");
});

const PROTOCOLS = [["linux", "linux"], ["elf", "elf64"], ["pvh", "pvh"]] as const;
for (const [protocol, name] of PROTOCOLS) {
  Deno.test(`a kernel of ${protocol} is told where the ACPI tables are`, async () => {
    const options = { kernel: imageOf(name), protocol, memory: "16M", cpus: 2 } as const;
    await using machine = await Machine.create(options);
    const { memory } = machine;
    const tables = findTables((address, length) => memory.readBytes(address, length));
    const { rsi, rbx } = machine.kernel.entry.registers;
    // acpi_rsdp_addr of the zero page (Linux, x86/zero-page.rst), rsdp_paddr of the start info.
    const told = protocol === "pvh" ? Number(rbx) + 32 : Number(rsi) + 0x70;
    assertEquals(memory.readU64(told), BigInt(tables.get("RSD PTR ")!.address));
    const processors = madtEntries(tables.get("APIC")!).filter(({ type }) => type === 0);
    assertEquals(processors.length, 2);
  });
}

Deno.test("the MP table is where a kernel looks for it, with each vCPU", async () => {
  await using machine = await Machine.create({ ...flat(spin), cpus: 3 });
  const { processors } = findMpTable(machine.memory.readBytes(0, 1 << 20), 0xf_0000, 1 << 20);
  assertEquals(processors.map(({ id, enabled, boots }) => [id, enabled, boots]), [
    [0, true, true],
    [1, true, false],
    [2, true, false],
  ]);
});
