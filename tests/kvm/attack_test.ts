/**
 * What no program should do, and some will: wrong objects, buffers taken away, things closed while
 * in use. Whatever happens, it is an exception and no crash; scripts that could crash run in a
 * process of their own.
 */

import { assert, assertEquals } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare, CELLS, runUntil, startLong, supportedCpuid } from "../support/machine.ts";
import { rounds, sample, unemulated } from "../support/rounds.ts";
import { survives } from "./survives.ts";

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

Deno.test("a list of CPUID leaves that grows while it is read does no harm", () => {
  using machine = bare();
  const cpuid = supportedCpuid();
  const { length } = cpuid.entries;
  const [first, second] = cpuid.entries;
  Object.defineProperty(first, "function", {
    get() {
      if (cpuid.entries.length === length) cpuid.entries.push({ ...second! }, { ...second! });
      return 0;
    },
  });
  // Whether the new ones count is open.
  try {
    machine.vcpu.setCpuid(cpuid);
  } catch (error) {
    assert(error instanceof Error);
  }
  assert(machine.vcpu.getCpuid().entries.length <= length + 2);
});

Deno.test("the kernel takes whatever is written to the run page for an error, or for nothing", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  runUntil(vcpu, "io");
  const { kvmRun } = vcpu;
  kvmRun.kvmDirtyRegs = -1n;
  kvmRun.kvmValidRegs = -1n;
  assertCode("EINVAL", () => vcpu.run());
  kvmRun.kvmDirtyRegs = 0n;
  kvmRun.kvmValidRegs = 0n;
  const { io } = kvmRun.exit;
  const { dataOffset } = io;
  Object.assign(io, { size: 200, count: 0xffff_ffff, port: 1, direction: 77, dataOffset: 2 ** 52 });
  runUntil(vcpu, "io");
  assertEquals([io.size, io.count, io.dataOffset], [4, 1, dataOffset]);
});

Deno.test("a script that takes the run page's buffer gets exceptions and no crash", async () => {
  for (
    const take of sample([
      "structuredClone(buffer, { transfer: [buffer] })",
      "buffer.transfer()",
      "buffer.transfer(1)",
      "buffer.transfer(1 << 20)",
      "new MessageChannel().port1.postMessage(buffer, [buffer])",
    ])
  ) {
    await survives(`
      const buffer = exit.data.buffer;
      const taken = ${take};
      for (let turn = 0; turn < 200; turn++) {
        attempt(() => vcpu.run());
        attempt(() => exit.value);
        attempt(() => copyExit(exit));
        attempt(() => vcpu.kvmRun.exitReason);
        attempt(() => vcpu.requestImmediateExit());
      }
      attempt(() => vcpu.interruptAfter(1));
      const end = performance.now() + 5;
      while (performance.now() < end);
      attempt(() => vcpu.run());
      vm.close();
      if (taken instanceof ArrayBuffer) new Uint8Array(taken).fill(1);
      vm.close();`);
  }
});

Deno.test("a script that takes guest memory's buffer gets exceptions and no crash", async () => {
  await survives(`
    const bytes = memory.bytes(0x1000, 16);
    const { buffer } = memory.all;
    const taken = structuredClone(buffer, { transfer: [buffer] });
    for (const use of [() => memory.readU32(0), () => memory.writeU64(0, 1n), () => memory.bytes(0, 8),
      () => memory.fill(0, 100), () => memory.copy(0, 50, 10), () => memory.readString(0), () => bytes[0] = 1]) {
      for (let turn = 0; turn < 100; turn++) attempt(use);
    }
    for (let turn = 0; turn < 100; turn++) vcpu.run();
    vm.removeMemory(memory);
    new Uint8Array(taken).fill(1);
    attempt(() => vcpu.run());
    vm.close();
    new Uint8Array(taken).fill(2);`);
});

