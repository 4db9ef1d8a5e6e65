import { assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { Cap, DirtyLogMode, MemFlag } from "../../../ffi/uapi/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import type { MemorySlot } from "../../../src/memory/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const PAGE = 4096;
/** A slot of its own for what the guest writes, apart from code, stack and page tables. */
const DATA = 0x400000;
const DATA_SIZE = 1 << 20;

interface Dirtier extends Disposable {
  vm: Vm;
  vcpu: Vcpu;
  data: MemorySlot;
  /** The guest writes to one cell in each of so many pages. */
  write(address: number, pages: number): void;
}

/** A guest that writes to the pages it is told to, and a slot for them. */
function dirtier(setup?: (vm: Vm) => void, logDirtyPages = false): Dirtier {
  const { vm, memory, vcpu } = bare(1 << 20, setup);
  const data = vm.addMemory({ size: DATA_SIZE, guestPhysAddr: DATA, logDirtyPages });
  const write = (address: number, pages: number) => {
    const registers = { rdi: BigInt(pages), rsi: BigInt(address) };
    longMode(vcpu, memory, { code: guests.dirty, registers });
    assertEquals(vcpu.run().reason, "hlt");
    for (let page = 0; page < pages; page++) {
      const cell = address + page * PAGE;
      assertEquals(vm.memory.readU64(cell), BigInt(cell) + 1n);
    }
  };
  return { vm, vcpu, data, write, [Symbol.dispose]: () => vm.close() };
}

/** Every way that KVM tells dirty pages; each has the same promise. */
const ways = [
  {
    tracking: "log",
    setup: () => {},
    test: { name: "a dirty page is reported exactly once, by log" },
  },
  {
    tracking: "manual",
    setup: (vm: Vm) => vm.manualDirtyLogProtect(),
    test: needs(
      "a dirty page is reported exactly once, by a log cleared by hand",
      "MANUAL_DIRTY_LOG_PROTECT2",
    ),
  },
  {
    tracking: "ring",
    setup: (vm: Vm) => vm.dirtyRing(1 << 16),
    test: needs("a dirty page is reported exactly once, by ring", "DIRTY_LOG_RING"),
  },
] as const;

for (const { tracking, setup, test } of ways) {
  Deno.test({
    ...test,
    fn() {
      using guest = dirtier(setup);
      const { vm, data, write } = guest;
      const { slot } = data;
      using tracker = vm.trackDirty([data]);
      assertEquals(tracker.tracking, tracking);
      assertEquals(tracker.collect(), []);

      write(DATA + 3 * PAGE, 2);
      write(DATA + 200 * PAGE, 1);
      // Twice written, once told.
      write(DATA + 200 * PAGE, 1);
      // The slot's last page.
      write(DATA + DATA_SIZE - PAGE, 1);
      const expected = [
        { slot, guestPhysAddr: DATA + 3 * PAGE, size: 2 * PAGE },
        { slot, guestPhysAddr: DATA + 200 * PAGE, size: PAGE },
        { slot, guestPhysAddr: DATA + DATA_SIZE - PAGE, size: PAGE },
      ];
      assertEquals(tracker.collect(), expected);
      assertEquals(tracker.collect(), []);

      // Watched again: the same page, written anew, is told anew.
      write(DATA + 4 * PAGE, 1);
      assertEquals(tracker.collect(), [{ slot, guestPhysAddr: DATA + 4 * PAGE, size: PAGE }]);
      assertEquals(tracker.collect(), []);
    },
  });
}

Deno.test("a tracker turns logs on, and off again when it ends", () => {
  using guest = dirtier();
  const { vm, data, write } = guest;
  {
    using tracker = vm.trackDirty();
    assertEquals(data.flags & MemFlag.LOG_DIRTY_PAGES, MemFlag.LOG_DIRTY_PAGES);
    write(DATA, 1);
    // By default all of memory is tracked, the guest's code and stack as well.
    const found = tracker.collect().some(({ guestPhysAddr }) => guestPhysAddr === DATA);
    assertEquals(found, true);
  }
  assertEquals(data.flags, 0);
  assertCode("ENOENT", () => vm.getDirtyLog(data));
});

Deno.test("a slot that is removed is no longer reported, and its tracker ends quietly", () => {
  using guest = dirtier();
  const { vm, data, write } = guest;
  using tracker = vm.trackDirty([data]);
  write(DATA, 1);
  vm.removeMemory(data);
  assertEquals(tracker.collect(), []);
  assertCode("ENOENT", () => vm.getDirtyLog(data));
  assertCode("ENOENT", () => vm.setDirtyLogging(data, true));
});

Deno.test("a tracker of a closed VM is EBADF, and ends quietly", () => {
  using guest = dirtier();
  using tracker = guest.vm.trackDirty();
  guest.vm.close();
  assertCode("EBADF", () => tracker.collect());
});

Deno.test("a log is a bit per page, and reading it clears it", () => {
  using guest = dirtier(undefined, true);
  const { vm, data, write } = guest;
  write(DATA + 9 * PAGE, 1);
  const log = vm.getDirtyLog(data);
  assertEquals(log.length, DATA_SIZE / PAGE / 8);
  assertEquals([...log.subarray(0, 3)], [0, 1 << 1, 0]);
  const into = new Uint8Array(new ArrayBuffer(log.length)).fill(0xff);
  assertEquals(vm.getDirtyLog(data, into), into);
  assertEquals(into.every((byte) => byte === 0), true);
});

Deno.test(
  needs("a log kept by hand is cleared a part at a time", "MANUAL_DIRTY_LOG_PROTECT2"),
  () => {
    using guest = dirtier((vm) => vm.manualDirtyLogProtect(), true);
    const { vm, data, write } = guest;
    write(DATA + 1 * PAGE, 1);
    write(DATA + 70 * PAGE, 1);
    const log = vm.getDirtyLog(data);
    assertEquals(vm.getDirtyLog(data), log);
    const part = log.slice(8, 16);
    vm.clearDirtyLog(data, part, { firstPage: 64, numPages: 64 });
    const rest = vm.getDirtyLog(data);
    assertEquals([rest[0], rest[8]], [1 << 1, 0]);
    vm.clearDirtyLog(data, log);
    assertEquals(vm.getDirtyLog(data).every((byte) => byte === 0), true);
  },
);

Deno.test({
  ...needs("every page can begin as dirty", "MANUAL_DIRTY_LOG_PROTECT2"),
  fn() {
    using probe = bare();
    const mode = DirtyLogMode.MANUAL_PROTECT_ENABLE | DirtyLogMode.INITIALLY_SET;
    if ((probe.vm.check(Cap.MANUAL_DIRTY_LOG_PROTECT2) & mode) !== mode) {
      assertCode("EOPNOTSUPP", () => probe.vm.manualDirtyLogProtect(mode));
      return;
    }
    using guest = dirtier((vm) => vm.manualDirtyLogProtect(mode));
    using tracker = guest.vm.trackDirty([guest.data]);
    const { slot } = guest.data;
    assertEquals(tracker.collect(), [{ slot, guestPhysAddr: DATA, size: DATA_SIZE }]);
    assertEquals(tracker.collect(), []);
    guest.write(DATA + PAGE, 1);
    assertEquals(tracker.collect(), [{ slot, guestPhysAddr: DATA + PAGE, size: PAGE }]);
  },
});

Deno.test(needs("a full ring is an exit, and nothing is lost by it", "DIRTY_LOG_RING"), () => {
  // 1024 entries, fewer than the pages that are written.
  using machine = bare(1 << 20, (vm) => vm.dirtyRing(1 << 14));
  const { vm, memory, vcpu } = machine;
  const pages = 1500;
  const data = vm.addMemory({ size: 8 << 20, guestPhysAddr: DATA });
  using tracker = vm.trackDirty([data]);
  const registers = { rdi: BigInt(pages), rsi: BigInt(DATA) };
  // At level 3: KVM looks at the ring when it enters the guest, and an interpreter may seldom do so.
  longMode(vcpu, memory, { code: guests.dirty, registers, cpl: 3 });
  const seen = new Set<number>();
  let full = 0;
  let again = 0;
  const collect = () => {
    for (const { guestPhysAddr, size } of tracker.collect()) {
      for (let at = guestPhysAddr; at < guestPhysAddr + size; at += PAGE) {
        if (seen.has(at)) again++;
        seen.add(at);
      }
    }
  };
  for (;;) {
    const { reason } = vcpu.run();
    if (reason === "hlt") break;
    assertEquals(reason, "dirtyRingFull");
    full++;
    collect();
  }
  collect();
  assertGreater(full, 0);
  assertEquals(seen.size, pages);
  // A write that finds the ring full is done after the exit: its page is told before and after it.
  assertLessOrEqual(again, full);
  assertEquals(Math.min(...seen), DATA);
});

Deno.test(needs("with rings there is no log to read", "DIRTY_LOG_RING"), () => {
  using guest = dirtier((vm) => vm.dirtyRing(1 << 16), true);
  assertCode("ENXIO", () => guest.vm.getDirtyLog(guest.data));
  assertEquals(guest.vm.resetDirtyRings(), 0);
});

Deno.test(needs("a ring that can't be is refused", "DIRTY_LOG_RING"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (const bytes of [0, 1, 4095, 5000, 12288, -4096, NaN, 2 ** 32]) {
    assertCode("EINVAL", () => vm.dirtyRing(bytes), String(bytes));
  }
  assertCode("EINVAL", () => vm.resetDirtyRings());
  vm.dirtyRing(1 << 16);
  assertCode("EINVAL", () => vm.dirtyRing(1 << 16), "the second time");
  using late = kvm.createVm();
  using _vcpu = late.createVcpu(0);
  assertCode("EINVAL", () => late.dirtyRing(1 << 16), "after a vCPU");
});

Deno.test("a bitmap of the wrong size, and a part out of line, never reach the kernel", () => {
  using guest = dirtier(undefined, true);
  const { vm, data } = guest;
  const bytes = DATA_SIZE / PAGE / 8;
  const bitmap = (length: number) => new Uint8Array(new ArrayBuffer(length));
  assertCode("EINVAL", () => vm.getDirtyLog(data, bitmap(bytes - 1)));
  assertCode("EINVAL", () => vm.getDirtyLog(data, bitmap(bytes + 8)));
  assertCode("EINVAL", () => vm.clearDirtyLog(data, bitmap(bytes - 8)));
  for (
    const part of [
      { firstPage: 1 },
      { firstPage: -64 },
      { firstPage: 256 },
      { numPages: 63 },
      { numPages: 0 },
      { firstPage: 64, numPages: 256 },
    ]
  ) assertCode("EINVAL", () => vm.clearDirtyLog(data, bitmap(bytes), part), Deno.inspect(part));
  using other = bare();
  const error = assertCode("ENOENT", () => other.vm.getDirtyLog(data));
  assertStringIncludes(error.message, "another VM");
});

Deno.test("after close, tracking is an error and no crash", () => {
  const guest = dirtier((vm) => vm.check(Cap.DIRTY_LOG_RING) > 0 && vm.dirtyRing(1 << 16));
  const { vm, data, write } = guest;
  const tracker = vm.trackDirty([data]);
  write(DATA, 1);
  vm.close();
  assertCode("EBADF", () => vm.resetDirtyRings());
  if (tracker.tracking === "ring") assertCode("EBADF", () => tracker.collect());
  assertCode("ENOENT", () => vm.getDirtyLog(data));
  tracker[Symbol.dispose]();
});
