import { assert, assertEquals } from "@std/assert";
import { guests } from "../../mod.ts";
import { keystroke } from "../../src/devices/mod.ts";
import type { Machine, MachineOptions } from "../../src/machine/mod.ts";
import { debugExit, outb } from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";

const options = (name: "serialEcho" | "portScript"): MachineOptions => ({
  kernel: guests[name],
  protocol: "flat64",
  loadAddress: 0x1000,
  memory: "2M",
});

// What the guest portScript can be told to do.
const OUT1 = 1, OUT2 = 2, IN1 = 4, IN4 = 5, AWAIT = 7;
type Step = readonly [action: number, port?: number, value?: number];
const SCRIPT = 0x4000;
const CELLS = 0x2000;

/** Starts the PICs with vectors 0x20 to 0x2f and one interrupt let through. */
const pic = (irq: number): Step[] => {
  const mask = ~(1 << irq | 1 << 2);
  return [
    ...[[0x20, 0x11], [0x21, 0x20], [0x21, 4], [0x21, 1], [0x21, mask & 0xff]],
    ...[[0xa0, 0x11], [0xa1, 0x28], [0xa1, 2], [0xa1, 1], [0xa1, mask >> 8 & 0xff]],
  ].map(([port, value]): Step => [OUT1, port!, value!]);
};

/** What a script has read, when the guest has done all of it; it says when it is about to wait. */
async function perform(
  steps: readonly Step[],
  more: Partial<MachineOptions> = {},
  onWait: (machine: Machine) => void = () => {},
): Promise<Uint32Array> {
  await using guest = await pc({ ...options("portScript"), ...more }, async (machine) => {
    [...steps, [0] as Step].forEach(([action, port = 0, value = 0], at) => {
      machine.memory.writeU16(SCRIPT + at * 8, action);
      machine.memory.writeU16(SCRIPT + at * 8 + 2, port);
      machine.memory.writeU32(SCRIPT + at * 8 + 4, value);
    });
    machine.mapPorts(0xf5, 1, { read: () => 0, write: () => onWait(machine) });
    await machine.resume();
  });
  const end = await guest.machine.finished;
  assertEquals(end.reason, "debugExit");
  const count = steps.filter(([action]) => action === IN1 || action === IN4).length;
  return guest.machine.memory.array(Uint32Array, CELLS, count).slice();
}

Deno.test("a serial port's interrupts carry a conversation", async () => {
  await using guest = await pc(options("serialEcho"));
  const text = "by interrupts, forth and back. ".repeat(7);
  await guest.machine.serial[0]!.send(text);
  assertEquals(await guest.until(text), text);
});

Deno.test("interrupts come to the I/O APIC's pins that the tables tell of, the PIT's to pin 2", async () => {
  const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  // mov dword [rdi], register; mov dword [rdi + 0x10], value
  const write = (register: number, value: number) => [
    ...[0xc7, 0x07, ...u32(register)],
    ...[0xc7, 0x47, 0x10, ...u32(value)],
  ];
  const code = (...timer: number[]) => [
    ...[0xbe, ...u32(0xfee0_0000)], // mov esi, the local APIC
    ...[0xc7, 0x86, ...u32(0xf0), ...u32(0x1ff)], // mov dword [rsi + 0xf0], on
    ...[0xbf, ...u32(0xfec0_0000)], // mov edi, the I/O APIC
    // Pin n's vector is 0x40 + n.
    ...Array.from({ length: 24 }, (_, pin) => [
      ...write(0x11 + pin * 2, 0),
      ...write(0x10 + pin * 2, 0x40 + pin),
    ]).flat(),
    // The PIT ticks, or a user's device is asked to interrupt.
    ...timer,
    ...outb(0x500, 0),
    // again: mov eax, [rsi + 0x220]; test eax, eax; jz again: vectors 0x40 to 0x5f that are requested
    ...[0x8b, 0x86, ...u32(0x220), 0x85, 0xc0, 0x74, 0xf6],
    ...[0xe7, 0xf4], // out 0xf4, eax
  ];
  const pins = async (kernel: number[], gsi?: number) => {
    await using guest = await pc(flat(kernel), async (machine) => {
      machine.mapPorts(0x500, 1, {
        read: () => 0,
        write: () => gsi === undefined ? undefined : machine.line(gsi).set(true),
      });
      await machine.resume();
    });
    return await guest.machine.finished;
  };
  const pit = [...outb(0x43, 0x34), ...outb(0x40, 0), ...outb(0x40, 0x10)];
  assertEquals(await pins(code(...pit)), { reason: "debugExit", code: 1 << 2 });
  for (const gsi of [1, 5, 12, 20]) {
    const end = await pins(code(), gsi);
    assertEquals(end, { reason: "debugExit", code: 1 << gsi });
  }
});

Deno.test("the clock interrupts at the rate that the guest asks for", async () => {
  const read = await perform([
    ...pic(8),
    ...[[0x70, 0x0a], [0x71, 0x26], [0x70, 0x0b], [0x71, 0x42]].map((
      [port, value],
    ): Step => [OUT1, port!, value!]),
    [AWAIT],
    [OUT1, 0x70, 0x0c],
    [IN1, 0x71],
    [AWAIT],
    [IN1, 0x71],
  ]);
  // IRQF and PF.
  assertEquals([...read].map((value) => value & 0xc0), [0xc0, 0xc0]);
});

