import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvmError } from "../../mod.ts";
import { Machine, type MachineOptions, TerminalConsole } from "../../src/machine/mod.ts";
import { takeOptions } from "../../src/machine/take_options.ts";
import { debugExit, halt, ifByte, incByte, outb, print, spin } from "../support/instructions.ts";
import { flat } from "../support/pc.ts";

type Mutable = { -readonly [K in keyof MachineOptions]: MachineOptions[K] };

const cell = 0x1000;
/** Resets itself once, and then ends with the code. */
const resetsOnce = (code: number) =>
  flat(ifByte(cell, 0, [...incByte(cell), ...outb(0xcf9, 6), ...halt]), debugExit(code));

for (const kernel of [flat(debugExit(2)).kernel, null]) {
  Deno.test(`options that become others' (${kernel && "bytes"}) change no machine`, async () => {
    const options: Mutable = resetsOnce(1);
    await using machine = await Machine.create(options);
    Object.assign(options, { kernel, onReset: "stop", protocol: "elf", initrd: 5 });
    await machine.resume();
    assertEquals(await machine.finished, { reason: "debugExit", code: 1 });
  });
}

Deno.test("handlers and what triple faults are can't be changed behind a machine's back", async () => {
  // An IDT of no length, and an undefined instruction.
  const lidt = [0x0f, 0x01, 0x1c, 0x25, 0x08, 0x10, 0, 0];
  const fault = [...incByte(cell), ...lidt, 0x0f, 0x0b];
  const options: Mutable = {
    ...flat(ifByte(cell, 0, fault), debugExit(4)),
    onTripleFault: "reset",
  };
  await using machine = await Machine.create(options);
  options.onTripleFault = "error";
  await machine.resume();
  assertEquals(await machine.finished, { reason: "debugExit", code: 4 });

  // mov edi, 0xd1000000; jmp rdi
  const astray: Mutable = { ...flat([0xbf, 0, 0, 0, 0xd1, 0xff, 0xe7]) };
  let calls = 0;
  astray.onInternalError = () => {
    calls++;
    return "stop";
  };
  await using lost = await Machine.create(astray);
  astray.onInternalError = undefined;
  await lost.resume();
  await assertRejects(() => lost.finished);
  assertEquals(calls, 1);
});

Deno.test("lists, records, URLs and fw_cfg's files in the options are copied, and other bytes are not", () => {
  const kernel = new URL("file:///boot/vmlinuz");
  const image = Uint8Array.of(1);
  const modules = [{ image, commandLine: "a" }];
  const port = { output: () => {} };
  const serial = [port];
  const fwCfg: Record<string, Uint8Array> = { a: Uint8Array.of(2) };
  const taken = takeOptions({ kernel, modules, serial, fwCfg, console: port });
  const { output } = port;
  kernel.pathname = "/elsewhere";
  Object.assign(modules[0]!, { image: 5, commandLine: "b" });
  modules.push({ image, commandLine: "c" });
  Object.assign(port, { output: 5 });
  serial.push(port);
  fwCfg.a!.fill(9);
  delete fwCfg.a;
  assertEquals(`${taken.kernel}`, "file:///boot/vmlinuz");
  assertEquals(taken.modules, [{ image, commandLine: "a" }]);
  assertEquals(taken.modules![0]!.image === image, true);
  assertEquals(taken.serial?.map((one) => one.output), [output]);
  assertEquals(typeof taken.console === "object" && taken.console.output, output);
  assertEquals(taken.fwCfg, { a: Uint8Array.of(2) });
});

Deno.test("each option is read once", () => {
  const counts = new Map<string, number>();
  const counting = <T extends object>(what: string, object: T): T =>
    new Proxy(object, {
      get(target, name, receiver) {
        const key = `${what}.${String(name)}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return Reflect.get(target, name, receiver);
      },
    });
  takeOptions(counting<MachineOptions>("options", {
    kernel: "k",
    initrd: "i",
    modules: [counting("module", { image: "m" })],
    serial: [counting("port", { input: new ReadableStream<Uint8Array>() })],
    fwCfg: counting("files", { file: new Uint8Array(1) }),
    onReset: "stop",
    onBootTimer: () => {},
  }));
  assertEquals([...counts].filter(([, count]) => count > 1), []);
  assertEquals([counts.get("options.kernel"), counts.get("port.input")], [1, 1]);
});

Deno.test("a process's terminal remains itself as a console, to be closed at the end", () => {
  using terminal = new TerminalConsole({ quit() {}, powerButton() {}, reset() {}, sendBreak() {} });
  assertEquals(takeOptions({ kernel: "k", console: terminal }).console === terminal, true);
});

Deno.test("a reset reads files again that are given by path", async () => {
  const kernel = await Deno.makeTempFile();
  const write = (...code: (readonly number[])[]) =>
    Deno.writeFile(kernel, Uint8Array.from(code.flat()));
  await write(print("."), spin);
  await using machine = await Machine.boot({ ...flat([]), kernel });
  await write(debugExit(6));
  await machine.reset();
  assertEquals(await machine.finished, { reason: "debugExit", code: 6 });
  await Deno.remove(kernel);
});

Deno.test("what is no console is refused, and so is a name that it has not", () => {
  const noNames = Object.assign(Object.create(null), { outputt() {} });
  const message = "A console has no outputt, but output, input";
  assertThrows(() => takeOptions({ kernel: "k", console: noNames }), KvmError, message);
  const others = [new Date(), new Uint8Array(2), new DataView(new ArrayBuffer(2)), new Map()];
  for (const other of others as object[]) {
    assertThrows(() => takeOptions({ kernel: "k", console: other }), KvmError, '"inherit"');
    assertThrows(() => takeOptions({ kernel: "k", serial: [other] }), KvmError, '"inherit"');
  }
  class Own {
    output = () => {};
    name = "own";
  }
  takeOptions({ kernel: "k", console: new Own(), serial: [Object.create(null)] });
});

Deno.test("a list of ports is not looked through before its length is", () => {
  const serial = new Array(2 ** 32 - 1);
  assertThrows(() => takeOptions({ kernel: "k", serial }), KvmError, "COM2 to COM4");
  assertThrows(() => takeOptions({ kernel: "k", serial: new Array(1) }), KvmError, '"inherit"');
});

Deno.test("fw_cfg's bytes must be there, and are told by their file's name", () => {
  const gone = new Uint8Array(8);
  gone.buffer.transfer();
  const shrunk = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 8 }), 4, 4);
  shrunk.buffer.resize(2);
  for (const bytes of [gone, shrunk]) {
    const call = () => takeOptions({ kernel: "k", fwCfg: { "opt/a": bytes } });
    assertThrows(call, KvmError, 'fwCfg\'s file "opt/a" is a Uint8Array whose buffer somebody');
  }
});
