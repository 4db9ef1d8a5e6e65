import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { guests, KvmError, longMode } from "../../mod.ts";
import { GuestCrash, Machine, type MachineOptions } from "../../src/machine/mod.ts";
import { assertCode } from "../support/codes.ts";
import { openTargets } from "../support/host.ts";
import {
  debugExit,
  halt,
  ifByte,
  inb,
  incByte,
  outAl,
  outb,
  outw,
  print,
  spin,
} from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";
import { isEmulated, rounds } from "../support/rounds.ts";

Deno.test("a guest prints to the console and ends the machine with a code", async () => {
  await using guest = await pc(flat(print("Hello!"), debugExit(7)));
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 7 });
  assertEquals(guest.text, "Hello!");
  assertEquals(guest.machine.state, "ended");
});

for (const cpus of [2, 3, 4]) {
  Deno.test(`${cpus} vCPUs start each other and answer interrupts, each in its thread`, async () => {
    const options = { kernel: guests.smp, protocol: "flat64", loadAddress: 0x1000 } as const;
    await using guest = await pc({ ...options, cpus, memory: "2M" }, async (machine) => {
      machine.memory.writeU32(0x2000, cpus - 1);
      await machine.resume();
    });
    assertEquals(await guest.machine.finished, { reason: "debugExit", code: cpus - 1 });
    const small = "bcd".slice(0, cpus - 1);
    const letters = [...guest.text.trimEnd()].toSorted().join("");
    assertEquals(letters, small.toUpperCase() + small);
    assert(guest.text.endsWith("\n"));
  });
}

Deno.test("a paused machine shows its registers, and goes on", async () => {
  const port = 0x3f8;
  // mov rbx, 0x1234...; print; then spin until byte 0x1000 is set.
  const rbx = [0x48, 0xbb, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01];
  const test = [0x80, 0x3c, 0x25, 0x00, 0x10, 0, 0, 0, 0x74, 0xf6];
  await using guest = await pc(flat(rbx, outb(port, 0x3e), test, debugExit(0)));
  const { machine } = guest;
  await guest.until(">");
  const [vcpu] = machine.vcpus;
  assertEquals(machine.state, "running");
  const { hint } = assertCode("EBUSY", () => vcpu!.getRegs());
  assertStringIncludes(hint!, "machine.pause()");
  await machine.pause();
  assertEquals(machine.state, "paused");
  assertEquals(vcpu!.getRegs().rbx, 0x0123456789abcdefn);
  machine.memory.writeU8(0x1000, 1);
  await machine.resume();
  assertEquals(await machine.finished, { reason: "debugExit", code: 0 });
});

Deno.test("a paused machine's vCPU has nothing to complete, and can be started anew", async () => {
  const wait = [...inb(0x71), 0xeb, 0xf9]; // in al, 0x71, again and again
  await using guest = await pc(flat(print(">"), wait));
  const { machine } = guest;
  await guest.until(">");
  const vcpu = machine.vcpus[0]!;
  for (let turn = 0; turn < rounds(20); turn++) {
    await machine.pause();
    assertEquals(vcpu.completeOperations().reason, "intr");
    await machine.resume();
  }
  await machine.pause();
  longMode(vcpu, machine.memory, { code: Uint8Array.from(debugExit(5)) });
  await machine.resume();
  assertEquals(await machine.finished, { reason: "debugExit", code: 5 });
});

Deno.test("a guest resets the machine in each of a PC's ways, and starts anew", async () => {
  // What is in memory survives a reset, so that the guest knows which time this is.
  const cell = 0x1000;
  const ways = [outb(0xcf9, 6), outb(0x64, 0xfe), outb(0x92, 1)];
  const code = ways.map((reset, at) => ifByte(cell, at, [...incByte(cell), ...reset, ...halt]));
  await using guest = await pc(flat(print("."), ...code, debugExit(9)));
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 9 });
  assertEquals(guest.text, "....");
});

