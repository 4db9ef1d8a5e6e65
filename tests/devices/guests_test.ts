import { assert, assertEquals, assertGreater } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import {
  Debugcon,
  DEBUGCON_PRESENT,
  FW_CFG_DMA,
  FW_CFG_KEY,
  FwCfg,
  I8042,
  I8042_COMMAND,
  KEYBOARD,
  PM_TIMER_HZ,
  PmControl,
  PmTimer,
  PostCode,
  press,
  RTC,
  Rtc,
  RTC_A,
  RTC_B,
  RTC_C,
  SLP_TYP_S5,
  Uart16550,
  UART_FCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
  unconnected,
} from "../../src/devices/mod.ts";
import { startLong } from "../support/machine.ts";
import { needs } from "../support/needs.ts";
import {
  type Entry,
  in1,
  in4,
  interrupt,
  lineOf,
  out1,
  out2,
  out4,
  picWithLine,
  type Place,
  readBy,
  runScript,
  runToWait,
  startScript,
  until,
} from "./guest.ts";
import { Wires } from "./support.ts";

const COM1 = 0x3f8;

Deno.test(needs("a guest finds a 16550A and hears itself in its loop", "IRQCHIP"), () => {
  const wires = new Wires();
  const uart = new Uart16550({ interrupt: unconnected, output: wires.output });
  const read = runScript([
    out1(COM1 + 3, 0x80),
    out1(COM1, 1),
    out1(COM1 + 3, 3),
    out1(COM1 + 2, UART_FCR.ENABLE | UART_FCR.CLEAR_RECEIVER | UART_FCR.CLEAR_TRANSMITTER),
    in1(COM1 + 2),
    out1(COM1 + 4, UART_MCR.LOOP | UART_MCR.OUT2 | UART_MCR.RTS),
    in1(COM1 + 6),
    out1(COM1, 0xa5),
    until(COM1 + 5, UART_LSR.DR, UART_LSR.DR),
    in1(COM1),
    in1(COM1 + 5),
    out1(COM1 + 4, 0),
    out1(COM1, "!".charCodeAt(0)),
  ], [[COM1, 8, uart]]);
  const idle = UART_LSR.THRE | UART_LSR.TEMT;
  assertEquals(read[0], 0xc1);
  assertEquals(read[1]! & 0xf0, UART_MSR.CTS | UART_MSR.DCD);
  assertEquals(read.slice(2), [idle | UART_LSR.DR, 0xa5, idle]);
  assertEquals(wires.text, "!");
});

Deno.test(needs("a guest echoes a serial line by interrupts, and none is lost", "IRQCHIP"), () => {
  using machine = startLong(guests.serialEcho, {}, (vm) => vm.createIrqchip());
  const wires = new Wires();
  const uart = new Uart16550({
    interrupt: lineOf(() => machine.vm, 4),
    output: wires.output,
    input: wires.source,
  });
  const places: Place[] = [[COM1, 8, uart]];
  assertEquals(runToWait(machine, places), true);
  let sent = "";
  for (
    const text of ["a", "bc", "more than the trigger level of fourteen bytes, and than the FIFO"]
  ) {
    wires.input.push(...new TextEncoder().encode(text));
    sent += text;
    uart.poll();
    // It waits as often as it has nothing to do; each time an interrupt must bring it on.
    while (wires.text !== sent) assertEquals(runToWait(machine, places), true);
  }
});

const DATA = 0x60;
const STATUS = 0x64;

/** A command to the controller or a byte to the keyboard, and its answers. */
function ask(port: number, byte: number, answers: number): Entry[] {
  const answer = [until(STATUS, 1, 1), in1(DATA)];
  return [out1(port, byte), ...Array(answers).fill(answer).flat()];
}

