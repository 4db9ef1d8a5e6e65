import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { Cap } from "../../ffi/uapi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { Cpuid, Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { isMapped, openTargets } from "../support/host.ts";
import { bare, runUntil, startLong } from "../support/machine.ts";
import { sample } from "../support/rounds.ts";

const mine = () => openTargets().filter((target) => target.includes("kvm")).length;

/** All orders of a list. */
function* orders<T>(list: readonly T[]): Generator<T[]> {
  if (list.length === 0) yield [];
  for (const [index, item] of list.entries()) {
    for (const rest of orders(list.toSpliced(index, 1))) yield [item, ...rest];
  }
}

Deno.test("KVM, VM, vCPUs and memory may be given back in any order, and each twice", () => {
  const before = mine();
  const all = [...orders(["kvm", "vm", "vcpu", "second", "memory"] as const)];
  for (const order of sample(all)) {
    const kvm = Kvm.open();
    const vm = kvm.createVm();
    const low = vm.addMemory({ size: 2 << 20 });
    const high = vm.addMemory({ size: 4096, guestPhysAddr: 0x4000_0000 });
    const vcpu = vm.createVcpu(0);
    const second = vm.createVcpu(1);
    longMode(vcpu, low, { code: guests.ports });
    runUntil(vcpu, "io");
    const addresses = [low.userspaceAddr, high.userspaceAddr];
    const steps = {
      kvm: () => kvm.close(),
      vm: () => vm.close(),
      vcpu: () => vcpu.close(),
      second: () => second.close(),
      memory: () => vm.memory.slots.includes(high) && vm.removeMemory(high),
    };
    for (const name of [...order, ...order]) steps[name]();
    assertEquals([mine(), addresses.map(isMapped)], [before, [false, false]], order.join(", "));
  }
});

Deno.test("the end of using blocks closes in reverse, also by an exception", () => {
  const before = mine();
  try {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.addMemory({ size: 4096 });
    using _vcpu = vm.createVcpu(0);
    assertEquals(mine(), before + 3);
    throw new Error("on the way");
  } catch (error) {
    assertEquals([String(error), mine()], ["Error: on the way", before]);
  }
});

Deno.test("closing a VM closes its vCPUs and forgets them, and its slots", () => {
  using machine = bare();
  const { vm, vcpu, memory } = machine;
  vm.createVcpu(1);
  assertEquals(vm.vcpus.map(({ id }) => id), [0, 1]);
  vm.close();
  assertEquals([vcpu.closed, vm.closed, vm.vcpus, vm.memory.slots, memory.size], [
    true,
    true,
    [],
    [],
    0,
  ]);
});

Deno.test("a vCPU that is closed is no longer its VM's, and the others run on", () => {
  using machine = startLong(guests.ports);
  const { vm, vcpu } = machine;
  const second = vm.createVcpu(1);
  second.close();
  assertEquals(vm.vcpus, [vcpu]);
  assertEquals(runUntil(vcpu, "io").value, 1);
});

Deno.test("closing while going through the vCPUs or the slots disturbs nobody", () => {
  using machine = bare();
  const { vm } = machine;
  for (let id = 1; id < 6; id++) {
    vm.createVcpu(id);
    vm.addMemory({ size: 4096, guestPhysAddr: 0x4000_0000 + id * 0x10000 });
  }
  let closed = 0;
  for (const vcpu of vm.vcpus) {
    vcpu.close();
    closed++;
  }
  for (const slot of vm.memory.slots) vm.removeMemory(slot);
  assertEquals([closed, vm.vcpus.length, vm.memory.slots.length], [6, 0, 0]);
});

/** Members that answer from what this process knows, and what closing itself is. */
const harmless = new Set([
  "constructor",
  "close",
  "fd",
  "closed",
  "vcpus",
  "memory",
  "smmMemory",
  "memoryOf",
  "kickHandle",
  "trackDirty",
  "mapDirtyRing",
  "setRegion",
  "deleteRegions",
  "hold",
  "lend",
  "share",
]);

/**
 * Calls that would be right before the close. Every other method is called without arguments: it may
 * find fault with that first, but must not get anywhere.
 */