Deno.test("the clock shows this time, and how much memory there is", async () => {
  const registers = [0, 2, 4, 7, 8, 9, 0x32, 0x34, 0x35];
  const before = new Date();
  const read = await perform(
    registers.flatMap((register): Step[] => [[OUT1, 0x70, register], [IN1, 0x71]]),
    { memory: "64M" },
  );
  const [second, minute, hour, day, month, year, century] = [...read].map((bcd) =>
    (bcd >> 4) * 10 + (bcd & 15)
  );
  const time = Date.UTC(century! * 100 + year!, month! - 1, day!, hour!, minute!, second!);
  assert(Math.abs(time - before.getTime()) < 60_000, new Date(time).toISOString());
  // In units of 64 KiB above 16 MiB.
  assertEquals(read[7]! | read[8]! << 8, 48 * 16);
});

Deno.test("a key that is pressed interrupts, and its scan codes are there to read", async () => {
  const steps: Step[] = [...pic(1), [AWAIT], [IN1, 0x60]];
  const read = await perform(steps, {}, (machine) => {
    assertEquals(machine.sendKeys(keystroke("a")!), true);
  });
  // Set 1, as the controller translates it.
  assertEquals(read[0], 0x1e);
});

Deno.test("the power button is an event that the guest can be interrupted by", async () => {
  const steps: Step[] = [...pic(9), [OUT2, 0x602, 0x100], [AWAIT], [IN4, 0x600]];
  const read = await perform(steps, {}, (machine) => machine.pressPowerButton());
  assertEquals(read[0], 0x0100_0100);
});

Deno.test("the PM timer counts on", async () => {
  const [first, second] = await perform([[IN4, 0x608], [IN4, 0x608]]);
  const ticks = (second! - first!) >>> 0;
  assert(ticks > 0 && ticks < 3_579_545 * 60, `${ticks} ticks`);
});

Deno.test("a guest finds files, memory and processors through fw_cfg", async () => {
  const byte: Step = [IN1, 0x511];
  const select = (key: number): Step => [OUT2, 0x510, key];
  const steps = [select(0), byte, byte, byte, byte, select(5), byte, select(0x20), byte, byte];
  const fwCfg = { "opt/test": new TextEncoder().encode("Hi") };
  const read = await perform(steps, { fwCfg, cpus: 3 });
  assertEquals(String.fromCharCode(...read.subarray(0, 4)), "QEMU");
  assertEquals(read[4], 3);
  assertEquals(String.fromCharCode(...read.subarray(5)), "Hi");
});

Deno.test("the last POST code is there to look at", async () => {
  await using guest = await pc({
    kernel: Uint8Array.from([...outb(0x80, 0x12), ...outb(0x80, 0x34), ...debugExit(0)]),
    protocol: "flat64",
    memory: "2M",
  });
  await guest.machine.finished;
  assertEquals(guest.machine.postCode, 0x34);
});

Deno.test("the debug console's bytes come from both of its ports", async () => {
  let text = "";
  const debugcon = (bytes: Uint8Array) => void (text += new TextDecoder().decode(bytes));
  await perform([[OUT1, 0xe9, 0x61], [OUT1, 0x402, 0x62]], { debugcon });
  assertEquals(text, "ab");
});

Deno.test("the boot timer says when the guest came to a point", async () => {
  const points: [milliseconds: number, point: number][] = [];
  // mov edi, 0xd0000000; mov byte [rdi], 7; mov byte [rdi], 123
  const code = [0xbf, 0, 0, 0, 0xd0, 0xc6, 0x07, 7, 0xc6, 0x07, 123];
  await using guest = await pc({
    kernel: Uint8Array.from([...code, ...debugExit(0)]),
    protocol: "flat64",
    memory: "2M",
    onBootTimer: (...point) => points.push(point),
  });
  await guest.machine.finished;
  assertEquals(points.map(([, point]) => point), [7, 123]);
  assert(points[0]![0] > 0 && points[0]![0] <= points[1]![0]);
});

Deno.test("the boot timer counts from the start, and not from when the machine was made", async () => {
  let started = Infinity;
  let late = NaN;
  // mov edi, 0xd0000000; mov byte [rdi], 123
  const code = [0xbf, 0, 0, 0, 0xd0, 0xc6, 0x07, 123];
  const onBootTimer = (milliseconds: number) => {
    late = milliseconds - (performance.now() - started);
  };
  await using guest = await pc({ ...flat(code, debugExit(0)), onBootTimer }, async (machine) => {
    // The time that is not to be counted.
    await new Promise((resolve) => setTimeout(resolve, 50));
    started = performance.now();
    await machine.resume();
  });
  await guest.machine.finished;
  // The clock of both has fractions that a double since 1970 does not hold.
  assert(late < 1, `It counts ${late} ms too many`);
});

Deno.test("each serial port is one of its own", async () => {
  const texts = ["", "", ""];
  const output = (at: number) => (bytes: Uint8Array) => {
    texts[at] += new TextDecoder().decode(bytes);
  };
  const serial = [{ output: output(0) }, { output: output(1) }, { output: output(2) }];
  const steps = [0x2f8, 0x3e8, 0x2e8].map((port, at): Step => [OUT1, port, 0x32 + at]);
  await perform(steps, { serial });
  assertEquals(texts, ["2", "3", "4"]);
});
