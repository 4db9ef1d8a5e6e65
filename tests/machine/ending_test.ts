import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine } from "../../src/machine/mod.ts";
import { debugExit, outb, print, spin } from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";
import { rounds } from "../support/rounds.ts";

/** How a call went: done, or the error's code. */
const result = (call: Promise<void>) =>
  call.then(() => "done", (error) => error instanceof KvmError ? error.code : String(error));

Deno.test("a machine that is stopped while a reset reads its files ends all the same", async () => {
  const kernel = await Deno.makeTempFile();
  await Deno.writeFile(kernel, Uint8Array.from(spin));
  try {
    for (let turns = 0; turns < rounds(6); turns++) {
      await using machine = await Machine.boot({ ...flat(), kernel });
      const reset = result(machine.reset());
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await machine.stop();
      assertEquals(await machine.finished, { reason: "stopped" });
      assertEquals(await reset, "EPIPE");
      assertEquals(machine.state, "ended");
    }
  } finally {
    await Deno.remove(kernel);
  }
});

Deno.test("a machine that is stopped while it pauses has ended, and is not paused", async () => {
  for (let turns = 0; turns < rounds(6); turns++) {
    await using machine = await Machine.boot({ ...flat(spin), cpus: 2 });
    const pause = result(machine.pause());
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await machine.stop();
    await pause;
    assertEquals(machine.state, "ended");
    assertEquals(await result(machine.pause()), "EPIPE");
  }
});

Deno.test("a guest that ends while a device of its own resets it leaves nobody waiting", async () => {
  for (let round = 0; round < rounds(5); round++) {
    const resets: Promise<string>[] = [];
    await using guest = await pc(flat(outb(0x500, 1), debugExit(3)), async (machine) => {
      const write = () => {
        if (resets.length < 2) resets.push(result(machine.reset()));
      };
      machine.mapPorts(0x500, 1, { read: () => 0, write });
      await machine.resume();
    });
    assertEquals(await guest.machine.finished, { reason: "debugExit", code: 3 });
    for (const reset of await Promise.all(resets)) assertEquals(/^(done|EPIPE)$/.test(reset), true);
  }
});

Deno.test("whatever is asked of a machine after its end says that it has ended", async () => {
  const machine = await Machine.boot(flat(print("."), debugExit(0)));
  await machine.finished;
  const device = { read: () => 0, write() {} };
  const [serial] = machine.serial;
  for (const disposed of [false, true]) {
    if (disposed) await machine[Symbol.asyncDispose]();
    for (
      const use of [
        () => machine.mapPorts(0x500, 1, device),
        () => machine.mapMmio(0xd100_0000, 4, device),
        () => machine.sendKeys([0x1c]),
        () => machine.pressPowerButton(),
        () => machine.line(5).set(true),
        () => serial!.sendBreak(),
      ]
    ) {
      assertEquals(assertThrows(use, KvmError, "It has ended", String(use)).code, "EPIPE");
    }
    for (
      const use of [
        () => serial!.send("x"),
        () => machine.resume(),
        () => machine.pause(),
        () => machine.reset(),
      ]
    ) {
      assertEquals((await assertRejects(use, KvmError, "It has ended")).code, "EPIPE");
    }
  }
});
