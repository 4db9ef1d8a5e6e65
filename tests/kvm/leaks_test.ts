import { assert, assertEquals, assertLess } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { liveMappings, mappings, openFiles, residentBytes } from "../support/host.ts";
import { bare, farAddress } from "../support/machine.ts";
import { rounds } from "../support/rounds.ts";

const MIB = 2 ** 20;

/** Mappings that this library makes: of guests, of run pages, and large anonymous ones. */
function guestMappings(): number {
  return mappings().filter(({ name }) => /kvm/.test(name) && !/kvm-shim/.test(name)).length;
}

function cycle(turn: number): void {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 * MIB, backing: turn % 2 ? "memfd" : "anonymous" });
  using vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code: guests.halt });
  using _limit = vcpu.interruptAfter(5000);
  assertEquals(vcpu.run().reason, "hlt");
}

/** Mappings of guests are as before, and files no more: threads of earlier tests may still close some. */
function assertNoneLeft([files, mappings]: readonly [number, number]): void {
  assertLess(openFiles(), files + 1);
  assertEquals(guestMappings(), mappings);
}

Deno.test("hundreds of VMs that come, run and go leave no file, no mapping and hardly any memory", () => {
  for (let turn = 0; turn < rounds(20); turn++) cycle(turn);
  const before = { files: openFiles(), maps: guestMappings(), all: liveMappings().length };
  const resident = residentBytes();
  for (let turn = 0; turn < rounds(300); turn++) cycle(turn);
  assertEquals([openFiles(), guestMappings()], [before.files, before.maps]);
  // The runtime's own heap moves.
  assertLess(liveMappings().length, before.all + 60);
  assertLess(residentBytes(), resident + 64 * MIB);
});

Deno.test("calls that fail leave no file and no mapping", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  using kvm = Kvm.open();
  const failing: readonly (() => unknown)[] = [
    () => Kvm.open("/dev/null"),
    () => Kvm.open("/nowhere"),
    () => kvm.createVm({ type: 99 }),
    () => vm.createVcpu(0),
    () => vm.createVcpu(0xffff_ffff),
    () => vm.addMemory({ size: 4096 }),
    () => vm.addMemory({ size: 2 ** 43, guestPhysAddr: 2 ** 44 }),
    () => vm.addMemory({ size: 2 ** 43, guestPhysAddr: 2 ** 44, backing: "memfd" }),
    () => vm.addMemory({ size: 2 ** 48, guestPhysAddr: 2 ** 49 }),
    () => vm.getPit2(),
    () => vcpu.setSregs({ cr4: 1n << 40n }),
    () => vcpu.setMsr(0x1234_5678, 0n),
    () => vcpu.interruptAfter(-1),
  ];
  const all = () => {
    for (const fail of failing) {
      let failed = false;
      try {
        fail();
      } catch {
        failed = true;
      }
      assert(failed, String(fail));
    }
  };
  all();
  const before = [openFiles(), guestMappings()] as const;
  const maps = liveMappings().length;
  for (let turn = 0; turn < 100; turn++) all();
  assertNoneLeft(before);
  assertLess(liveMappings().length, maps + 60);
  assertEquals(vm.memory.slots.length, 1);
});

Deno.test("a hundred slots added and removed, large and small, leave nothing behind", () => {
  using machine = bare();
  const { vm } = machine;
  const before = [openFiles(), guestMappings()] as const;
  const maps = liveMappings().length;
  const guestPhysAddr = farAddress();
  for (let turn = 0; turn < 100; turn++) {
    const size = turn % 10 === 0 ? guestPhysAddr / 16 : 4096 * (turn + 1);
    const backing = turn % 3 ? "anonymous" : "memfd";
    const slot = vm.addMemory({ size, guestPhysAddr, backing });
    slot.writeU8(guestPhysAddr, 1);
    vm.removeMemory(slot);
  }
  assertNoneLeft(before);
  assertLess(liveMappings().length, maps + 20);
});