Deno.test("a guest can't write to what this process puts where a slot was", async () => {
  const stdout = await survives(`
    const size = 64 << 20;
    const high = vm.addMemory({ size, guestPhysAddr: 0x1000_0000 });
    // There should be no such call: either it does not exist, or the kernel lets go as well.
    attempt(() => high.close());
    attempt(() => vm.memory.remove(high));
    const victims = Array.from({ length: 3 }, () => new Uint8Array(size));
    longMode(vcpu, memory, { code: guests.dirty, registers: { rsi: 0x1000_0000n, rdi: 0x100n } });
    for (let exits = 0; exits < 1000; exits++) {
      const exit = attempt(() => vcpu.run());
      if (exit.reason !== "mmio") break;
    }
    console.log("hit:", victims.filter((victim) => victim.subarray(0, 1 << 21).some((byte) => byte !== 0)).length);`);
  assert(stdout.includes("hit: 0"), stdout);
});

Deno.test("huge pages that are not there are an error when asked for, not a crash when touched", async () => {
  for (const backing of ["anonymous", "memfd"]) {
    await survives(`
      const slot = attempt(() => vm.addMemory({
        size: 2 ** 36, guestPhysAddr: 2 ** 38, hugePages: "2M", backing: "${backing}" }));
      if (!(slot instanceof Error)) for (let at = 0; at < 64; at++) slot.writeU8(2 ** 38 + at * 2 ** 30, 1);`);
  }
});

Deno.test("objects made without their makers, or stripped of their insides, are exceptions", async () => {
  await survives(`
    for (const object of [kvm, vm, vcpu, exit, memory, vm.memory]) {
      const names = [];
      for (let at = Object.getPrototypeOf(object); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        for (const [name, { get, set, value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
          if (name === "constructor") continue;
          const impostor = Object.create(Object.getPrototypeOf(object));
          for (const method of [get, set, value]) {
            if (typeof method === "function") {
              const result = attempt(() => method.call(impostor));
              if (result instanceof Promise) result.catch(() => {});
            }
          }
        }
      }
      attempt(() => new object.constructor());
      attempt(() => new object.constructor({}));
    }`);
});

Deno.test(unemulated("every method survives every kind of argument"), async () => {
  // Left out: what closes, waits or makes VMs, and what TypeScript lets nobody outside call.
  await survives(`
    const skip = /^(constructor|close|run|runAsync|createVm|createVcpu|setRegion|mapDirtyRing|find|fail)$/;
    const values = [undefined, null, -1, 0.5, NaN, 2 ** 40, 2 ** 53, "text", "", 1n, -1n, 1n << 70n, true, Symbol(), {}, [],
      [[1, 2, 3]], new Uint8Array(3), new ArrayBuffer(5), () => {}, exit, kvm, memory, vcpu.getRegs(), vcpu.getSregs().cs,
      new Proxy({}, {}), new Date(), /x/, { length: 3 }, { length: -1 }, { size: 1, slot: 5 }];
    // Within the process's own memory all is refused or harmless; sizes that would allocate are not tried.
    for (const object of [kvm, vm, vcpu, memory, vm.memory, exit]) {
      for (let at = Object.getPrototypeOf(object); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        for (const [name, { set, value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
          if (skip.test(name)) continue;
          for (const method of [set, value]) {
            if (typeof method !== "function") continue;
            for (const one of values) {
              for (const other of [undefined, one]) {
                const result = attempt(() => method.call(object, one, other));
                if (result instanceof Promise) result.catch(() => {});
              }
            }
          }
        }
      }
    }
    for (const slot of vm.memory.slots) attempt(() => vm.removeMemory(slot));
    attempt(() => vcpu.interruptAfter(1));
    attempt(() => vcpu.run());
    vm.close();`);
});