Deno.test("a reset can be the machine's end", async () => {
  await using guest = await pc({ ...flat(outb(0xcf9, 6), halt), onReset: "stop" });
  assertEquals(await guest.machine.finished, { reason: "reset" });
});

Deno.test("a guest powers the machine off through ACPI's control register", async () => {
  const SLP_EN = 1 << 13;
  const code = [0, 5].flatMap((type) => outw(0x604, SLP_EN | type << 10));
  await using guest = await pc(flat(code, halt));
  assertEquals(await guest.machine.finished, { reason: "powerOff" });
});

Deno.test("a triple fault ends the machine with a report", async () => {
  // An IDT of no length, and an undefined instruction.
  const lidt = [0x0f, 0x01, 0x1c, 0x25, 0x00, 0x10, 0, 0];
  await using guest = await pc(flat(lidt, [0x0f, 0x0b]));
  const error = await assertRejects(() => guest.machine.finished, GuestCrash);
  assertStringIncludes(error.message, "triple fault");
  assertStringIncludes(error.message, "RIP");
  assertEquals(error.exit.reason, "shutdown");
});

Deno.test("a triple fault can be a reset, too", async () => {
  const cell = 0x1000;
  const lidt = [0x0f, 0x01, 0x1c, 0x25, 0x08, 0x10, 0, 0];
  const fault = [...incByte(cell), ...lidt, 0x0f, 0x0b];
  await using guest = await pc({
    ...flat(ifByte(cell, 0, fault), debugExit(4)),
    onTripleFault: "reset",
  });
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 4 });
});

Deno.test("an abort ends a guest that would spin for ever, with the signal's reason", async () => {
  const aborter = new AbortController();
  await using guest = await pc({ ...flat(print(">"), spin), signal: aborter.signal, cpus: 2 });
  await guest.until(">");
  aborter.abort(new Error("enough"));
  await assertRejects(() => guest.machine.finished, Error, "enough");
});

Deno.test("an abort while threads start ends the making of the machine", async () => {
  const signal = AbortSignal.timeout(20);
  await assertRejects(() => Machine.create({ ...flat(spin), cpus: 16, signal }), DOMException);
});

Deno.test("a machine that is aborted already is not made", async () => {
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => Machine.boot({ ...flat(spin), signal }), Error, "too late");
});

Deno.test("stop ends a machine in each of its states, and twice", async () => {
  for (const state of ["created", "running", "paused"] as const) {
    await using machine = await Machine.create(flat(spin));
    if (state !== "created") await machine.resume();
    if (state === "paused") await machine.pause();
    assertEquals(machine.state, state);
    await Promise.all([machine.stop(), machine.stop()]);
    await machine.stop();
    assertEquals(await machine.finished, { reason: "stopped" });
    await assertRejects(() => machine.resume(), KvmError, "It has ended");
    await assertRejects(() => machine.reset(), KvmError, "It has ended");
  }
});

/** What KVM has open here: the runtime gives back the eventfds of its Workers some time later. */
function ownTargets(): string[] {
  return openTargets().filter((target) => /kvm|memfd/.test(target)).toSorted();
}

Deno.test("a machine leaves no descriptor behind", async () => {
  const run = async () => {
    await using machine = await Machine.boot({ ...flat(debugExit(0)), cpus: 2 });
    await machine.finished;
  };
  await run();
  const before = ownTargets();
  for (let round = 0; round < (isEmulated() ? 1 : 3); round++) await run();
  assertEquals(ownTargets(), before);
});

