import { assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine } from "../../src/machine/mod.ts";
import { debugExit, outb, print, spin } from "../support/instructions.ts";
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

Deno.test("a machine whose VM is closed while it runs ends with an error", async () => {
  await using guest = await pc(flat(print(">"), spin));
  await guest.until(">");
  guest.machine.vm.close();
  const error = await assertRejects(() => guest.machine.finished, KvmError);
  assertEquals(error.code, "EBADF");
});
