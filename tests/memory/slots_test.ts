import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import type { AddMemoryOptions } from "../../mod.ts";
import type { MemorySlot } from "../../src/memory/mod.ts";
import { Cap, MemFlag } from "../../ffi/uapi/mod.ts";
import { assertCode } from "../support/codes.ts";
import {
  hasTransparentHugePages,
  isMapped,
  mappedBytes,
  needing,
  openFiles,
  openTargets,
} from "../support/host.ts";
import {
  CELLS,
  farAddress,
  physAddrBits,
  runUntil,
  startLong,
  supportedCpuid,
} from "../support/machine.ts";
import { emptyVm, twoSlots } from "../support/memory.ts";
import { needs } from "../support/needs.ts";
import { unemulated } from "../support/rounds.ts";

const GIB = 2 ** 30;

/** Runs the copy guest, from one address to another, until it halts or touches what is no memory. */
function copyInGuest(vcpu: ReturnType<typeof startLong>["vcpu"], rsi: number, rdi: number) {
  vcpu.setRegs({ rip: 0x1000n, rsi: BigInt(rsi), rdi: BigInt(rdi), rflags: 2n });
  return vcpu.run();
}

Deno.test("a slot knows its number, its range and its flags", () => {
  using machine = twoSlots();
  const { far, low, high, memory } = machine;
  assertEquals([far.slot, high.slot, low.slot], [0, 1, 2]);
  assertEquals([low.guestPhysAddr, low.size, low.end, low.flags], [0x1000, 0x2000, 0x3000, 0]);
  assertEquals(low.all.length, 0x2000);
  assertEquals(low.dataView.byteLength, 0x2000);
  assertEquals(memory.slots, [low, high, far]);
});

Deno.test("a slot is found by each of its addresses, and by no other", () => {
  using machine = twoSlots();
  const { memory, low, high, far } = machine;
  const cases: readonly [number, MemorySlot | undefined][] = [
    [0, undefined],
    [0xfff, undefined],
    [0x1000, low],
    [0x2fff, low],
    [0x3000, high],
    [0x4fff, high],
    [0x5000, undefined],
    [0x10000, far],
    [0x11fff, far],
    [0x12000, undefined],
    [-1, undefined],
    [NaN, undefined],
  ];
  // Twice and mixed, since the slot found last is tried first.
  for (const [address, slot] of [...cases, ...cases.toReversed()]) {
    assertEquals(memory.slotAt(address) === slot, true, String(address));
  }
});

Deno.test("an address in this process belongs to the slot's memory", () => {
  using machine = twoSlots();
  const { memory, low, high } = machine;
  assertEquals(low.hostAddress(0x1234), low.userspaceAddr + 0x234n);
  assertEquals(memory.hostAddress(0x3001), high.userspaceAddr + 1n);
  assert(isMapped(low.userspaceAddr));
  assertCode("EFAULT", () => memory.hostAddress(0x9000));
  assertCode("EFAULT", () => low.hostAddress(0x3000));
  assertCode("EFAULT", () => low.hostAddress(NaN));
});

Deno.test("memory that overlaps a slot is EEXIST and names that slot", () => {
  using machine = twoSlots();
  const { vm } = machine;
  const overlaps = [[0x1000, 0x2000], [0, 0x2000], [0x2000, 0x1000], [0x2000, 0x2000], [
    0,
    0x20000,
  ]];
  for (const [guestPhysAddr, size] of overlaps) {
    const error = assertCode("EEXIST", () => vm.addMemory({ guestPhysAddr, size: size! }));
    assertStringIncludes(error.hint!, "0x1000-0x2fff");
  }
  assertEquals(vm.memory.slots.length, 3);
  vm.addMemory({ guestPhysAddr: 0, size: 0x1000 });
  vm.addMemory({ guestPhysAddr: 0x5000, size: 0xb000 });
  assertEquals(vm.memory.readBytes(0, 0x12000).length, 0x12000);
});