Deno.test("a device of a user's own answers at ports and at addresses", async () => {
  const log: string[] = [];
  const device = {
    read: (offset: number, size: number) => 0x40 + offset + size,
    write: (offset: number, size: number, value: number) =>
      void log.push(`${offset} ${size} ${value}`),
  };
  // mov [0xd0010004], eax; mov al, [0xd0010002] by way of rdi
  const rdi = [0xbf, 0, 0, 1, 0xd0];
  const mmio = [...rdi, 0x89, 0x47, 0x04, 0x8a, 0x47, 0x02, ...outAl(0x3f8)];
  const ports = [...inb(0x501), ...outAl(0x3f8), ...outw(0x500, 0x1234)];
  await using guest = await pc(flat(ports, mmio, debugExit(0)), async (machine) => {
    machine.mapPorts(0x500, 4, device);
    machine.mapMmio(0xd001_0000, 0x1000, device);
    await machine.resume();
  });
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
  assertEquals(log, ["0 2 4660", `4 4 ${0x1234}`]);
  assertEquals(guest.text, "BC");
});

Deno.test("what a user's device throws ends the machine", async () => {
  const device = {
    read: () => {
      throw new RangeError("broken");
    },
    write() {},
  };
  await using guest = await pc(flat(inb(0x500), spin), async (machine) => {
    machine.mapPorts(0x500, 1, device);
    await machine.resume();
  });
  await assertRejects(() => guest.machine.finished, RangeError, "broken");
});

Deno.test("a device can't be where another one, or memory, is", async () => {
  await using machine = await Machine.create(flat(spin));
  const device = { read: () => 0, write() {} };
  for (
    const map of [
      () => machine.mapPorts(0x3f8, 1, device),
      () => machine.mapPorts(0xcf8, 8, device),
      () => machine.mapMmio(0x1000, 4, device),
      () => machine.mapMmio(0xd000_0ff0, 0x20, device),
      () => machine.mapPorts(0x20, 2, device),
      () => machine.mapMmio(0xfee0_0000, 4096, device),
    ]
  ) {
    const error = await assertRejects(async () => void await map(), KvmError);
    assertEquals(error.code, "EEXIST");
  }
  using _mapped = machine.mapPorts(0x500, 4, device);
});

Deno.test("where nobody answers, a guest reads ones", async () => {
  await using guest = await pc(flat(inb(0x777), outAl(0xf4), spin));
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0xff });
});

Deno.test("what is sent to the console is what the guest reads", async () => {
  // Until a byte is there: in al, 0x3fd; test al, 1; jz back. Then echo it; a zero ends.
  const wait = [...inb(0x3fd), 0xa8, 1, 0x74, 0xf7];
  const echo = [...wait, ...inb(0x3f8), 0x84, 0xc0, 0x74, 2 + 5, ...outAl(0x3f8)];
  const loop = [...echo, 0xeb, 256 - echo.length - 2];
  await using guest = await pc(flat(loop, debugExit(0)));
  const text = "What was sent is read. ".repeat(20);
  await guest.machine.serial[0]!.send(text);
  assertEquals(await guest.until(text), text);
  await guest.machine.serial[0]!.send(Uint8Array.of(0));
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
});

Deno.test("a slow reader of the console loses nothing: the guest waits", async () => {
  // 3 times 65536 bytes: mov ecx, n; out; loop.
  const count = rounds(70_000);
  const loop = [
    0xb9,
    count & 0xff,
    count >> 8 & 0xff,
    count >> 16,
    0,
    0x89,
    0xc8,
    0xee,
    0xe2,
    0xfb,
  ];
  let received = 0;
  let wrong = 0;
  const output = new WritableStream<Uint8Array>({
    async write(bytes) {
      for (const byte of bytes) if (byte !== (count - received++ & 0xff)) wrong++;
      await new Promise((resolve) => setTimeout(resolve));
    },
  });
  const code = [0x66, 0xba, 0xf8, 0x03, ...loop];
  await using machine = await Machine.boot({ ...flat(code, debugExit(0)), console: { output } });
  await machine.finished;
  assertEquals([received, wrong], [count, 0]);
  assertEquals(output.locked, false);
});