Deno.test(needs("a guest tests keyboard controller and keyboard", "IRQCHIP"), () => {
  const i8042 = new I8042({ keyboardInterrupt: unconnected, reset() {} });
  const statusAndData = runScript([
    ...ask(STATUS, I8042_COMMAND.SELF_TEST, 1),
    ...ask(STATUS, I8042_COMMAND.TEST_KEYBOARD, 1),
    ...ask(STATUS, I8042_COMMAND.TEST_AUX, 1),
    ...ask(DATA, KEYBOARD.RESET, 2),
    ...ask(DATA, KEYBOARD.IDENTIFY, 3),
    ...ask(DATA, KEYBOARD.SET_LEDS, 1),
    ...ask(DATA, 0b010, 1),
  ], [[DATA, 5, i8042]]);
  const data = statusAndData.filter((_, index) => index % 2 === 1);
  assertEquals(data, [0x55, 0, 1, 0xfa, 0xaa, 0xfa, 0xab, 0x41, 0xfa, 0xfa]);
  assertEquals(i8042.state.keyboard.leds, 0b010);
});

Deno.test(needs("each byte of a key is an interrupt in the guest", "IRQCHIP"), () => {
  using machine = startScript([
    ...picWithLine(1),
    ...[interrupt, in1(DATA), interrupt, in1(DATA), interrupt, in1(DATA), in1(STATUS)],
  ]);
  const i8042 = new I8042({ keyboardInterrupt: lineOf(() => machine.vm, 1), reset() {} });
  const places: Place[] = [[DATA, 5, i8042]];
  assertEquals(runToWait(machine, places), true);
  assertEquals(i8042.key([...press("ArrowUp"), ...press("KeyA")]), true);
  assertEquals([runToWait(machine, places), runToWait(machine, places)], [true, true]);
  assertEquals(runToWait(machine, places), false);
  assertEquals(readBy(machine, 4), [0xe0, 0x48, 0x1e, 0x14]);
});

Deno.test(needs("a guest reads the time in BCD once no update is in progress", "IRQCHIP"), () => {
  const wires = new Wires();
  wires.now = Date.UTC(2024, 1, 29, 23, 59, 59, 998);
  // The clock goes on with each access.
  const rtc = new Rtc({ interrupt: unconnected, clock: () => wires.now++ });
  const registers = [
    ...[RTC.CENTURY, RTC.YEAR, RTC.MONTH, RTC.DAY_OF_MONTH, RTC.HOURS, RTC.MINUTES, RTC.SECONDS],
  ];
  const [a, ...time] = runScript([
    out1(0x70, RTC.A),
    until(0x71, RTC_A.UIP, 0),
    ...registers.flatMap((register) => [out1(0x70, register), in1(0x71)]),
  ], [[0x70, 2, rtc]]);
  assertEquals(a, 0x26);
  assertEquals(time, [0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]);
});

Deno.test(
  needs("a clock's update, alarm and period are interrupts in the guest", "IRQCHIP"),
  () => {
    const clear = [out1(0x70, RTC.C), in1(0x71)];
    const enable = (bit: number) => [out1(0x70, RTC.B), out1(0x71, RTC_B.HOURS_24 | bit)];
    const alarm = [RTC.SECONDS_ALARM, RTC.MINUTES_ALARM, RTC.HOURS_ALARM].flatMap((register) => [
      out1(0x70, register),
      out1(0x71, register === RTC.SECONDS_ALARM ? 0x30 : 0xff),
    ]);
    using machine = startScript([
      ...picWithLine(8),
      ...[...enable(RTC_B.UIE), interrupt, ...clear],
      ...[...alarm, ...enable(RTC_B.AIE), interrupt, ...clear],
      ...[...enable(RTC_B.PIE), interrupt, ...clear, interrupt, ...clear],
    ]);
    const wires = new Wires();
    const rtc = new Rtc({ interrupt: lineOf(() => machine.vm, 8), clock: wires.clock });
    const places: Place[] = [[0x70, 2, rtc]];
    const passed: number[] = [];
    while (runToWait(machine, places)) {
      assertGreater(rtc.deadline, wires.now);
      passed.push(rtc.deadline - wires.now);
      wires.now = rtc.deadline;
      rtc.elapse();
    }
    assertEquals(passed, [1000, 32_000, 1, 1], "it was 57 seconds past");
    const [update, atAlarm, ...periods] = readBy(machine, 4);
    assertEquals(update, RTC_C.IRQF | RTC_C.UF | RTC_C.PF);
    assert((atAlarm! & RTC_C.AF) !== 0);
    assertEquals(periods, [RTC_C.IRQF | RTC_C.PF, RTC_C.IRQF | RTC_C.PF]);
  },
);