Deno.test("a size or an address that is no multiple of a page is EINVAL, and leaves nothing behind", () => {
  using vm = emptyVm();
  const [files, mapped] = [openFiles(), mappedBytes()];
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const sizes: any[] = [0, -4096, 1, 4097, 0.5, NaN, Infinity, "4096", undefined, null, 4096n];
  for (const size of sizes) {
    for (const backing of ["anonymous", "memfd"] as const) {
      assertCode("EINVAL", () => vm.addMemory({ size, backing }), String(size));
    }
  }
  const addresses = [-4096, 1, 4095, 0.5, NaN, Infinity, 2 ** 52, 2 ** 53, 2 ** 64];
  for (const guestPhysAddr of addresses) {
    assertCode("EINVAL", () => vm.addMemory({ size: 4096, guestPhysAddr }), String(guestPhysAddr));
  }
  assertEquals(vm.memory.slots, []);
  assertEquals(openFiles(), files);
  assert(mappedBytes() < mapped + GIB);
});

Deno.test("an address that is no number is EINVAL", () => {
  using vm = emptyVm();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const addresses: any[] = ["0", "0x1000", null, {}, [], true, 0n];
  for (const guestPhysAddr of addresses) {
    assertCode("EINVAL", () => vm.addMemory({ size: 4096, guestPhysAddr }), typeof guestPhysAddr);
  }
});

Deno.test("a backing and a kind of pages that are none are EINVAL", () => {
  using vm = emptyVm();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  assertCode("EINVAL", () => vm.addMemory({ size: 4096, backing: "file" as any }));
  // deno-lint-ignore no-explicit-any -- what the types forbid
  assertCode("EINVAL", () => vm.addMemory({ size: 4096, hugePages: "4M" as any }));
  assertEquals(vm.memory.slots, []);
});

Deno.test("more than a slot can hold is an error that leaves nothing behind", () => {
  using vm = emptyVm();
  const [files, mapped] = [openFiles(), mappedBytes()];
  // A slot has fewer than 2^31 pages (api.rst 4.35).
  const error = assertCode("EINVAL", () => vm.addMemory({ size: 2 ** 43, backing: "anonymous" }));
  assertStringIncludes(error.message, "add several slots");
  assertCode("ENOMEM", () => vm.addMemory({ size: 2 ** 48 }));
  assertCode("ENOMEM", () => vm.addMemory({ size: 2 ** 48, backing: "memfd" }));
  assertEquals(vm.memory.slots, []);
  assertEquals(openFiles(), files);
  assert(mappedBytes() < mapped + GIB);
  vm.addMemory({ size: 4096 });
});

Deno.test("the guest reads and writes memory far above 4 GiB, with nothing in between", () => {
  const far = farAddress();
  using machine = startLong(guests.copy, { map: 2 * far, size: 16 << 20 }, (vm) => {
    vm.addMemory({ size: 0x4000, guestPhysAddr: far });
  });
  const { vm, vcpu } = machine;
  vcpu.setCpuid(supportedCpuid());
  vm.memory.writeU64(far, 0x1122_3344_5566_7788n);
  assertEquals(copyInGuest(vcpu, far, far + 0x3ff8).reason, "hlt");
  assertEquals(vm.memory.readU64(far + 0x3ff8), 0x1122_3344_5566_7788n);
  assertEquals(vm.memory.slotAt(far - 1), undefined);
});

Deno.test("memory may lie at the highest addresses that the processor has", () => {
  using vm = emptyVm();
  const end = 2 ** physAddrBits();
  const slot = vm.addMemory({ size: 0x1000, guestPhysAddr: end - 0x1000 });
  slot.writeU64(end - 8, 5n);
  assertEquals(vm.memory.readU64(end - 8), 5n);
  assertCode("EFAULT", () => vm.memory.readU64(end - 7));
});

Deno.test("memory at the highest addresses that there can be works, or is EINVAL, and above is none", () => {
  using vm = emptyVm();
  const end = 2 ** 52;
  try {
    vm.addMemory({ size: 0x1000, guestPhysAddr: end - 0x1000 });
    vm.memory.writeU64(end - 8, 5n);
    assertEquals(vm.memory.readU64(end - 8), 5n);
    assertCode("EFAULT", () => vm.memory.readU64(end - 7));
  } catch (error) {
    // Without nested paging KVM takes all 52 bits; with it, as many as the processor has.
    assert(error instanceof KvmError && error.code === "EINVAL", String(error));
    assertLess(physAddrBits(), 52);
    assertEquals(vm.memory.slots, []);
  }
  assertCode("EINVAL", () => vm.addMemory({ size: 0x1000, guestPhysAddr: end }));
});

