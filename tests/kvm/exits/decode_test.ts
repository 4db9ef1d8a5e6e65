import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { from, offsetOf, sizeOf, view } from "../../../ffi/mod.ts";
import { ExitReason, kvmRun, OtherArchitectureExit } from "../../../ffi/uapi/mod.ts";
import { copyExit, type Exit, ExitDecoder, IoExit, RunPage } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";

/** A page as KVM would leave it. */
function page(exitReason: number, payload = 0): RunPage {
  const buffer = new ArrayBuffer(3 * 4096);
  const run = view(kvmRun, buffer);
  const at = offsetOf(kvmRun, "exit");
  new Uint8Array(buffer, at, 256).fill(payload);
  run.exitReason = exitReason;
  if (exitReason === ExitReason.IO) run.exit.io.dataOffset = 4096;
  return new RunPage(buffer);
}

const decode = (exitReason: number, payload?: number) =>
  new ExitDecoder(page(exitReason, payload)).decode();

/** "SET_TPR" as the exit is called: "setTpr". */
function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

Deno.test("every exit reason of x86 is an exit of its name", () => {
  for (const [name, number] of Object.entries(ExitReason)) {
    assertEquals(decode(number).reason, camelCase(name));
  }
});

Deno.test("any other exit reason is unsupported, with its number and its payload", () => {
  const known = new Set<number>(Object.values(ExitReason));
  for (const number of [...Array(70).keys(), 1000, 0x7fff_ffff, 0xffff_ffff]) {
    if (known.has(number)) continue;
    const exit = decode(number, 0x5a);
    assert(exit.reason === "unsupported", `${number}: ${exit.reason}`);
    assertEquals([exit.exitReason, exit.padding.length, exit.padding[255]], [number, 256, 0x5a]);
  }
  for (const number of Object.values(OtherArchitectureExit)) {
    assertEquals(decode(number).reason, "unsupported");
  }
});

Deno.test("every exit can be printed and copied, whatever its payload", () => {
  for (const payload of [0, 1, 0x7f, 0x80, 0xff]) {
    for (let number = 0; number < 64; number++) {
      const exitPage = page(number, payload);
      // The largest transfer that a page of data holds.
      if (number === ExitReason.IO) {
        Object.assign(exitPage.fields.exit.io, { size: 4, count: 1024, direction: payload & 1 });
      }
      const exit = new ExitDecoder(exitPage).decode();
      assertStringIncludes(Deno.inspect(exit), exit.reason);
      assertEquals(copyExit(exit).reason, exit.reason);
    }
  }
});

Deno.test("JSON has the fields of an exit of every kind, and which it is", () => {
  const text = (_: string, value: unknown) => typeof value === "bigint" ? String(value) : value;
  for (let reason = 0; reason < 48; reason++) {
    const exit = new ExitDecoder(page(reason)).decode();
    const copy = copyExit(exit);
    assertEquals(JSON.stringify({ exit }, text), JSON.stringify({ exit: copy }, text));
    assertEquals(JSON.parse(JSON.stringify(exit, text)).reason, exit.reason);
  }
});

Deno.test("a page can be printed whole, whatever it holds", () => {
  for (const payload of [0, 1, 0x7f, 0xff]) {
    assertStringIncludes(Deno.inspect(page(39, payload).fields, { depth: 9 }), "exitReason: 39");
  }
});

Deno.test("an exit's object is made once for its kind, and shows the page as it is", () => {
  const exitPage = page(ExitReason.FAIL_ENTRY);
  const decoder = new ExitDecoder(exitPage);
  const exit = decoder.decode();
  assert(exit.reason === "failEntry");
  exitPage.fields.exit.failEntry.hardwareEntryFailureReason = 0x8000_0021n;
  assertStrictEquals(decoder.decode(), exit);
  assertEquals(exit.hardwareEntryFailureReason, 0x8000_0021n);
});

Deno.test("payloads are read from where the kernel writes them", () => {
  const cases: readonly [number, (run: RunPage["fields"]) => void, Record<string, unknown>][] = [
    [ExitReason.UNKNOWN, (run) => run.exit.hw.hardwareExitReason = 5n, { hardwareExitReason: 5n }],
    [
      ExitReason.MEMORY_FAULT,
      (run) => Object.assign(run.exit.memoryFault, { flags: 8n, gpa: 2 ** 40, size: 4096 }),
      { flags: 8n, gpa: 2 ** 40, size: 4096 },
    ],
    [
      ExitReason.X86_WRMSR,
      (run) => Object.assign(run.exit.msr, { reason: 2, index: 0x1234, data: 77n }),
      { index: 0x1234, data: 77n, error: 0 },
    ],
    [ExitReason.IOAPIC_EOI, (run) => run.exit.eoi.vector = 0x31, { vector: 0x31 }],
    [
      ExitReason.TPR_ACCESS,
      (run) => Object.assign(run.exit.tprAccess, { rip: 0x1000n, isWrite: 1 }),
      { rip: 0x1000n, isWrite: 1 },
    ],
    [ExitReason.NOTIFY, (run) => run.exit.notify.flags = 1, { flags: 1 }],
  ];
  for (const [number, write, expected] of cases) {
    const exitPage = page(number);
    write(exitPage.fields);
    const exit = new ExitDecoder(exitPage).decode() as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(expected)) assertEquals(exit[field], value, field);
    const copy = copyExit(exit as unknown as Exit) as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(expected)) assertEquals(copy[field], value, field);
  }
});

