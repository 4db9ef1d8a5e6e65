import { assertArrayIncludes, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { KvmError } from "../../../ffi/mod.ts";
import { Cap, GuestMemfdFlag, MemFlag, MemoryAttribute, VmType } from "../../../ffi/uapi/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { type GuestMemfd, Kvm, type Vm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing, openFiles } from "../../support/host.ts";
import { bare, runUntil } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const MAPPABLE = GuestMemfdFlag.MMAP | GuestMemfdFlag.INIT_SHARED;

/** Whether an ordinary VM can have guest memory that the host sees. */
function hasMappable(): boolean {
  using machine = bare();
  return (BigInt(machine.vm.check(Cap.GUEST_MEMFD_FLAGS)) & MAPPABLE) === MAPPABLE;
}

Deno.test({
  ...needing("GUEST_MEMFD_FLAGS with MMAP", hasMappable(), "a guest runs in a guest_memfd"),
  fn() {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using guestMemfd = vm.createGuestMemfd({ size: 4 << 20, flags: MAPPABLE });
    assertEquals([guestMemfd.size, guestMemfd.mappable], [4 << 20, true]);
    const memory = vm.addMemory({ size: 2 << 20, guestMemfd, guestMemfdOffset: 1 << 20 });
    assertEquals(memory.flags, MemFlag.GUEST_MEMFD);
    using vcpu = vm.createVcpu(0);
    longMode(vcpu, memory, { code: guests.halt });
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU32(0x2000), 42);
    // The memory is the slot's as well: it lives on without the descriptor.
    guestMemfd.close();
    assertEquals(memory.readU32(0x2000), 42);
    vm.removeMemory(memory);
    assertEquals(memory.size, 0);
  },
});

Deno.test({
  ...needing("GUEST_MEMFD_FLAGS with MMAP", hasMappable(), "two slots share a guest_memfd's parts"),
  fn() {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using guestMemfd = vm.createGuestMemfd({ size: 2 << 20, flags: MAPPABLE });
    const size = 1 << 20;
    const low = vm.addMemory({ size, guestMemfd });
    const high = vm.addMemory({ size, guestMemfd, guestMemfdOffset: size, guestPhysAddr: 1 << 30 });
    low.writeU32(0, 1);
    high.writeU32(1 << 30, 2);
    assertEquals([low.readU32(0), high.readU32(1 << 30)], [1, 2]);
    // KVM binds each part to one slot. EINVAL before Linux 7, where it says EEXIST.
    const overlapping = { size, guestMemfd, guestPhysAddr: 2 ** 31 };
    const { code } = assertThrows(() => vm.addMemory(overlapping), KvmError);
    assertArrayIncludes(["EINVAL", "EEXIST"], [code]);
  },
});

Deno.test(needs("what a guest_memfd can't be is refused and leaks nothing", "GUEST_MEMFD"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (const size of [0, -4096, 4095, 1.5, NaN, Infinity]) {
    assertCode("EINVAL", () => vm.createGuestMemfd({ size }), String(size));
  }
  assertCode("EINVAL", () => vm.createGuestMemfd({ size: 4096, flags: 1n << 63n }));
});

Deno.test({
  ...needing("GUEST_MEMFD_FLAGS with MMAP", hasMappable(), "a slot lies within its guest_memfd"),
  fn() {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using guestMemfd = vm.createGuestMemfd({ size: 1 << 20, flags: MAPPABLE });
    const before = openFiles();
    const size = 1 << 20;
    for (const guestMemfdOffset of [4096, -4096, 1, NaN]) {
      assertCode("EINVAL", () => vm.addMemory({ size, guestMemfd, guestMemfdOffset }));
    }
    assertCode("EINVAL", () => vm.addMemory({ size: 2 << 20, guestMemfd }));
    assertCode("EINVAL", () => vm.addMemory({ size, guestMemfd, readonly: true }));
    assertCode("EINVAL", () => vm.addMemory({ size, guestMemfd, logDirtyPages: true }));
    const slot = vm.addMemory({ size, guestMemfd });
    assertCode("EOPNOTSUPP", () => vm.setDirtyLogging(slot, true));
    // What is tracked by default leaves such slots out.
    using tracker = vm.trackDirty();
    assertEquals(tracker.collect(), []);
    using other = kvm.createVm();
    assertCode("EINVAL", () => other.addMemory({ size, guestMemfd }));
    guestMemfd.close();
    assertCode("EBADF", () => vm.addMemory({ size, guestMemfd, guestPhysAddr: 1 << 30 }));
    assertEquals(openFiles(), before);
  },
});