const calls: Readonly<Record<string, readonly unknown[]>> = {
  addMemory: [{ size: 4096, guestPhysAddr: 0x5000_0000 }],
  check: [10],
  createVcpu: [7],
  createIrqchip: [],
  createPit2: [],
  createVm: [],
  enableCap: [Cap.HALT_POLL, 0],
  getClock: [],
  getCpuid: [],
  getFpu: [],
  getIrqchip: [0],
  getMsr: [0x10],
  getMsrs: [[0x10]],
  getMpState: [],
  getPit2: [],
  getRegs: [],
  getSregs: [],
  getSupportedCpuid: [],
  interruptAfter: [10],
  kvmRun: [],
  nmi: [],
  requestImmediateExit: [],
  run: [],
  runAsync: [],
  setCpuid: [new Cpuid()],
  setFpu: [{}],
  setIdentityMapAddress: [0],
  setIrqLine: [1, true],
  setMpState: [0],
  setMsr: [0x10, 0n],
  setMsrs: [[[0x10, 0n]]],
  setRegs: [{}],
  setSregs: [{}],
  setTssAddress: [0],
};

/** The methods and accessors of an object's classes, down to Object's. */
function membersOf(object: object): Map<string, PropertyDescriptor> {
  const members = new Map<string, PropertyDescriptor>();
  for (
    let at = Object.getPrototypeOf(object);
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!members.has(name) && !harmless.has(name)) members.set(name, member);
    }
  }
  return members;
}

/** Uses every member of an object; what each one did, by name. */
async function useAll(object: object): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [name, { get, value }] of membersOf(object)) {
    try {
      const result = get ? get.call(object) : value.apply(object, calls[name] ?? []);
      results[name] = await result === undefined ? "undefined" : "a value";
    } catch (error) {
      results[name] = error instanceof KvmError ? error.code : String(error);
    }
  }
  return results;
}

for (const name of ["kvm", "vm", "vcpu"] as const) {
  Deno.test(`every method of a closed ${name} is EBADF, known arguments or not`, async () => {
    const kvm = Kvm.open();
    const vm = kvm.createVm();
    const memory = vm.addMemory({ size: 2 << 20 });
    const vcpu = vm.createVcpu(0);
    longMode(vcpu, memory, { code: guests.ports });
    runUntil(vcpu, "io");
    // What a method keeps for later must not help it on.
    vcpu.interruptAfter(1000)[Symbol.dispose]();
    void [vcpu.kvmRun, vcpu.kickHandle, vm.check(10)];
    const object = { kvm, vm, vcpu }[name];
    vm.close();
    kvm.close();
    const results = await useAll(object);
    assert(Object.keys(results).length >= 5, Deno.inspect(results));
    const wrong = Object.entries(results).filter(([member, result]) =>
      calls[member] !== undefined
        ? result !== "EBADF"
        : !/^(EBADF|EINVAL|ENOENT|EOPNOTSUPP)$/.test(result)
    );
    assertEquals(Object.fromEntries(wrong), {});
  });
}

Deno.test("the error of a closed object says what was closed", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  vm.close();
  assertStringIncludes(assertCode("EBADF", () => vcpu.run()).message, ". vCPU 0 was closed");
  assertStringIncludes(assertCode("EBADF", () => vm.createVcpu(1)).message, "The VM was closed");
  assertStringIncludes(assertCode("EBADF", () => vm.memory.readU8(0)).message, "VM was closed");
});

Deno.test("a slot of a closed VM is not its any more: removing it is EBADF", () => {
  using machine = bare();
  const { vm, memory } = machine;
  vm.close();
  assertCode("EBADF", () => vm.removeMemory(memory));
});

Deno.test("exits and arrays kept from before are EBADF or empty after close", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  const exit = runUntil(vcpu, "io");
  const { data } = exit;
  const { kvmRun } = vcpu;
  const { io } = kvmRun.exit;
  vcpu.close();
  assertEquals([data.length, data[0]], [0, undefined]);
  for (
    const use of [
      () => exit.value,
      () => exit.value = 1,
      () => exit.data,
      () => exit.port,
      () => exit.size,
      () => exit.count,
      () => exit.direction,
    ]
  ) assertCode("EBADF", use, String(use));
  assertEquals(exit.reason, "io");
  assertCode("EBADF", () => vcpu.kvmRun);
  assertCode("EBADF", () => vcpu.requestImmediateExit());
  for (
    const use of [
      () => kvmRun.exitReason,
      () => kvmRun.immediateExit = 1,
      () => kvmRun.exit.io.port,
      () => io.count,
      () => kvmRun.padding1,
    ]
  ) assertCode("EBADF", use, String(use));
});

Deno.test("printing an exit, a run page or an object after close throws nothing", () => {
  using machine = startLong(guests.ports);
  const { vm, vcpu, memory } = machine;
  const exit = runUntil(vcpu, "io");
  const { kvmRun } = vcpu;
  vm.close();
  for (const value of [exit, kvmRun, vcpu, vm, memory, vm.memory]) {
    assert(Deno.inspect(value).length > 1);
  }
});