Deno.test("two machines run at once and know nothing of each other", async () => {
  await using first = await pc(flat(print("one"), debugExit(1)));
  await using second = await pc(flat(print("two"), debugExit(2)));
  const ends = await Promise.all([first.machine.finished, second.machine.finished]);
  assertEquals(ends.map((end) => "code" in end && end.code), [1, 2]);
  assertEquals([first.text, second.text], ["one", "two"]);
});

Deno.test("options that can't be are refused before there is a machine", async () => {
  const wrong: [Partial<MachineOptions>, string][] = [
    [{ memory: "lots" }, "64K, 256M"],
    [{ memory: 1000 }, "multiple of 4096"],
    [{ cpus: 0 }, "from 1"],
    [{ cpus: 1.5 }, "from 1"],
    [{ cpus: 100_000 }, "at most"],
    [{ cpus: Symbol("2") as unknown as number }, "from 1"],
    [{ cpu: "host,+nonsense" }, "nonsense"],
    [{ onReset: "maybe" as "stop" }, "onReset"],
    [{ kernel: "/nowhere/vmlinuz" }, "ENOENT"],
    [{ kernel: 5 as unknown as string }, "a path, a URL or bytes"],
    [{ kernel: Object.create(null) }, "a path, a URL or bytes"],
    [{ kernel: "/dev/zero" }, "no regular file"],
    [{ kernel: "" }, "ENOENT"],
    [{ serial: [{}, {}, {}, {}] }, "COM2 to COM4"],
    [{ serial: 5 as unknown as [] }, "a list of ports"],
    [{ console: "inherited" as "inherit" }, '"inherit"'],
    [{ console: [] as object }, '"inherit"'],
    [{ serial: [[5]] as [object] }, '"inherit"'],
    [{ console: { output: 5 as unknown as WritableStream } }, "a WritableStream"],
    [{ console: { input: 5 as unknown as ReadableStream } }, "a ReadableStream"],
    [{ debugcon: null as unknown as WritableStream }, "a WritableStream"],
    [{ modules: {} as unknown as [] }, "image and commandLine"],
    [{ modules: [null] as unknown as [] }, "A module is an object, not null"],
    [{ modules: [{ image: "m", args: "a" }] as object as [] }, "A module has no args, but image"],
    [{ append: "quiet" } as object, "What it is made of has no append, but kernel, protocol"],
    [{ console: { ouput: () => {} } as object }, "A console has no ouput, but output, input"],
    [{ serial: [{}, { onput: 5 } as object] }, "A console has no onput, but output, input"],
    [{ fwCfg: { a: "text" as unknown as Uint8Array } }, "a Uint8Array for each"],
    [{ fwCfg: [] as unknown as Record<string, Uint8Array> }, "a Uint8Array for each"],
    [{ fwCfg: new Map() as unknown as Record<string, Uint8Array> }, "a Uint8Array for each"],
    [{ signal: {} as AbortSignal }, "an AbortSignal"],
    [{ onInternalError: "x" as unknown as () => "stop" }, "is a function"],
  ];
  const before = ownTargets();
  for (const [options, hint] of wrong) {
    const error = await assertRejects(
      () => Machine.create({ ...flat(spin), ...options }),
      KvmError,
    );
    assertStringIncludes(error.message, hint);
  }
  await assertRejects(() => Machine.create(null as unknown as MachineOptions), KvmError);
  assertEquals(ownTargets(), before);
});

