/**
 * Options by names that nobody would look at, and names that every object has: what a script believes
 * to have asked for, it has, or it gets an error.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeBreakpoints } from "../../src/arch/x86/mod.ts";
import { longMode, pagedMode, protectedMode, realMode } from "../../src/boot/mod.ts";
import { Cpuid, encodeRedirection, EventFd, Kvm, msiMessage } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare } from "../support/machine.ts";

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

Deno.test("an option of a name that is none is refused, and the error has those that are", async () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm, vcpu, memory } = machine;
  using kvm = Kvm.open();
  using event = new EventFd();
  const cpuid = kvm.getSupportedCpuid();
  const code = Uint8Array.of(0xf4);
  const bitmap = vm.setDirtyLogging(memory, true) ?? vm.getDirtyLog(memory);
  const calls: readonly [wrong: string, right: string, call: () => unknown][] = [
    ["Type", "type", () => kvm.createVm({ Type: 77 } as Anything)],
    ["readOnly", "readonly", () => vm.addMemory({ size: 4096, readOnly: true } as Anything)],
    ["Flags", "flags", () => vm.createGuestMemfd({ size: 4096, Flags: 1n } as Anything)],
    ["page", "firstPage", () => vm.clearDirtyLog(memory, bitmap, { page: 64 } as Anything)],
    ["resampler", "resample", () => vm.irqfd(event, 5, { resampler: event } as Anything)],
    ["PIO", "pio", () => vm.ioeventfd(event, { addr: 0x10, len: 1, PIO: true } as Anything)],
    [
      "length",
      "size",
      () => vm.registerCoalescedMmio({ addr: 0, size: 4, length: 4 } as Anything),
    ],
    ["blob", "blob32", () => vm.xenHvmConfig({ blob: code } as Anything)],
    ["fd", "sevFd", () => vm.memoryEncryptOp(0, undefined, { fd: 5 } as Anything)],
    ["event", "events", () => vm.setPmuEventFilter({ action: "deny", event: [] } as Anything)],
    [
      "umask",
      "unitMask",
      () => vm.setPmuEventFilter({ action: "deny", events: [{ select: 1, umask: 1 }] as Anything }),
    ],
    ["MSI", "msi", () => vm.setGsiRouting([{ gsi: 1, MSI: {} } as Anything])],
    ["signal", "timeout", () => vcpu.run({ signal: AbortSignal.abort() } as Anything)],
    ["timeot", "timeout", () => vcpu.run({ timeot: 5 } as Anything)],
    ["singlestep", "singleStep", () => vcpu.setGuestDebug({ singlestep: true } as Anything)],
    ["zeropages", "zeroPages", () => vcpu.hypervSynic({ zeropages: true } as Anything)],
    ["first", "initial", () => new EventFd({ first: 1 } as Anything)],
    ["apicId", "id", () => Cpuid.host(kvm, { apicId: 1 } as Anything)],
    ["threadz", "threads", () => cpuid.setTopology(0, { threadz: 2 } as Anything)],
    ["EAX", "eax", () => cpuid.set(1, { EAX: 1 } as Anything)],
    ["EBX", "ebx", () => cpuid.mask(1, { EBX: 1 } as Anything)],
    ["level", "trigMode", () => msiMessage({ vector: 0x31, level: 1 } as Anything)],
    ["masked", "mask", () => encodeRedirection({ vector: 0x31, masked: 1 } as Anything)],
    ["cpll", "cpl", () => longMode(vcpu, memory, { code, cpll: 3 } as Anything)],
    ["ports", "port", () => longMode(vcpu, memory, { code, idt: { ports: 5 } as Anything })],
    ["idt", "code", () => realMode(vcpu, memory, { code, idt: true } as Anything)],
    ["cpl", "registers", () => protectedMode(vcpu, memory, { code, cpl: 3 } as Anything)],
    ["map", "stack", () => pagedMode(vcpu, memory, { code, map: 2 ** 30 } as Anything)],
    [
      "kind",
      "type",
      () => encodeBreakpoints([{ type: "execute", address: 0n, kind: 1 } as Anything]),
    ],
  ];
  for (const [wrong, right, call] of calls) {
    const { message } = assertCode("EINVAL", call, wrong);
    assertStringIncludes(message, `has no ${wrong}, but `);
    assertStringIncludes(message, right);
  }
  const { message } = assertCode("EINVAL", () => vcpu.run({ signal: null } as Anything));
  assertStringIncludes(message, "runAsync");
  const late = assertCode("EINVAL", () => vcpu.run({ timeout: -1 }));
  assertStringIncludes(
    late.message,
    "limit the runs of vCPU 0: EINVAL. A time limit in milliseconds",
  );
  const run = await vcpu.runAsync({ timout: 5 } as Anything).catch((error) => error);
  assertStringIncludes(run.message, "timeout, signal");
  const wait = await event.wait({ timeout: 5 } as Anything).catch((error) => error);
  assertStringIncludes(wait.message, "has no timeout, but signal");
  // What is undefined asks for nothing.
  longMode(vcpu, memory, { code, Cpl: undefined } as Anything);
  vcpu.setGuestDebug({ singlestep: undefined } as Anything);
});

Deno.test("names that every object has are no options, kinds or commands", () => {
  using machine = bare();
  const { vm, vcpu, memory } = machine;
  for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"] as Anything[]) {
    const under = JSON.parse(`{"${name}": [16]}`);
    const options = { size: 4096, guestPhysAddr: 1 << 30 };
    const calls: (() => unknown)[] = [
      () => vm.setPmuEventFilter({ action: name, events: [{ select: 0xc0 }] }),
      () => vm.setMsrFilter(under),
      () => vm.disableExits(under),
      () => vm.addMemory({ ...options, hugePages: name }),
      () => vm.addMemory({ ...options, hugePages: name, backing: "memfd" }),
      () => vm.sevCommand(name, {}),
      () => vcpu.setGuestDebug({ breakpoints: [{ type: name, address: 0n }] }),
      () => memory.struct({ field: name }, 0),
      () => longMode(vcpu, memory, { code: Uint8Array.of(0xf4), pageSize: name }),
      () => longMode(vcpu, memory, { code: Uint8Array.of(0xf4), registers: under }),
    ];
    for (const [index, call] of calls.entries()) {
      assertCode("EINVAL", call, `no. ${index}, ${name}`);
    }
    assertCode("ENOENT", () => new Cpuid().has(name));
  }
  assertEquals(vm.memory.slots.length, 1);
});

Deno.test("minus zero is zero", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm({ type: -0 });
  assertEquals([kvm.check(-0 as Anything), vm.check(-0 as Anything)], [kvm.check(0), vm.check(0)]);
  using vcpu = vm.createVcpu(-0);
  const memory = vm.addMemory({ size: 4096, guestPhysAddr: -0 });
  assert(Object.is(vcpu.id, 0) && Object.is(memory.guestPhysAddr, 0));
  memory.writeU32(-0, 5);
  assertEquals([memory.readU32(0), memory.readU32(-0)], [5, 5]);
  vm.setTssAddress(-0);
  vcpu.setMpState(-0);
  using event = new EventFd({ initial: -0 });
  assertEquals(event.read(), undefined);
});

Deno.test("what an operation is tried with is shown as it is, and never asked for its text", () => {
  using machine = bare();
  const { vm } = machine;
  const secretive = {
    toString() {
      throw new Error("asked");
    },
  };
  const shown: readonly [value: Anything, text: string][] = [
    [Symbol("s"), "Symbol(s)"],
    [Object.create(null), "an object"],
    [secretive, "an object"],
    [[1, 2], "a list"],
    ["0x10", '"0x10"'],
    [5n, "5n"],
  ];
  for (const [value, text] of shown) {
    const calls: readonly [operation: string, call: () => unknown][] = [
      ["check capability", () => vm.check(value)],
      ["create vCPU", () => vm.createVcpu(value)],
      ["create a device of type", () => vm.createDevice(value)],
      ["set interrupt line", () => vm.setIrqLine(value, true)],
      ["set the TSS address to", () => vm.setTssAddress(value)],
      ["read Xen attribute", () => vm.xenHvmGetAttr(value)],
      ["enable KVM_CAP_", () => vm.enableCap(value)],
      ["make an event interrupt line", () => vm.irqfd(undefined as Anything, value)],
      ["add", () => vm.addMemory({ size: value })],
    ];
    for (const [operation, call] of calls) {
      const { message } = assertCode("EINVAL", call, operation);
      const space = operation.endsWith("_") ? "" : " ";
      assertStringIncludes(message, `Cannot ${operation}${space}${text}`);
    }
  }
});

Deno.test("what is no place for an answer, and no struct of a command, is left alone", () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm, vcpu } = machine;
  const into: Anything = {};
  assertCode("EINVAL", () => vm.getIrqchip(0, into));
  assertCode("EINVAL", () => vm.getIrqchip(0, "x" as Anything));
  assertEquals(into, {});
  for (const data of ["0x10", null, 5, {}, [1]] as Anything[]) {
    assertCode("EINVAL", () => vm.memoryEncryptOp(1, data));
    assertCode("EINVAL", () => vcpu.memoryEncryptOp(1, data));
  }
  const cpuid = Cpuid.baseline();
  for (const registers of [undefined, null, { eax: "1" }, { eax: 2 ** 32 }] as Anything[]) {
    assertCode("EINVAL", () => cpuid.mask(1, registers));
  }
  assertEquals(cpuid.diff(Cpuid.baseline()), []);
});