Deno.test("what an exit's copy holds is plain and its own, arrays included", () => {
  const exitPage = page(ExitReason.HYPERCALL);
  exitPage.fields.exit.hypercall.args[2] = 9n;
  const copy = copyExit(new ExitDecoder(exitPage).decode());
  exitPage.fields.exit.hypercall.args[2] = 10n;
  assert(copy.reason === "hypercall");
  assertEquals([...copy.args], [0n, 0n, 9n, 0n, 0n, 0n]);
  assertEquals(structuredClone(copy), copy);
});

Deno.test("an internal error of another kind has data and no instruction", () => {
  const exitPage = page(ExitReason.INTERNAL_ERROR);
  Object.assign(exitPage.fields.exit.internal, { suberror: 3, ndata: 2 });
  exitPage.fields.exit.internal.data.set([7n, 8n, 9n]);
  const exit = new ExitDecoder(exitPage).decode();
  assert(exit.reason === "internalError");
  assertEquals([exit.name, exit.instruction, exit.data], ["DELIVERY_EV", undefined, [7n, 8n]]);
  exitPage.fields.exit.internal.suberror = 99;
  exitPage.fields.exit.internal.ndata = 4000;
  assertEquals([exit.name, exit.data.length], ["99", 16]);
});

Deno.test("an emulation error without instruction bytes says so by undefined", () => {
  const exitPage = page(ExitReason.INTERNAL_ERROR);
  const { emulationFailure } = exitPage.fields.exit;
  const exit = new ExitDecoder(exitPage).decode();
  assert(exit.reason === "internalError");
  Object.assign(emulationFailure, { suberror: 1, ndata: 0, flags: 1n, insnSize: 3 });
  assertEquals(exit.instruction, undefined);
  emulationFailure.ndata = 3;
  assertEquals(exit.instruction!.length, 3);
  emulationFailure.insnSize = 255;
  assertEquals(exit.instruction!.length, 15);
  emulationFailure.flags = 0n;
  assertEquals(exit.instruction, undefined);
});

Deno.test("an interrupted run is an intr exit, whatever the page says", () => {
  const exitPage = page(ExitReason.IO);
  const decoder = new ExitDecoder(exitPage);
  assertEquals([decoder.interrupted().reason, decoder.decode().reason], ["intr", "io"]);
});

Deno.test("a port exit that points outside its page is an error, and no crash", () => {
  const exitPage = page(ExitReason.IO);
  const exit = new IoExit(exitPage);
  for (const dataOffset of [12 * 1024 - 3, 2 ** 31, 0xffff_ffff]) {
    Object.assign(exitPage.fields.exit.io, { size: 4, count: 1, dataOffset });
    for (const use of [() => exit.value, () => exit.value = 5, () => exit.data]) {
      let thrown: unknown;
      try {
        use();
      } catch (error) {
        thrown = error;
      }
      assert(thrown instanceof RangeError, String(dataOffset));
      break;
    }
  }
});

Deno.test("every field of every exit of a closed vCPU is EBADF, or an array of length 0", () => {
  for (let number = 0; number < 64; number++) {
    const exitPage = page(number);
    const { buffer } = exitPage.view;
    if (number === ExitReason.IO) Object.assign(exitPage.fields.exit.io, { size: 1, count: 1 });
    const exit = new ExitDecoder(exitPage).decode();
    const fields = fieldsOf(exit).filter((name) => !isStruct(read(exit, name)));
    const before = fields.map((name) => read(exit, name));
    exitPage.close();
    buffer.transfer();
    for (const [index, name] of fields.entries()) {
      if (ArrayBuffer.isView(before[index])) {
        assertEquals((before[index] as Uint8Array).length, 0, name);
      } else {
        assertCode("EBADF", () => read(exit, name), `${exit.reason}.${name}`);
      }
    }
  }
});

/** The fields of an exit, from its class: `reason` is a constant. */
function fieldsOf(exit: Exit): string[] {
  if (exit.reason === "unsupported") return ["padding"];
  const prototype = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(exit));
  return Object.entries(prototype).filter(([, { get }]) => get).map(([name]) => name);
}

function read(exit: Exit, name: string): unknown {
  return (exit as unknown as Record<string, unknown>)[name];
}

/** Whether it is a struct within the payload, which has no bytes of its own to miss. */
function isStruct(value: unknown): boolean {
  return typeof value === "object" && !ArrayBuffer.isView(value) && !Array.isArray(value);
}

Deno.test("a page too small for the run structure is refused", () => {
  assertEquals(sizeOf(kvmRun), 2352);
  let thrown: unknown;
  try {
    void new RunPage(new ArrayBuffer(64)).fields;
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof RangeError);
  assertEquals(from({ a: "u8" }, { a: 1 }).a, 1);
});
