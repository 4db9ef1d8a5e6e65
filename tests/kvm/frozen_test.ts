/**
 * Nobody can put another descriptor, memory or size into the library's objects: the kernel would be
 * told what is not so.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Cap, DeviceType, GuestMemfdFlag } from "../../ffi/uapi/mod.ts";
import { EventFd, type GuestMemfd, Kvm } from "../../src/kvm/mod.ts";
import { GuestMemory } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare } from "../support/machine.ts";
import { emptyVm } from "../support/memory.ts";
import { needs } from "../support/needs.ts";

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

Deno.test("every object that stands for something of the kernel's is frozen", () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm, vcpu, memory } = machine;
  using kvm = Kvm.open();
  using event = new EventFd();
  using tracker = vm.trackDirty();
  const connection = vm.irqfd(event, 5);
  const { coalescedMmio, syncRegs } = vcpu;
  const objects: Record<string, object> = {
    ...{ kvm, vm, vcpu, memory, event, tracker, connection, coalescedMmio, syncRegs },
    ...{ all: vm.memory, smm: vm.smmMemory, own: new GuestMemory() },
  };
  if (vm.check(Cap.BINARY_STATS_FD)) objects.stats = vm.getStatsFd();
  if (vm.check(Cap.GUEST_MEMFD)) objects.guestMemfd = vm.createGuestMemfd({ size: 4096 });
  if (vm.canCreateDevice(DeviceType.VFIO)) objects.device = vm.createDevice(DeviceType.VFIO);
  for (const [name, object] of Object.entries(objects)) {
    assert(Object.isFrozen(object), name);
    for (const key of ["handle", "memory", "size", "closed", "memoryOf"]) {
      assertThrows(() => (object as Anything)[key] = {}, TypeError, "", `${name}.${key}`);
    }
  }
  for (const object of [objects.stats, objects.guestMemfd, objects.device]) {
    (object as Disposable | undefined)?.[Symbol.dispose]();
  }
});

Deno.test("an event of a class of the user's has what that class gives it", () => {
  class Named extends EventFd {
    name = "disk";
  }
  using event = new Named();
  event.name += " 1";
  assertEquals(event.name, "disk 1");
});

Deno.test("a log's buffer is as large as the slot's size says, whatever a VM is told to have", () => {
  using vm = emptyVm();
  const slot = vm.addMemory({ size: 1 << 24, logDirtyPages: true });
  using other = emptyVm();
  const small = other.addMemory({ size: 4096 });
  const into = new Uint8Array(new ArrayBuffer(8));
  assertThrows(() => (vm as Anything).memory = { slots: [small] }, TypeError);
  assertThrows(() => (vm as Anything).memoryOf = () => vm.memory, TypeError);
  assertThrows(() => Object.defineProperty(vm, "memory", { value: other.memory }), TypeError);
  assertCode("ENOENT", () => vm.getDirtyLog(small, into));
  // Both look like the slot, and one has a size of its own.
  for (const size of [1 << 24, 4096]) {
    const impostor = Object.create(slot, { size: { value: size }, slot: { value: slot.slot } });
    assertCode("ENOENT", () => vm.getDirtyLog(impostor, into));
    assertCode("ENOENT", () => vm.removeMemory(impostor));
  }
  assertCode("EINVAL", () => vm.getDirtyLog(slot, into));
  vm.close();
  assertEquals([slot.size, slot.all.length], [0, 0]);
});

Deno.test(
  needs(
    "memory that can't be mapped is not, whatever its flags are said to be",
    "GUEST_MEMFD_FLAGS",
  ),
  () => {
    using vm = emptyVm();
    const flags = GuestMemfdFlag.MMAP;
    if ((BigInt(vm.check(Cap.GUEST_MEMFD_FLAGS)) & flags) === 0n) return;
    using guestMemfd = vm.createGuestMemfd({ size: 1 << 20, flags });
    const all = flags | GuestMemfdFlag.INIT_SHARED;
    assertThrows(() => (guestMemfd as { flags: bigint }).flags = all, TypeError);
    const impostor: GuestMemfd = Object.create(guestMemfd, { flags: { value: all } });
    // Mapped, the first access would be a bus error.
    assertThrows(() => vm.addMemory({ size: 1 << 20, guestMemfd: impostor }).writeU8(0, 1));
    vm.addMemory({ size: 1 << 20, guestMemfd }).writeU8(0, 1);
    assertEquals([guestMemfd.flags, guestMemfd.mappable], [flags, false]);
  },
);