Deno.test("64 GiB of memory cost nothing until touched, by guest or host", () => {
  const start = performance.now();
  using machine = startLong(guests.copy, { map: 128 * GIB }, (vm) => {
    vm.addMemory({ size: 64 * GIB, guestPhysAddr: 4 * GIB });
  });
  const { vm, vcpu } = machine;
  vcpu.setCpuid(supportedCpuid());
  const last = 68 * GIB - 8;
  vm.memory.writeU64(33 * GIB, 77n);
  assertEquals(copyInGuest(vcpu, 33 * GIB, last).reason, "hlt");
  assertEquals([vm.memory.readU64(last), vm.memory.readU64(50 * GIB)], [77n, 0n]);
  assert(performance.now() - start < 5000);
});

Deno.test("a removed slot is no memory for the guest any more: its accesses are MMIO", () => {
  using machine = startLong(guests.copy);
  const { vm, vcpu, memory } = machine;
  const slot = vm.addMemory({ size: 0x1000, guestPhysAddr: 0x4000_0000 });
  slot.writeU64(0x4000_0000, 5n);
  assertEquals(copyInGuest(vcpu, 0x4000_0000, 0x3000).reason, "hlt");
  assertEquals(memory.readU64(0x3000), 5n);
  vm.removeMemory(slot);
  const exit = copyInGuest(vcpu, 0x4000_0000, 0x3000);
  assert(exit.reason === "mmio" && !exit.isWrite);
  assertEquals([exit.physAddr, exit.len], [0x4000_0000, 8]);
  exit.bigValue = 6n;
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU64(0x3000), 6n);
});

Deno.test("memory in a removed slot's place is fresh, and takes the slot's number", () => {
  using machine = startLong(guests.copy);
  const { vm, vcpu, memory } = machine;
  for (let turn = 1; turn <= 20; turn++) {
    const slot = vm.addMemory({ size: 0x1000 * turn, guestPhysAddr: 0x4000_0000 });
    assertEquals([slot.slot, slot.readU64(0x4000_0000)], [1, 0n]);
    assertEquals(vm.memory.readU64(0x4000_0000), 0n);
    vm.memory.writeU64(0x4000_0000, BigInt(turn));
    assertEquals(copyInGuest(vcpu, 0x4000_0000, 0x3000).reason, "hlt");
    assertEquals(memory.readU64(0x3000), BigInt(turn));
    assertEquals(vm.memory.readU64(0x4000_0000), BigInt(turn));
    vm.removeMemory(slot);
    assertCode("EFAULT", () => vm.memory.readU64(0x4000_0000));
    assertCode("EFAULT", () => vm.memory.writeU64(0x4000_0000, 0n));
  }
});

Deno.test("a removed slot is unmapped, has size 0 and answers EBADF", () => {
  using machine = twoSlots();
  const { vm, memory, low } = machine;
  const address = low.userspaceAddr;
  vm.removeMemory(low);
  assert(!isMapped(address));
  assertEquals([low.size, low.all.length, low.end], [0, 0, 0x1000]);
  for (
    const use of [
      () => low.readU8(0x1000),
      () => low.writeU64(0x1000, 1n),
      () => low.readBytes(0x1000, 4),
      () => low.bytes(0x1000, 4),
      () => low.readString(0x1000),
      () => low.hostAddress(0x1000),
      () => low.userspaceAddr,
    ]
  ) assertCode("EBADF", use, String(use));
  assertCode("EFAULT", () => memory.readU8(0x1000));
  assertEquals(memory.readU8(0x3000), 0);
});

Deno.test("a slot can't be removed twice, nor from another VM", () => {
  using machine = twoSlots();
  using other = twoSlots();
  const { vm, low, high } = machine;
  vm.removeMemory(low);
  assertStringIncludes(assertCode("ENOENT", () => vm.removeMemory(low)).hint!, "removed before");
  assertCode("ENOENT", () => other.vm.removeMemory(high));
  assertEquals(vm.memory.slots.length, 2);
  high.writeU8(0x3000, 1);
});

