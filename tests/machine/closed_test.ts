import { assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine } from "../../src/machine/mod.ts";
import {
  debugExit,
  inEax,
  loads,
  movDx,
  outb,
  outEax,
  print,
  spin,
  stores,
} from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";

Deno.test("a machine whose VM is closed while it is paused does not go on", async () => {
  await using guest = await pc(flat(print(">"), spin));
  const { machine } = guest;
  await guest.until(">");
  await machine.pause();
  machine.vm.close();
  assertEquals((await assertRejects(() => machine.resume(), KvmError)).code, "EBADF");
  assertEquals(machine.state, "paused");
});

Deno.test("a machine whose VM is closed before its first instruction does not start", async () => {
  await using machine = await Machine.create(flat(spin));
  machine.vm.close();
  assertEquals((await assertRejects(() => machine.resume(), KvmError)).code, "EBADF");
  await machine.stop();
  assertEquals(await machine.finished, { reason: "stopped" });
});

for (const what of ["its VM", "its vCPU"]) {
  Deno.test(`a device that closes ${what} has ended the machine with an error`, async () => {
    await using guest = await pc(flat(outb(0x500, 1), debugExit(0)), async (machine) => {
      const write = () => (what === "its VM" ? machine.vm : machine.vcpus[0]!).close();
      machine.mapPorts(0x500, 1, { read: () => 0, write });
      await machine.resume();
    });
    const error = await assertRejects(() => guest.machine.finished, KvmError);
    assertEquals(error.code, "EBADF");
  });
}

for (const what of ["its VM", "its vCPU"]) {
  Deno.test(`when a device closes ${what} amid an access, no device is asked for the rest`, async () => {
    const accesses = [
      [...movDx(0x500), ...outEax(4)],
      [...movDx(0x500), ...inEax(4)],
      stores(0xd100_0000, 8),
      loads(0xd100_0000, 8),
      // All of it is the device's, in two parts.
      stores(0xd100_0008, 8),
    ];
    for (const code of accesses) {
      let asked = 0;
      await using guest = await pc(flat(code, debugExit(0)), async (machine) => {
        const close = () => {
          asked++;
          (what === "its VM" ? machine.vm : machine.vcpus[0]!).close();
          return 0;
        };
        const device = () => ({ read: close, write: () => void close() });
        for (const port of [0x501, 0x502, 0x503]) machine.mapPorts(port, 1, device());
        for (const offset of [1, 2, 5]) machine.mapMmio(0xd100_0000 + offset, 1, device());
        machine.mapMmio(0xd100_0008, 8, device());
        await machine.resume();
      });
      const error = await assertRejects(() => guest.machine.finished, KvmError);
      assertEquals([error.code, asked], ["EBADF", 1]);
    }
  });
}

Deno.test("a machine whose VM is closed while it runs ends with an error", async () => {
  await using guest = await pc(flat(print(">"), spin));
  await guest.until(">");
  guest.machine.vm.close();
  const error = await assertRejects(() => guest.machine.finished, KvmError);
  assertEquals(error.code, "EBADF");
});