/** An ordinary VM, or one of a type with private memory. */
function withPrivateMemory(kvm: Kvm): Vm | undefined {
  if ((kvm.check(Cap.VM_TYPES) & (1 << VmType.SW_PROTECTED)) === 0) return undefined;
  return kvm.createVm({ type: VmType.SW_PROTECTED });
}

function hasPrivateMemory(): boolean {
  using kvm = Kvm.open();
  using vm = withPrivateMemory(kvm);
  return vm !== undefined && vm.check(Cap.MEMORY_ATTRIBUTES) > 0;
}

Deno.test({
  ...needing(
    "a VM type with MEMORY_ATTRIBUTES",
    hasPrivateMemory(),
    "private memory is not the shared one",
  ),
  fn() {
    using kvm = Kvm.open();
    using vm = withPrivateMemory(kvm)!;
    const guestMemfd: GuestMemfd = vm.createGuestMemfd({ size: 1 << 20 });
    const size = 1 << 20;
    const memory = vm.addMemory({ size });
    const data = vm.addMemory({ size, guestPhysAddr: 1 << 30, guestMemfd });
    using vcpu = vm.createVcpu(0);
    data.writeU64(1 << 30, 0x5555n);
    vm.setMemoryAttributes({ guestPhysAddr: 1 << 30, size }, MemoryAttribute.PRIVATE);
    const registers = { rsi: BigInt(1 << 30), rdi: BigInt((1 << 30) + 8) };
    longMode(vcpu, memory, { code: guests.copy, registers });
    runUntil(vcpu, "hlt");
    // The guest read zeroes of its own, not what the host wrote.
    assertEquals(vcpu.getRegs().rax, 0n);
    vm.setMemoryAttributes({ guestPhysAddr: 1 << 30, size }, 0n);
    longMode(vcpu, memory, { code: guests.copy, registers });
    runUntil(vcpu, "hlt");
    assertEquals(vcpu.getRegs().rax, 0x5555n);
    assertEquals(data.readU64((1 << 30) + 8), 0x5555n);
  },
});

Deno.test("attributes of memory need a VM that has them, and whole pages", () => {
  using machine = bare();
  const { vm } = machine;
  const range = (guestPhysAddr: number, size: number) => ({ guestPhysAddr, size });
  for (const [address, size] of [[1, 4096], [0, 1], [-4096, 4096], [NaN, 4096]] as const) {
    assertCode("EINVAL", () => vm.setMemoryAttributes(range(address, size), 0n));
  }
  if (vm.check(Cap.MEMORY_ATTRIBUTES) > 0) return;
  const error = assertCode("EOPNOTSUPP", () => vm.setMemoryAttributes(range(0, 4096), 0n));
  assertStringIncludes(error.message, "MEMORY_ATTRIBUTES");
});

Deno.test("only guests of SEV register encrypted memory", () => {
  using machine = bare();
  const { vm } = machine;
  const range = { guestPhysAddr: 0, size: 4096 };
  const error = assertCode("ENOTTY", () => vm.memoryEncryptRegRegion(range));
  assertStringIncludes(error.message, "SEV");
  assertCode("ENOTTY", () => vm.memoryEncryptUnregRegion(range));
  assertCode("EFAULT", () => vm.memoryEncryptRegRegion({ guestPhysAddr: 1 << 30, size: 4096 }));
  assertCode("EFAULT", () => vm.memoryEncryptRegRegion({ guestPhysAddr: 0, size: 1 << 30 }));
  assertCode("EINVAL", () => vm.memoryEncryptRegRegion({ guestPhysAddr: 0, size: 0 }));
});

function tellsNrMmuPages(vm: Vm): boolean {
  try {
    return vm.getNrMmuPages() > 0;
  } catch (error) {
    if (error instanceof KvmError && error.code === "ENOTTY") return false;
    throw error;
  }
}

Deno.test(
  needs("a guest runs with few shadow pages, or with the default", "MMU_SHADOW_CACHE_CONTROL"),
  () => {
    using machine = bare(2 << 20);
    const { vm, vcpu, memory } = machine;
    vm.setNrMmuPages(64);
    longMode(vcpu, memory, { code: guests.halt });
    runUntil(vcpu, "hlt");
    for (const pages of [63, 0, -1, 1.5]) assertCode("EINVAL", () => vm.setNrMmuPages(pages));
    // It is deprecated: newer kernels answer it no more.
    if (tellsNrMmuPages(vm)) assertEquals(vm.getNrMmuPages(), 64);
    else assertCode("ENOTTY", () => vm.getNrMmuPages());
  },
);
