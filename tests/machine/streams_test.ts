import { assertEquals, assertRejects } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine, type MachineOptions } from "../../src/machine/mod.ts";
import { debugExit, movDx, outb, print, spin } from "../support/instructions.ts";
import { flat } from "../support/pc.ts";
import { rounds } from "../support/rounds.ts";

const hello = flat(print("hello"), debugExit(3));

/** A promise of nothing, which is never kept. */
const never = () => new Promise<void>(() => {});

/** Makes a machine that can't be; the error's code. */
async function refused(options: Partial<MachineOptions>): Promise<string> {
  return (await assertRejects(() => Machine.create({ ...hello, ...options }), KvmError)).code;
}

Deno.test("a stream is one port's, and its owner's again when that was refused", async () => {
  const input = new ReadableStream<Uint8Array>();
  const output = new WritableStream<Uint8Array>();
  assertEquals(await refused({ console: { input }, serial: [{ input }] }), "EINVAL");
  assertEquals(await refused({ console: { output }, serial: [{ output }] }), "EINVAL");
  assertEquals(await refused({ console: { output }, debugcon: output }), "EINVAL");
  assertEquals([input.locked, output.locked], [false, false]);
});

Deno.test("a stream that somebody else has is busy, and the others are given back", async () => {
  const taken = new WritableStream<Uint8Array>();
  taken.getWriter();
  const read = new ReadableStream<Uint8Array>();
  read.getReader();
  const input = new ReadableStream<Uint8Array>();
  const output = new WritableStream<Uint8Array>();
  assertEquals(await refused({ console: { input, output }, debugcon: taken }), "EBUSY");
  assertEquals(await refused({ console: { output }, serial: [{ input: read }] }), "EBUSY");
  assertEquals([input.locked, output.locked], [false, false]);
});

Deno.test("the streams are the machine's from the start, and given back if there is none", async () => {
  const input = new ReadableStream<Uint8Array>();
  const output = new WritableStream<Uint8Array>();
  const made = refused({ kernel: "/nowhere/vmlinuz", console: { input, output } });
  assertEquals([input.locked, output.locked], [true, true]);
  assertEquals(await made, "ENOENT");
  assertEquals([input.locked, output.locked], [false, false]);
});

Deno.test("an input whose cancel takes for ever does not hold up the end", async () => {
  let cancelled = 0;
  const input = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled++;
      return never();
    },
  });
  await using machine = await Machine.boot({ ...hello, console: { input } });
  assertEquals(await machine.finished, { reason: "debugExit", code: 3 });
  assertEquals([cancelled, input.locked], [1, false]);
});

/** Resolves when the machine is about to end: nothing else refuses to pause it. */
async function ending(machine: Machine): Promise<void> {
  try {
    for (;;) {
      await machine.pause();
      await machine.resume();
    }
  } catch (error) {
    assertEquals(error instanceof KvmError && error.code, "EPIPE");
  }
}

for (const outcome of ["debugExit", "stopped"] as const) {
  Deno.test(`output that is lost in the end is an error, and no "${outcome}"`, async () => {
    const writing = Promise.withResolvers<void>();
    const output = new WritableStream<Uint8Array>({
      async write() {
        writing.resolve();
        await ending(machine);
        throw new Error("disk full");
      },
    });
    const code = outcome === "debugExit" ? debugExit(3) : spin;
    const machine = await Machine.create({ ...flat(print("x"), code), console: { output } });
    await machine.resume();
    await writing.promise;
    if (outcome === "stopped") await machine.stop();
    await assertRejects(() => machine.finished, Error, "disk full");
    assertEquals(output.locked, false);
    await machine[Symbol.asyncDispose]();
  });
}

Deno.test("a stream that is slow has all of the output in the end, after the machine's", async () => {
  let [received, open] = [0, Promise.withResolvers<void>()];
  const output = new WritableStream<Uint8Array>({
    async write(bytes) {
      await open.promise;
      received += bytes.length;
    },
  });
  const text = "more than one piece, in any case";
  await using machine = await Machine.boot({
    ...flat(print(text), debugExit(3)),
    console: { output },
  });
  assertEquals(await machine.finished, { reason: "debugExit", code: 3 });
  assertEquals([received, output.locked], [0, false]);
  open.resolve();
  await output.close();
  assertEquals(received, text.length);
});

Deno.test("a stream that wants nothing in its queue has all of the output, too", async () => {
  let text = "";
  const output = new WritableStream<Uint8Array>({
    write: (bytes) => void (text += new TextDecoder().decode(bytes)),
  }, { highWaterMark: 0 });
  await using machine = await Machine.boot({ ...hello, console: { output } });
  assertEquals(await machine.finished, { reason: "debugExit", code: 3 });
  assertEquals(text, "hello");
});

Deno.test("what a function has no time for is told, and it is called no more", async () => {
  const open = Promise.withResolvers<void>();
  let calls = 0;
  const output = () => {
    calls++;
    return open.promise as unknown as void;
  };
  const first = Promise.withResolvers<void>();
  await using machine = await Machine.create({
    ...flat(print("a"), outb(0x500, 1), print("bc"), debugExit(3)),
    console: { output },
    debugcon: output,
  });
  machine.mapPorts(0x500, 1, {
    read: () => 0,
    write: async () => {
      while (calls === 0) await new Promise((resolve) => setTimeout(resolve));
      first.resolve();
    },
  });
  await machine.resume();
  await first.promise;
  const error = await assertRejects(() => machine.finished, KvmError, "the last 2 bytes");
  assertEquals(error.code, "ETIMEDOUT");
  open.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(calls, 1);
});

Deno.test("an input of nothing but empty pieces keeps nobody from timers and signals", async () => {
  const input = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array()) });
  const aborter = new AbortController();
  const { signal } = aborter;
  await using machine = await Machine.boot({ ...flat(spin), console: { input }, signal });
  setTimeout(() => aborter.abort(new Error("in time")), 20);
  await assertRejects(() => machine.finished, Error, "in time");
});

Deno.test("a guest whose console takes nothing is paused, resumed and stopped", async () => {
  const full = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  // Half of what finds room; mov ecx, count; mov dx, 0x3f8; again: out dx, al; loop again
  const count = rounds(32_700);
  const fill = [0xb9, count & 0xff, count >> 8, 0, 0, 0x66, 0xba, 0xf8, 3, 0xee, 0xe2, 0xfd];
  // again: out dx, al; jmp again
  const code = flat(fill, outb(0x500, 1), movDx(0x3f8), [0xee, 0xeb, 0xfd]);
  const output = new WritableStream<Uint8Array>({ write: () => done.promise });
  await using machine = await Machine.create({ ...code, console: { output } });
  machine.mapPorts(0x500, 1, { read: () => 0, write: () => full.resolve() });
  await machine.resume();
  await full.promise;
  for (let round = 0; round < rounds(50); round++) {
    await machine.pause();
    await machine.resume();
  }
  const stopped = machine.stop();
  done.resolve();
  await stopped;
  assertEquals(await machine.finished, { reason: "stopped" });
});

Deno.test("an input that always has something holds up neither the end nor anything else", async () => {
  const input = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array(10)) });
  const written = Promise.withResolvers<void>();
  const output = new WritableStream<Uint8Array>({
    write: async () => {
      written.resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  });
  await using machine = await Machine.boot({
    ...flat(print("x"), spin),
    console: { input, output },
  });
  await written.promise;
  await machine.stop();
  assertEquals(await machine.finished, { reason: "stopped" });
});
