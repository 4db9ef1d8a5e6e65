import { assert, assertEquals } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { guestInfo, guests } from "../../guests/mod.ts";
import { longMode, pagedMode, protectedMode, realMode } from "../../src/boot/mod.ts";
import { formatRegisters } from "../../src/kvm/mod.ts";
import { needing } from "../support/host.ts";
import { bare, CELLS, runUntil, startLong } from "../support/machine.ts";

const greetings = {
  helloReal: [realMode, "Hello from real mode!\n", 0n],
  helloProtected: [protectedMode, "Hello from protected mode!\n", 1n],
  helloPaged: [pagedMode, "Hello from protected mode with paging!\n", 1n],
  hello: [longMode, "Hello from long mode!\n", 1n],
} as const;

/** Some hosts' KVM knows paging in long mode only. */
const hasPagedMode = (() => {
  using machine = bare(2 << 20);
  try {
    pagedMode(machine.vcpu, machine.memory, { code: guests.helloPaged });
    return true;
  } catch (error) {
    if (error instanceof KvmError && error.code === "EOPNOTSUPP") return false;
    throw error;
  }
})();

for (const [name, [start, line, protection]] of Object.entries(greetings)) {
  const { mode } = guestInfo[name as keyof typeof greetings];
  const title = `a guest in ${mode} mode says its line, and leaves 42 in register and memory`;
  const test = mode === "paged"
    ? needing("a KVM with paging in protected mode", hasPagedMode, title)
    : { name: title };
  Deno.test(test, () => {
    using machine = bare(2 << 20);
    const { vcpu, memory } = machine;
    start(vcpu, memory, { code: guests[name as keyof typeof greetings] });
    const bytes: number[] = [];
    for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) {
      assert(exit.reason === "io" && exit.direction === "out", Deno.inspect(exit));
      assertEquals([exit.port, exit.size, exit.count], [0x3f8, 1, 1]);
      bytes.push(...exit.data);
    }
    assertEquals(new TextDecoder().decode(Uint8Array.from(bytes)), line);
    const { rax, rbx } = vcpu.getRegs();
    assertEquals([rax & 0xffff_ffffn, rbx & 1n], [42n, protection]);
    assertEquals([memory.readU32(CELLS), BigInt(memory.readU32(CELLS + 4)) & 1n], [42, protection]);
  });
}

Deno.test("the guest for paged mode also says its line in compatibility mode, paged by long mode", () => {
  using machine = bare(2 << 20);
  const { vcpu, memory } = machine;
  longMode(vcpu, memory, { code: guests.helloPaged });
  // A 32-bit code segment under EFER.LMA (SDM volume 3, "Code-Segment Descriptor in 64-bit Mode").
  vcpu.setSregs({ cs: { l: 0, db: 1 } });
  let text = "";
  for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) {
    assert(exit.reason === "io", Deno.inspect(exit));
    text += String.fromCharCode(exit.value);
  }
  assertEquals(text, "Hello from protected mode with paging!\n");
  const PAGING_AND_PROTECTION = 0x8000_0001n;
  assertEquals(vcpu.getRegs().rbx & PAGING_AND_PROTECTION, PAGING_AND_PROTECTION);
  assertEquals(memory.readU32(CELLS), 42);
});

Deno.test("a guest echoes what it reads, one exit for each byte in each direction", () => {
  using machine = startLong(guests.echo);
  const { vcpu, memory } = machine;
  const input = [..."hello, KVM"].map((character) => character.charCodeAt(0));
  const output: number[] = [];
  const queue = [...input, 0];
  for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) {
    assert(exit.reason === "io", Deno.inspect(exit));
    if (exit.direction === "in") exit.value = queue.shift()!;
    else output.push(exit.value);
  }
  assertEquals([output, memory.readU64(CELLS)], [input, BigInt(input.length)]);
});

Deno.test("a guest handles its own exceptions, and the host sees nothing of them", () => {
  using machine = startLong(guests.idt);
  runUntil(machine.vcpu, "hlt");
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx], [42n, 0x41n]);
});

Deno.test("a guest's page fault is the guest's own", () => {
  using machine = startLong(guests.pageFault);
  runUntil(machine.vcpu, "hlt");
  const cells = [...machine.memory.array(BigUint64Array, CELLS, 2)];
  assertEquals(cells, [0x80_0000_0000n, 2n]);
});

Deno.test("a guest reaches privilege level 3 and comes back", () => {
  using machine = startLong(guests.compute, { registers: { rdi: 1000n } });
  runUntil(machine.vcpu, "hlt");
  let x = 0n;
  for (let turn = 0; turn < 1000; turn++) {
    x = BigInt.asUintN(64, x * 6364136223846793005n + 1442695040888963407n);
  }
  assertEquals(machine.memory.readU64(CELLS), x);
  assertEquals(machine.memory.readU64(CELLS + 0x10), 0x1bn);
});

Deno.test("the same vCPU runs one guest after another, from the state that it is given", () => {
  using machine = bare(2 << 20);
  const { vcpu, memory } = machine;
  for (let turn = 0; turn < 3; turn++) {
    longMode(vcpu, memory, { code: guests.halt });
    runUntil(vcpu, "hlt");
    memory.writeU32(CELLS, 0);
    realMode(vcpu, memory, { code: guests.helloReal });
    assertEquals(runUntil(vcpu, "io").value, "H".charCodeAt(0));
  }
});

Deno.test("what one vCPU of a VM writes another reads", () => {
  using machine = bare(2 << 20);
  const { vm, vcpu, memory } = machine;
  using second = vm.createVcpu(1);
  const code = guests.copy;
  const first = { rsi: 0x3000n, rdi: 0x3008n };
  const { reserved } = longMode(vcpu, memory, { code, registers: first });
  const next = { rsi: 0x3008n, rdi: 0x3010n };
  longMode(second, memory, { code, at: 0x4000, registers: next, avoid: reserved });
  memory.writeU64(0x3000, 0x1122_3344_5566_7788n);
  runUntil(vcpu, "hlt");
  runUntil(second, "hlt");
  assertEquals(memory.readU64(0x3010), 0x1122_3344_5566_7788n);
  assertEquals(vm.vcpus.map(({ id }) => id), [0, 1]);
});

Deno.test("twenty VMs run side by side, and none sees another's memory", () => {
  const machines = Array.from({ length: 20 }, () => startLong(guests.ports));
  try {
    for (let turn = 1; turn <= 3; turn++) {
      for (const [index, { vcpu, memory }] of machines.entries()) {
        assertEquals(runUntil(vcpu, "io").value, turn);
        memory.writeU32(0x3000, index);
      }
    }
    assertEquals(machines.map(({ memory }) => memory.readU32(0x3000)), [...machines.keys()]);
  } finally {
    for (const machine of machines) machine[Symbol.dispose]();
  }
});

Deno.test("registers are shown as text, with the special ones where they are given", () => {
  using machine = startLong(guests.hello);
  const { vcpu } = machine;
  vcpu.setRegs({ rax: 0xabcdn });
  const regs = formatRegisters(vcpu.getRegs());
  assert(regs.includes("RAX 000000000000abcd") && regs.includes("RIP 0000000000001000"), regs);
  const all = formatRegisters(vcpu.getRegs(), vcpu.getSregs());
  for (const part of ["CS ", "64-bit", "GDT", "IDT", "CR0", "EFER"]) {
    assert(all.includes(part), all);
  }
});
