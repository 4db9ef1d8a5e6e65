import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { GuestCrash, Machine, type MachineOptions } from "../../src/machine/mod.ts";

/** Code for real mode. */
const real = (...code: (readonly number[])[]): MachineOptions => ({
  kernel: Uint8Array.from(code.flat()),
  protocol: "flat16",
  memory: "2M",
});

const int = (vector: number) => [0xcd, vector];
/** mov ax, value */
const movAx = (value: number) => [0xb8, value & 0xff, value >> 8];

for (
  const [what, code, message] of [
    [
      "an INT",
      [...movAx(0x0e41), ...int(0x10)],
      /^vCPU 0: INT 0x10 \(AX 0e41\).* before 0000:7c05:/,
    ],
    ["an INT of DOS's", int(0x21), /^vCPU 0: INT 0x21 \(AX 0000\).* before 0000:7c02:/],
    // xor dx, dx; div dx
    ["an exception", [0x31, 0xd2, 0xf7, 0xf2], /^vCPU 0: INT 0x0 .* before 0000:7c02:/],
  ] as const
) {
  Deno.test(`${what} that a boot sector has no vector for is told, for there is no BIOS`, async () => {
    await using machine = await Machine.boot(real(code));
    const error = await assertRejects(() => machine.finished, GuestCrash);
    assertMatch(error.message, message);
  });
}

Deno.test("a device at port 0xb2 is the BIOS: it sees which INT, and what it sets is returned", async () => {
  const calls: string[] = [];
  // out 0xf4, al
  await using machine = await Machine.create(real(movAx(0x0203), int(0x13), [0xe6, 0xf4]));
  machine.mapPorts(0xb2, 1, {
    read: () => 0,
    write() {
      const vcpu = machine.vcpus[0]!;
      const regs = vcpu.getRegs();
      calls.push(`INT ${(regs.rip >> 2n).toString(16)} ${regs.rax.toString(16)}`);
      regs.rax = 0x2an;
      vcpu.setRegs(regs);
    },
  });
  await machine.resume();
  assertEquals(await machine.finished, { reason: "debugExit", code: 0x2a });
  assertEquals(calls, ["INT 13 203"]);
});

Deno.test("a vector of the guest's own is taken, and after a reset there is none again", async () => {
  // mov word [0x84], handler; mov word [0x86], 0; int 0x21; handler: ...
  const code = [
    ...[0xc7, 0x06, 0x84, 0, 0x0e, 0x7c, 0xc7, 0x06, 0x86, 0, 0, 0],
    ...int(0x21),
    ...[0xb0, 7, 0xe6, 0xf4], // mov al, 7; out 0xf4, al
  ];
  await using machine = await Machine.boot(real(code));
  assertEquals(await machine.finished, { reason: "debugExit", code: 7 });

  await using again = await Machine.create(real(int(0x21)));
  again.memory.writeU32(0x84, 0);
  await again.reset();
  await again.resume();
  await assertRejects(() => again.finished, GuestCrash, "INT 0x21");
});

Deno.test("port 0xb2 is a port like any other for who does not come from a vector", async () => {
  await using machine = await Machine.boot(real([0xe6, 0xb2, 0xe4, 0xb2, 0xe6, 0xf4]));
  assertEquals(await machine.finished, { reason: "debugExit", code: 0xff });
});