Deno.test("closing inside of a getter that the library reads is an error, and no crash", () => {
  for (const name of ["setRegs", "setSregs", "setFpu"] as const) {
    using machine = bare();
    const { vm, vcpu } = machine;
    const field = { setRegs: "rax", setSregs: "cr2", setFpu: "fcw" }[name];
    const init = {
      get [field]() {
        vm.close();
        return name === "setFpu" ? 0x37f : 1n;
      },
    };
    assertCode("EBADF", () => (vcpu[name] as (init: object) => void)(init));
  }
  using machine = bare();
  const options = {
    size: 4096,
    guestPhysAddr: 0x4000_0000,
    get backing() {
      machine.vm.close();
      return "memfd" as const;
    },
  };
  assertCode("EBADF", () => machine.vm.addMemory(options));
  assertEquals(machine.vm.memory.slots, []);
});

Deno.test("a slot whose public fields are overwritten still gives back its own memory and no other", () => {
  using machine = startLong(guests.halt);
  const { vm, vcpu, memory } = machine;
  const other = vm.addMemory({ size: 4096, guestPhysAddr: 0x4000_0000 });
  for (
    const [name, value] of [["slot", memory.slot], ["guestPhysAddr", 0], ["flags", 2]] as const
  ) {
    try {
      (other as Anything)[name] = value;
    } catch (error) {
      assert(error instanceof TypeError);
    }
  }
  vm.removeMemory(other);
  // Had the kernel been told another slot's number, the guest would have lost its code.
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU32(CELLS), 42);
});

Deno.test("a vCPU closed as its run begins elsewhere leaves the next one's descriptor alone", async () => {
  // The other thread may enter the kernel only now, when the number is another vCPU's.
  let strays = 0;
  let reused = 0;
  for (let turn = 0; turn < rounds(150); turn++) {
    using machine = startLong(guests.ports);
    const { vm, vcpu, memory } = machine;
    // It takes the lowest free number, so that the vCPU's is the lowest next.
    using _kvm = Kvm.open();
    const { fd } = vcpu;
    await vcpu.runAsync();
    const run = vcpu.runAsync().catch((error) => error.code);
    vcpu.close();
    using next = vm.createVcpu(1);
    if (next.fd === fd) reused++;
    longMode(next, memory, { code: guests.ports });
    assertEquals(await run, "EBADF");
    if (next.getRegs().rip !== 0x1000n || next.kvmRun.exitReason !== 0) strays++;
  }
  assertEquals(strays, 0, `of ${reused} with the same number`);
});

Deno.test("properties put on buffers and arrays don't turn the library against the process", async () => {
  await survives(`
    const { all } = memory;
    all.buffer.transfer = () => {};
    Object.defineProperty(all.buffer, "detached", { value: false });
    const liar = class extends Uint8Array { get length() { return 32768; } };
    const slot = vm.addMemory({ size: 2 ** 30, guestPhysAddr: 2 ** 32, logDirtyPages: true });
    for (let turn = 0; turn < 100; turn++) {
      attempt(() => vm.getDirtyLog(slot, new liar(new ArrayBuffer(8))));
    }
    const short = new (vcpu.getSregs().constructor)(new ArrayBuffer(16), 0, 16);
    for (const key of Object.getOwnPropertySymbols(short)) {
      Object.defineProperty(short[key], "length", { value: 100_000 });
    }
    for (let turn = 0; turn < 1000; turn++) attempt(() => vcpu.getSregs(short));
    vm.close();
    for (let at = 0; at < all.length; at += 4096) void all[at];
    void all[0x1000];`);
});

Deno.test("memory behind a memfd can't be cut short by those who share it", async () => {
  await survives(`
    const slot = vm.addMemory({ size: 1 << 20, guestPhysAddr: 2 ** 32, backing: "memfd" });
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      const path = "/proc/self/fd/" + name;
      if (attempt(() => Deno.readLinkSync(path)).includes?.("memfd:kvm-guest")) {
        if (!(attempt(() => Deno.truncateSync(path, 0)) instanceof Error)) throw new Error("cut");
      }
    }
    slot.writeU8(2 ** 32 + 4096, 1);`);
});
