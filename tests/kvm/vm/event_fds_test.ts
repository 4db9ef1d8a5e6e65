import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { guests } from "../../../guests/mod.ts";
import { EventFd, type IoeventfdOptions, type Vcpu } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { openFiles } from "../../support/host.ts";
import { bare, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { redirect, startLines, take, vectorOf, waits } from "./lines.ts";

Deno.test(needs("an event that is signalled is an interrupt in the guest", "IRQFD"), () => {
  using machine = startLines();
  const { vm, vcpu } = machine;
  using event = new EventFd();
  using line = vm.irqfd(event, 5);
  for (let count = 0; count < 3; count++) {
    event.write();
    assertEquals(take(vcpu), [0x25]);
  }
  assertEquals([line.closed, event.read()], [false, undefined]);
});

Deno.test(needs("what was signalled before it was connected arrives, too", "IRQFD"), () => {
  using machine = startLines();
  const { vm, vcpu } = machine;
  using event = new EventFd({ initial: 1 });
  using _line = vm.irqfd(event, 6);
  assertEquals(take(vcpu), [0x26]);
});

Deno.test(needs("another thread's signal wakes a guest that waits in HLT", "IRQFD"), async () => {
  using machine = startLines();
  const { vm, vcpu } = machine;
  using event = new EventFd();
  using _line = vm.irqfd(event, 5);
  const run = vcpu.runAsync({ timeout: 5000 });
  event.write();
  const exit = await run;
  assert(exit.reason === "io", Deno.inspect(exit));
  assertEquals([exit.port, exit.value], [0xf4, 0x25]);
});

Deno.test(needs("an irqfd that has ended interrupts no more", "IRQFD"), () => {
  using machine = startLines();
  const { vm, vcpu } = machine;
  using event = new EventFd();
  const line = vm.irqfd(event, 5);
  line.close();
  line.close();
  assert(line.closed);
  event.write();
  assertEquals(event.read(), 1n);
  vm.setIrqLine(6, true);
  assertEquals(take(vcpu), [0x26]);
  using again = vm.irqfd(event, 7);
  event.write();
  assertEquals(take(vcpu), [0x27]);
  assert(!again.closed);
});

Deno.test(
  needs("a level-triggered event falls at the end of interrupt and says so", "IRQFD_RESAMPLE"),
  async () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    using event = new EventFd();
    using resample = new EventFd();
    redirect(vm, 20, { vector: 0x34, trigMode: 1 });
    using _line = vm.irqfd(event, 20, { resample });
    assertEquals(resample.read(), undefined);
    event.write();
    assertEquals(vectorOf(vcpu), 0x34);
    waits(vcpu);
    assertEquals(await resample.wait({ signal: AbortSignal.timeout(5000) }), 1n);
    vm.setIrqLine(5, true);
    assertEquals(take(vcpu), [0x25], "the level-triggered line fell");
    event.write();
    assertEquals(take(vcpu), [0x34]);
    assertEquals(await resample.wait({ signal: AbortSignal.timeout(5000) }), 1n);
  },
);

Deno.test(needs("an event or a VM that is closed ends what connects them", "IRQFD"), () => {
  const before = openFiles();
  {
    using machine = startLines();
    const { vm, vcpu } = machine;
    const event = new EventFd();
    const resample = new EventFd();
    const line = vm.irqfd(event, 5, { resample });
    const write = vm.ioeventfd(event, { addr: 0xe0, pio: true });
    event.close();
    assert(line.closed && write.closed);
    line.close();
    const other = vm.irqfd(resample, 5);
    resample.write();
    assertEquals(take(vcpu), [0x25]);
    vm.close();
    assert(other.closed);
    resample.close();
  }
  assertEquals(openFiles(), before);
});

Deno.test(needs("an irqfd that can't be is refused", "IRQFD"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm } = machine;
  using event = new EventFd();
  const closed = new EventFd();
  closed.close();
  for (const gsi of [-1, 0.5, NaN, 2 ** 32]) assertCode("EINVAL", () => vm.irqfd(event, gsi));
  assertCode("EBADF", () => vm.irqfd(closed, 5));
  assertCode("EBADF", () => vm.irqfd(event, 5, { resample: closed }));
  using _line = vm.irqfd(event, 5);
  assertStringIncludes(assertCode("EBUSY", () => vm.irqfd(event, 6)).message, "KVM_IRQFD");
  using none = bare();
  assertCode("EINVAL", () => none.vm.irqfd(event, 5));
  vm.close();
  using other = new EventFd();
  assertCode("EBADF", () => vm.irqfd(other, 5));
  assertCode("EBADF", () => vm.ioeventfd(other, { addr: 0, pio: true, len: 1 }));
  // What was refused is not held.
  closed.close();
});

/** What the guest `ports` writes to port 0xe0, exit by exit. */
function written(vcpu: Vcpu, count: number): number[] {
  return Array.from({ length: count }, () => runUntil(vcpu, "io").value);
}

Deno.test(
  needs("a port write of the awaited value is an event and no exit", "IOEVENTFD"),
  async () => {
    using machine = startLong(guests.ports);
    const { vm, vcpu } = machine;
    using event = new EventFd();
    using other = new EventFd();
    const three = vm.ioeventfd(event, { addr: 0xe0, pio: true, len: 4, datamatch: 3 });
    using _five = vm.ioeventfd(other, { addr: 0xe0, pio: true, len: 4, datamatch: 5n });
    assertEquals(written(vcpu, 4), [1, 2, 4, 6]);
    assertEquals([await event.wait(), other.read(), other.read()], [1n, 1n, undefined]);
    three.close();
    assertEquals(written(vcpu, 2), [7, 8]);
  },
);