Deno.test("a slot's memory can't be taken away behind the kernel's back", () => {
  // The guest would go on writing to addresses of this process that something else gets.
  using machine = startLong(guests.halt);
  const { vm, memory, vcpu } = machine;
  const address = memory.userspaceAddr;
  // deno-lint-ignore no-explicit-any -- what there should be no way to say
  const [slot, space] = [memory as any, vm.memory as any];
  for (const attempt of [() => slot.close(), () => space.remove(memory), () => space.close()]) {
    try {
      attempt();
    } catch (error) {
      assert(error instanceof Error);
    }
    // Either it was refused, or the kernel has let go of the slot as well.
    if (isMapped(address)) {
      assertEquals(vm.memory.slots.includes(memory), true);
    } else {
      assertEquals(vm.memory.slots.includes(memory), false);
      assertEquals(vcpu.run().reason, "mmio");
      return;
    }
  }
  runUntil(vcpu, "hlt");
});

Deno.test(
  needs(
    "a read-only slot is read by the guest, its writes are MMIO, and the host writes it",
    "READONLY_MEM",
  ),
  () => {
    using machine = startLong(guests.copy);
    const { vm, vcpu, memory } = machine;
    const rom = vm.addMemory({ size: 0x1000, guestPhysAddr: 0x4000_0000, readonly: true });
    assertEquals(rom.flags, MemFlag.READONLY);
    rom.writeU64(0x4000_0000, 0x55aan);
    const exit = copyInGuest(vcpu, 0x4000_0000, 0x4000_0008);
    assert(exit.reason === "mmio" && exit.isWrite);
    assertEquals([exit.physAddr, exit.len, exit.bigValue], [0x4000_0008, 8, 0x55aan]);
    runUntil(vcpu, "hlt");
    assertEquals(rom.readU64(0x4000_0008), 0n);
    assertEquals(memory.readU32(CELLS), 2);
  },
);

Deno.test("many slots in one VM are each reached by the guest", () => {
  using machine = startLong(guests.copy);
  const { vm, vcpu, memory } = machine;
  const at = (index: number) => 0x4000_0000 + index * 0x2000;
  for (let index = 0; index < 200; index++) {
    vm.addMemory({ size: 0x1000, guestPhysAddr: at(index) }).writeU64(at(index), BigInt(index));
  }
  assertEquals(vm.memory.slots.length, 201);
  for (const index of [0, 1, 99, 199]) {
    assertEquals(copyInGuest(vcpu, at(index), 0x3000).reason, "hlt");
    assertEquals(memory.readU64(0x3000), BigInt(index));
  }
  assertEquals(copyInGuest(vcpu, at(7) + 0x1000, 0x3000).reason, "mmio");
});

Deno.test("with all slots in use the next one is ENOSPC, and works once one is free again", () => {
  using vm = emptyVm();
  const limit = vm.check(10);
  assertGreater(limit, 31);
  // The real limit takes minutes to reach: until the end VMs claim a lower one.
  const prototype = Object.getPrototypeOf(vm);
  Object.defineProperty(prototype, "check", { value: () => 3, configurable: true });
  using _claim = { [Symbol.dispose]: () => delete prototype.check };
  const slots = [0, 1, 2].map((n) => vm.addMemory({ size: 4096, guestPhysAddr: n * 4096 }));
  const error = assertCode("ENOSPC", () => vm.addMemory({ size: 4096, guestPhysAddr: GIB }));
  assertStringIncludes(error.hint!, "3 slots");
  vm.removeMemory(slots[1]!);
  assertEquals(vm.addMemory({ size: 4096, guestPhysAddr: GIB }).slot, 1);
});

Deno.test("memory behind a memfd is the guest's memory, and another mapping's of the same file", () => {
  const isMemfd = (name: string) => name.startsWith("/memfd:kvm-guest");
  const count = () => openTargets().filter(isMemfd).length;
  const before = count();
  using guest = startLong(guests.copy);
  const slot = guest.vm.addMemory({ size: 0x2000, guestPhysAddr: 0x4000_0000, backing: "memfd" });
  assertEquals(count(), before + 1);
  slot.writeU64(0x4000_0000, 99n);
  assertEquals(copyInGuest(guest.vcpu, 0x4000_0000, 0x4000_1000).reason, "hlt");
  assertEquals(Deno.readFileSync(`/proc/self/fd/${slot.fd}`)[0x1000], 99);
  guest.vm.removeMemory(slot);
  assertEquals([count(), slot.fd, guest.memory.fd], [before, -1, -1]);
});

