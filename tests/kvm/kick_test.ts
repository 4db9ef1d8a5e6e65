import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { releaseRetired } from "../../ffi/retired.ts";
import { guests } from "../../guests/mod.ts";
import { longMode, realMode } from "../../src/boot/mod.ts";
import { kick, type KickHandle, Kvm, type Vcpu } from "../../src/kvm/mod.ts";
import { kickRounds } from "./kicks.ts";
import { needs } from "../support/needs.ts";
import { rounds } from "../support/rounds.ts";

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

Deno.test("a closed vCPU has no handle, however often it is asked, and takes none from the others", () =>
  withGuest(guests.spin, async (vcpu) => {
    const fresh = await withGuest(guests.spin, (other) => other);
    const used = await withGuest(guests.spin, (other) => {
      assertEquals(kick(other.kickHandle), true);
      return other;
    });
    for (let turn = 0; turn < 4200; turn++) {
      for (const closed of [fresh, used]) {
        assertEquals(assertThrows(() => closed.kickHandle, KvmError).code, "EBADF");
      }
    }
    kick(vcpu.kickHandle);
    assertEquals(vcpu.run().reason, "intr");
  }));

Deno.test("a handle that is nobody's, or no longer anybody's, kicks nobody", () =>
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

Deno.test("runAsync leaves the event loop free", () =>
  withGuest(guests.spin, async (vcpu) => {
    const { kickHandle } = vcpu;
    let over = false;
    // The timeout is for a loop that isn't free: it would go on only then.
    const run = vcpu.runAsync({ timeout: 20_000 }).finally(() => over = true);
    for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(over, false);
    kick(kickHandle);
    assertEquals((await run).reason, "intr");
  }));

Deno.test("runAsync ends by its timeout", () =>
  withGuest(guests.spin, async (vcpu) => {
    assertEquals((await vcpu.runAsync({ timeout: 50 })).reason, "intr");
    assertEquals((await vcpu.runAsync({ timeout: 1 })).reason, "intr");
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

/** A thread that kicks without pause, from when the promise is resolved until it is terminated. */
async function kicker(handle: KickHandle): Promise<Worker> {
  const door = new URL("../../src/kvm/mod.ts", import.meta.url).href;
  const text = `
    import { kick } from ${JSON.stringify(door)};
    onmessage = ({ data }) => {
      kick(data);
      postMessage("kicking");
      while (kick(data));
      postMessage("refused");
    };`;
  const url = `data:application/javascript,${encodeURIComponent(text)}`;
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(handle);
  await new Promise((resolve) => worker.onmessage = resolve);
  return worker;
}

Deno.test("threads that kick without pause end every run, and don't hold up the owner or its end", () =>
  withGuest(guests.spin, async (vcpu) => {
    const kickers = await Promise.all([kicker(vcpu.kickHandle), kicker(vcpu.kickHandle)]);
    for (let turn = 0; turn < rounds(300); turn++) assertEquals(vcpu.run().reason, "intr");
    // Ioctls in between are interrupted by no more signals than there are runs.
    for (let turn = 0; turn < rounds(300); turn++) vcpu.getRegs();
    const refused = kickers.map((worker) =>
      new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data))
    );
    vcpu.close();
    assertEquals(await Promise.all(refused), ["refused", "refused"]);
    for (const worker of kickers) worker.terminate();
  }));

Deno.test("a thread that is terminated while it kicks doesn't hold up the vCPU's end", async () => {
  for (let turn = 0; turn < rounds(5); turn++) {
    await withGuest(guests.spin, async (vcpu) => {
      const worker = await kicker(vcpu.kickHandle);
      assertEquals(vcpu.run().reason, "intr");
      worker.terminate();
      vcpu.close();
    });
  }
});

Deno.test("of 17 runs beside the event loop at once the last is EAGAIN, and fits when one has ended", async () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const boot = { code: guests.spin, stack: 0x8000 };
  const vcpus = Array.from({ length: 17 }, (_, id) => vm.createVcpu(id));
  for (const vcpu of vcpus) longMode(vcpu, memory, boot);
  const last = vcpus.pop()!;
  const runs = vcpus.map((vcpu) => vcpu.runAsync());
  const error = await assertRejects(() => last.runAsync(), KvmError);
  assertEquals(error.code, "EAGAIN");
  assertEquals(last.getRegs().rip, 0x1000n);
  kick(vcpus[0]!.kickHandle);
  assertEquals((await runs[0])?.reason, "intr");
  assertEquals((await last.runAsync({ timeout: 5 })).reason, "intr");
  for (const { kickHandle } of vcpus.slice(1)) kick(kickHandle);
  const reasons = await Promise.all(runs.slice(1).map(async (run) => (await run).reason));
  assertEquals(new Set(reasons), new Set(["intr"]));
});

/** Lets the timer interrupt in 55 ms, says so in memory, and halts. */
const halting = Uint8Array.of(
  ...[0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21], // PIC: vectors from 8 on
  ...[0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21, 0xb0, 0xfe, 0xe6, 0x21], // IRQ 0 alone
  ...[0xb0, 0x34, 0xe6, 0x43, 0x30, 0xc0, 0xe6, 0x40, 0xe6, 0x40], // PIT: 65536 ticks
  ...[0xc6, 0x06, 0x00, 0x20, 0x01], // mov byte [0x2000], 1
  ...[0xfb, 0xf4, 0xeb, 0xfd], // sti; again: hlt; jmp again
);

Deno.test(
  needs("a guest that outlives its VM's end writes to nothing that comes after", "PIT2"),
  async () => {
    const size = 1 << 20;
    for (const closed of ["VM", "vCPU"]) {
      // Closed memory keeps its addresses: they would not be the same ones again.
      releaseRetired();
      using kvm = Kvm.open();
      const vm = kvm.createVm();
      vm.createIrqchip();
      vm.createPit2();
      const memory = vm.addMemory({ size });
      const vcpu = vm.createVcpu(0);
      realMode(vcpu, memory, { code: halting });
      // A kick can't end the run, then, and the guest halts until the timer interrupts.
      vcpu.setSignalMask(Array.from({ length: 33 }, (_, index) => 32 + index));
      const run = vcpu.runAsync().catch(({ code }) => code);
      while (memory.readU8(0x2000) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      const address = memory.hostAddress(0);
      if (closed === "vCPU") vcpu.close();
      vm.close();
      releaseRetired();
      using other = kvm.createVm();
      // Both have the most recently freed addresses.
      const next = other.addMemory({ size });
      assertEquals(next.hostAddress(0), address);
      assertEquals(await run, "EBADF");
      assertEquals(next.array(Float64Array, 0, size / 8).findIndex((word) => word !== 0), -1);
    }
  },
);