Deno.test(needs("an ioeventfd that has ended lets the writes exit", "IOEVENTFD"), () => {
  using machine = startLong(guests.ports);
  const { vm, vcpu } = machine;
  using event = new EventFd();
  const write = vm.ioeventfd(event, { addr: 0xe0, pio: true, len: 4, datamatch: 1 });
  write.close();
  write.close();
  assertEquals([write.closed, written(vcpu, 1), event.read()], [true, [1], undefined]);
});

Deno.test(needs("any port write of any size is an event", "IOEVENTFD_ANY_LENGTH"), () => {
  using machine = startLong(guests.ioWidths);
  const { vm, vcpu } = machine;
  using event = new EventFd();
  const before: [number, number][] = [];
  {
    using plain = startLong(guests.ioWidths);
    for (;;) {
      const exit = plain.vcpu.run();
      if (exit.reason !== "io") break;
      if (exit.direction === "out") before.push([exit.port, exit.size]);
      else exit.value = 0;
    }
  }
  assertEquals(new Set(before.map(([, size]) => size)), new Set([1, 2, 4]));
  for (const port of new Set(before.map(([port]) => port))) {
    vm.ioeventfd(event, { addr: port, pio: true });
  }
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason !== "io") break;
    assertEquals(exit.direction, "in", `out of ${exit.size} bytes to ${exit.port}`);
    exit.value = 0;
  }
  assertEquals(event.read(), BigInt(before.length));
});

/** The guest `mmio`'s writes by their address, size and value. */
const writes = [
  { addr: 0xd000_0000, len: 1, datamatch: 0x11 },
  { addr: 0xd000_0010, len: 2, datamatch: 0x2222 },
  { addr: 0xd000_0020, len: 4, datamatch: 0x4444_4444 },
  { addr: 0xd000_0030, len: 8, datamatch: 0x8888_8888_8888_8888n },
] as const;

/** Runs the guest `mmio` to its first read; the addresses that it wrote to with an exit. */
function exitsOf(connect: (write: typeof writes[number]) => IoeventfdOptions) {
  using machine = startLong(guests.mmio);
  const { vm, vcpu } = machine;
  const events = writes.map((write) => {
    const event = new EventFd();
    vm.ioeventfd(event, connect(write));
    return event;
  });
  const exits: number[] = [];
  for (;;) {
    const exit = runUntil(vcpu, "mmio");
    if (!exit.isWrite) break;
    exits.push(exit.physAddr);
  }
  const signals = events.map((event) => event.read());
  for (const event of events) event.close();
  return { exits, signals };
}

Deno.test(needs("writes to memory of each size are events and no exits", "IOEVENTFD"), () => {
  const once = { exits: [], signals: [1n, 1n, 1n, 1n] };
  assertEquals(exitsOf(({ addr, len }) => ({ addr, len })), once);
  assertEquals(exitsOf((write) => write), once);
});

Deno.test(needs("a write of any size is an event", "IOEVENTFD_ANY_LENGTH"), () => {
  const once = { exits: [], signals: [1n, 1n, 1n, 1n] };
  assertEquals(exitsOf(({ addr }) => ({ addr })), once);
});

Deno.test(needs("a write of another size, value or place is an exit", "IOEVENTFD"), () => {
  const all = { exits: writes.map(({ addr }) => addr), signals: new Array(4).fill(undefined) };
  assertEquals(exitsOf(({ addr, len }) => ({ addr, len: len === 8 ? 4 : 8 })), all);
  assertEquals(exitsOf(({ addr, len }) => ({ addr, len, datamatch: 0 })), all);
  assertEquals(exitsOf(({ addr, len }) => ({ addr: addr + 8, len })), all);
});

Deno.test(needs("an ioeventfd that can't be is refused", "IOEVENTFD"), () => {
  using machine = bare();
  const { vm } = machine;
  using event = new EventFd();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [
    {},
    { addr: -1 },
    { addr: 0.5 },
    { addr: 2 ** 53, len: 4 },
    { addr: 0x10000, pio: true },
    { addr: 0xffff, pio: true, len: 2 },
    { addr: 0, len: 3 },
    { addr: 0, len: "4" },
    { addr: 0, datamatch: 1 },
    { addr: 0, len: 1, datamatch: 0x100 },
    { addr: 0, len: 1, datamatch: -1 },
    { addr: 0, len: 4, datamatch: 1.5 },
    { addr: 0, len: 8, datamatch: 1n << 64n },
    { addr: 0, len: 4, datamatch: NaN },
  ];
  for (const options of wrong) {
    assertCode("EINVAL", () => vm.ioeventfd(event, options), Deno.inspect(options));
  }
  const options = { addr: 0x1000_0000, len: 4 } as const;
  using _first = vm.ioeventfd(event, options);
  const error = assertCode("EEXIST", () => vm.ioeventfd(event, options));
  assertEquals(error.call, "KVM_IOEVENTFD");
  assertStringIncludes(error.message, "address 0x10000000");
});