Deno.test(needs("a guest measures time by the PM timer, and switches off", "IRQCHIP"), () => {
  const wires = new Wires();
  const timer = new PmTimer({ clock: () => wires.now += 10 });
  const pm = new PmControl({ interrupt: unconnected, powerOff: () => wires.note("off") });
  const [control, first, second] = runScript([
    in4(0x604),
    in4(0x608),
    in4(0x608),
    out2(0x604, SLP_TYP_S5 << 10 | 1 << 13),
  ], [[0x608, 4, timer], [0x600, 6, pm]]);
  assertEquals(control, 0xffff_0001);
  const ticks = (second! - first! + 2 ** 32) % 2 ** 32;
  assert(Math.abs(ticks - PM_TIMER_HZ / 100) <= 1, `${ticks} ticks in 10 ms`);
  assertEquals(wires.log, ["off"]);
});

Deno.test(needs("a guest finds fw_cfg, reads a file, and has another copied", "IRQCHIP"), () => {
  const structure = 0x5000;
  const target = 0x6000;
  const swap = (value: number) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value);
    return view.getUint32(0, true);
  };
  const entries = [
    out2(0x510, FW_CFG_KEY.SIGNATURE),
    ...Array<Entry>(4).fill(in1(0x511)),
    in4(0x514),
    out2(0x510, FW_CFG_KEY.FILE_FIRST),
    ...Array<Entry>(4).fill(in1(0x511)),
    out4(0x514, 0),
    out4(0x518, swap(structure)),
  ];
  using machine = startScript(entries);
  const { memory } = machine.vm;
  const fwCfg = new FwCfg({ memory });
  fwCfg.add("opt/a", new TextEncoder().encode("abc"));
  fwCfg.add("opt/b", new TextEncoder().encode("by DMA"));
  const control = (FW_CFG_KEY.FILE_FIRST + 1) << 16 | FW_CFG_DMA.SELECT | FW_CFG_DMA.READ;
  [control, 8, 0, target].forEach((word, at) => memory.writeU32(structure + 4 * at, swap(word)));
  assertEquals(runToWait(machine, [[0x510, 12, fwCfg]]), false);
  const bytes = readBy(machine, 9);
  assertEquals(String.fromCharCode(...bytes.slice(0, 4)), "QEMU");
  assertEquals(bytes[4], swap(0x5145_4d55));
  assertEquals(bytes.slice(5), [..."abc\0"].map((char) => char.charCodeAt(0)));
  assertEquals(new TextDecoder().decode(memory.readBytes(target, 8)), "by DMA\0\0");
  assertEquals(memory.readU32(structure), 0);
  // The memory that is not there is guest memory's own to tell.
  [control, 8, 0xffff_ffff, 0xffff_f000].forEach((word, at) =>
    memory.writeU32(structure + 4 * at, swap(word))
  );
  fwCfg.write(8, 4, swap(structure));
  assertEquals(memory.readU32(structure), swap(FW_CFG_DMA.ERROR));
});

Deno.test(needs("a guest writes to the debug console and tells how far it is", "IRQCHIP"), () => {
  const wires = new Wires();
  const debugcon = new Debugcon({ output: wires.output });
  const post = new PostCode();
  const text = "Hello, firmware\n";
  const read = runScript([
    out1(0x80, 0x11),
    in1(0xe9),
    ...[...text].map((char) => out1(0xe9, char.charCodeAt(0))),
    out1(0x80, 0x55),
    in1(0x80),
  ], [[0xe9, 1, debugcon], [0x80, 1, post]]);
  assertEquals(read, [DEBUGCON_PRESENT, 0x55]);
  assertEquals([wires.text, post.state.code], [text, 0x55]);
});