Deno.test("memory on transparent huge pages works in the guest", () => {
  using machine = startLong(guests.copy);
  const { vm, vcpu } = machine;
  const slot = vm.addMemory({
    size: 8 << 20,
    guestPhysAddr: 0x4000_0000,
    hugePages: "transparent",
  });
  slot.writeU64(0x4000_0000, 3n);
  assertEquals(copyInGuest(vcpu, 0x4000_0000, 0x407f_fff8).reason, "hlt");
  assertEquals(slot.readU64(0x407f_fff8), 3n);
});

/** How many pages of 2 MiB KVM maps, where it counts them. */
function hugePagesMapped({ vm }: ReturnType<typeof startLong>): number | undefined {
  if (!vm.check(Cap.BINARY_STATS_FD)) return undefined;
  using stats = vm.getStatsFd();
  const { pages_4k: small, pages_2m: huge } = stats.read();
  // After a run there are some of any size.
  return Number(small?.value) + Number(huge?.value) > 0 ? Number(huge!.value) : undefined;
}

/** Whether the host joins pages, and its KVM counts them. */
function showsHugePages(): boolean {
  if (!hasTransparentHugePages()) return false;
  using machine = startLong(guests.copy);
  copyInGuest(machine.vcpu, CELLS, CELLS);
  return hugePagesMapped(machine) !== undefined;
}

Deno.test(
  needing(
    "transparent huge pages, and a KVM that counts its pages",
    showsHugePages(),
    "KVM maps transparent huge pages as such, wherever the guest sees them",
  ),
  () => {
    const size = 8 << 20;
    // A slot that begins in the middle of a huge page has three whole ones.
    for (const [guestPhysAddr, whole] of [[0x4000_0000, 4], [0x4010_0000, 3]] as const) {
      using machine = startLong(guests.copy);
      const { vm, vcpu } = machine;
      copyInGuest(vcpu, CELLS, CELLS);
      const before = hugePagesMapped(machine)!;
      const slot = vm.addMemory({ size, guestPhysAddr, hugePages: "transparent" });
      slot.fill(guestPhysAddr, size, 1);
      for (let at = 0; at < size; at += 1 << 20) {
        assertEquals(copyInGuest(vcpu, guestPhysAddr + at, slot.end - 8).reason, "hlt");
      }
      assertEquals(hugePagesMapped(machine)! - before, whole);
    }
  },
);

Deno.test("huge pages that the host has not reserved are ENOMEM when asked for, and never a crash", () => {
  using vm = emptyVm();
  const [files, mapped] = [openFiles(), mappedBytes()];
  for (const backing of ["anonymous", "memfd"] as const) {
    // More than a host that has reserved some for others is likely to have.
    const error = assertCode(
      "ENOMEM",
      () => vm.addMemory({ size: 256 * GIB, guestPhysAddr: GIB, hugePages: "2M", backing }),
    );
    assertStringIncludes(error.hint!, "nr_hugepages");
  }
  assertEquals([vm.memory.slots.length, openFiles()], [0, files]);
  assert(mappedBytes() < mapped + GIB);
});

Deno.test("each option of memory is read once", () => {
  using vm = emptyVm();
  for (const backing of ["anonymous", "memfd"] as const) {
    const reads: PropertyKey[] = [];
    const options = { size: 4 << 20, guestPhysAddr: 0x5000, hugePages: "transparent", backing };
    const watched = new Proxy(options, {
      get(target, name) {
        reads.push(name);
        return Reflect.get(target, name);
      },
    });
    const slot = vm.addMemory(watched as AddMemoryOptions);
    assertEquals(slot.guestPhysAddr, 0x5000);
    assertEquals(reads.length, new Set(reads).size, `${reads.map(String)}`);
    vm.removeMemory(slot);
  }
});

Deno.test(unemulated("memory behind a memfd is none of the process's own data"), async () => {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const script = `import { Kvm } from ${JSON.stringify(mod)};
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.addMemory({ size: 2 ** 33, backing: "memfd" });
    console.log("mapped");`;
  // 4 GiB of data.
  const limited = 'ulimit -d 4194304; exec "$0" eval "$1"';
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", limited, Deno.execPath(), script],
    stderr: "inherit",
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "mapped\n");
});