Deno.test("keys, bytes and lines that can't be are refused, whatever their type", async () => {
  await using machine = await Machine.create({ ...flat(spin), serial: [{}] });
  const keys = [undefined, null, 5, {}, "abc", ["x"], [NaN], [1n], [1e9], [-1], [1.5], [,], {
    length: 1,
  }];
  for (const wrong of keys) {
    const error = assertCode(
      "EINVAL",
      () => machine.sendKeys(wrong as number[]),
      Deno.inspect(wrong),
    );
    assertStringIncludes(error.message, "set 2, a list of bytes");
  }
  assertEquals(machine.sendKeys(Uint8Array.of(0x1c) as unknown as number[]), true);
  for (const wrong of [undefined, null, 5, new ArrayBuffer(4), [300, "x"], Symbol("x"), true]) {
    const sent = machine.serial[0]!.send(wrong as unknown as string);
    assertEquals((await assertRejects(() => sent, KvmError)).code, "EINVAL");
  }
  for (const wrong of [undefined, null, -1, NaN, 1.5, "5", 5n, Symbol("x"), 2, 24, 4096, 1e9]) {
    const error = assertCode("EINVAL", () => machine.line(wrong as number));
    assertStringIncludes(error.message, "0 to 23");
  }
  const line = machine.line(23);
  for (const wrong of [undefined, null, 1, NaN, "x", {}, 1n, Symbol("x")]) {
    const error = assertCode("EINVAL", () => line.set(wrong as boolean));
    assertStringIncludes(error.message, "A level is true or false");
  }
  line.set(true);
  const gone = new Uint8Array(1);
  gone.buffer.transfer();
  const error = assertCode("EINVAL", () => machine.sendKeys(gone as unknown as number[]));
  assertStringIncludes(error.message, "whose buffer somebody has transferred");
  const sent = machine.serial[0]!.send(gone);
  assertEquals((await assertRejects(() => sent, KvmError)).code, "EINVAL");
});

Deno.test("a stream that is a console's input and has no bytes ends the machine", async () => {
  const input = ReadableStream.from([[65]]) as unknown as ReadableStream<Uint8Array>;
  await using machine = await Machine.boot({ ...flat(spin), console: { input } });
  await assertRejects(() => machine.finished, KvmError, "a string or a Uint8Array");
});

Deno.test("a console's function may return anything, and await the end that waits for it", async () => {
  let text = "";
  const output = (bytes: Uint8Array) => text += new TextDecoder().decode(bytes);
  await using machine = await Machine.boot({
    ...flat(print("returned"), debugExit(0)),
    console: { output },
  });
  await machine.finished;
  assertEquals(text, "returned");
  const stopping: Promise<Machine> = Machine.boot({
    ...flat(print("x"), spin),
    console: { output: async () => await (await stopping).stop() },
  });
  await using stopped = await stopping;
  assertEquals(await stopped.finished, { reason: "stopped" });
});

Deno.test("devices come and go while the guest uses another one", async () => {
  // mov edi, 0xd1000000; again: cmp dword [rdi], 42; je again; then the end
  const code = [0xbf, 0, 0, 0, 0xd1, 0x83, 0x3f, 42, 0x74, 0xfb];
  await using guest = await pc(flat(code, debugExit(1)), async (machine) => {
    machine.mapMmio(0xd100_0000, 4, { read: () => 42, write() {} });
    await machine.resume();
  });
  for (let round = 0; round < rounds(300); round++) {
    using _other = guest.machine.mapMmio(0xd080_0000, 4, { read: () => 0, write() {} });
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(guest.machine.state, "running");
});

Deno.test("a device that promises a value is refused, and not taken for a zero", async () => {
  const device = { read: () => Promise.resolve(1) as unknown as number, write() {} };
  // mov edi, 0xd1000000; mov eax, [rdi]
  await using guest = await pc(flat([0xbf, 0, 0, 0, 0xd1, 0x8b, 0x07], spin), async (machine) => {
    machine.mapMmio(0xd100_0000, 4, device);
    await machine.resume();
  });
  await assertRejects(() => guest.machine.finished, KvmError, "no promise");
});

Deno.test("a reset whose files are gone changes nothing", async () => {
  const kernel = await Deno.makeTempFile();
  await Deno.writeFile(kernel, Uint8Array.from([...print("."), ...spin]));
  await using guest = await pc({ ...flat([]), kernel });
  await guest.until(".");
  await Deno.remove(kernel);
  await assertRejects(() => guest.machine.reset(), KvmError, "ENOENT");
  assertEquals(guest.machine.state, "running");
  await guest.machine.pause();
  await guest.machine.resume();
});
