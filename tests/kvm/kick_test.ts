import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { kick, Kvm, type Vcpu } from "../../src/kvm/mod.ts";
import { kickRounds } from "./kicks.ts";

async function withGuest<T>(code: Uint8Array, use: (vcpu: Vcpu) => T): Promise<Awaited<T>> {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code });
  return await use(vcpu);
}

for (const guest of ["spin", "ports"] as const) {
  const what = guest === "spin" ? "spins" : "exits all the time";
  Deno.test(`of 1,000 kicks from another thread at a guest that ${what}, none is lost`, async () => {
    const { seen, lost, flagsLeft, afterClose } = await kickRounds(guest, 1000);
    assertEquals({ seen, lost, flagsLeft }, { seen: 1000, lost: 0, flagsLeft: 0 });
    assertEquals(afterClose, false, "a kick after the vCPU's end is refused");
  });
}

Deno.test("a kick before the run ends it at once, and only it", () =>
  withGuest(guests.spin, (vcpu) => {
    assertEquals(kick(vcpu.kickHandle), true);
    assertEquals(vcpu.run().reason, "intr");
    assertEquals(vcpu.kvmRun.immediateExit, 0);
    assertEquals(vcpu.run({ timeout: 5 }).reason, "intr");
  }));

Deno.test("a kick during a time limit outlives the limit's end", () =>
  withGuest(guests.spin, (vcpu) => {
    const limit = vcpu.interruptAfter(60_000);
    kick(vcpu.kickHandle);
    limit[Symbol.dispose]();
    assertEquals(vcpu.run().reason, "intr");
  }));

Deno.test("what is no handle can't be kicked", () => {
  for (const bad of [-1, 0, 4095, 0.5, NaN, 2 ** 53, {}, undefined, "5", 5n]) {
    const error = assertThrows(() => kick(bad as number), KvmError);
    assertEquals(error.code, "EINVAL");
  }
});

Deno.test("a forged or outdated handle kicks nobody", () =>
  withGuest(guests.ports, (vcpu) => {
    const { kickHandle } = vcpu;
    for (let place = 0; place < 4096; place++) {
      const forged = 4096 * 1000 + place;
      assertEquals(kick(forged), false);
    }
    assertEquals(kick(kickHandle + 4096), false);
    assertEquals(vcpu.run().reason, "io");
    vcpu.close();
    assertEquals(kick(kickHandle), false);
  }));

Deno.test("runAsync leaves the event loop free and ends by its timeout", () =>
  withGuest(guests.spin, async (vcpu) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const exit = await vcpu.runAsync({ timeout: 50 });
    clearInterval(timer);
    assertEquals([exit.reason, ticks > 5], ["intr", true]);
    assertEquals(vcpu.getRegs().rip, 0x100bn);
  }));

Deno.test("runAsync returns the same exits as run", () =>
  withGuest(guests.hello, async (vcpu) => {
    let text = "";
    for (;;) {
      const exit = await vcpu.runAsync();
      if (exit.reason !== "io") break;
      text += String.fromCharCode(exit.value);
    }
    assertEquals(text, "Hello from long mode!\n");
  }));

Deno.test("an abort rejects with its reason, and the guest can go on", () =>
  withGuest(guests.spin, async (vcpu) => {
    const abort = new AbortController();
    const run = vcpu.runAsync({ signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 5);
    await assertRejects(() => run, Error, "enough");
    await assertRejects(() => vcpu.runAsync({ signal: abort.signal }), Error, "enough");
    assertEquals(vcpu.kvmRun.immediateExit, 0);
    assertEquals((await vcpu.runAsync({ timeout: 5 })).reason, "intr");
  }));

Deno.test("a kick finds a run on the pool", () =>
  withGuest(guests.spin, async (vcpu) => {
    const { kickHandle } = vcpu;
    const run = vcpu.runAsync();
    setTimeout(() => kick(kickHandle), 5);
    assertEquals((await run).reason, "intr");
  }));

Deno.test("a vCPU that runs elsewhere takes no other call", () =>
  withGuest(guests.spin, async (vcpu) => {
    const run = vcpu.runAsync({ timeout: 30 });
    for (const call of [() => vcpu.run(), () => vcpu.getRegs(), () => vcpu.setRegs({ rax: 1n })]) {
      assertEquals(assertThrows(call, KvmError).code, "EBUSY");
    }
    await assertRejects(() => vcpu.runAsync(), KvmError, "EBUSY");
    await run;
    assertEquals(vcpu.getRegs().rip, 0x100bn);
  }));

Deno.test("a vCPU that is closed during runAsync rejects it", () =>
  withGuest(guests.spin, async (vcpu) => {
    const run = vcpu.runAsync();
    setTimeout(() => vcpu.close(), 5);
    await assertRejects(() => run, KvmError, "EBADF");
    await assertRejects(() => vcpu.runAsync(), KvmError, "EBADF");
  }));

Deno.test("a timeout that can't be is refused", () =>
  withGuest(guests.spin, async (vcpu) => {
    for (const timeout of [-1, NaN, Infinity, "5" as unknown as number]) {
      assertEquals(assertThrows(() => vcpu.run({ timeout }), KvmError).code, "EINVAL");
      await assertRejects(() => vcpu.runAsync({ timeout }), KvmError, "EINVAL");
    }
  }));
