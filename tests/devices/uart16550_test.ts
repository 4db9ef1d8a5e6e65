import { assert, assertEquals } from "@std/assert";
import {
  UART,
  Uart16550,
  uart16550State,
  UART_FCR,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
} from "../../src/devices/mod.ts";
import { assertCode } from "../support/codes.ts";
import { fifoPort, FIFOS, IDLE, port } from "./port.ts";
import { stands } from "./support.ts";

stands<Uart16550>({
  name: "a 16550A",
  make: ({ interrupt, output, source }, state) =>
    new Uart16550({ interrupt, output, input: source }, state),
  offsets: [0, 1, 2, 3, 4, 5, 6, 7],
  table: uart16550State,
  values: [0x00, 0x01, 0x03, 0x07, 0x08, 0x0f, 0x10, 0x1b, 0x41, 0xc1, 0x80],
  actions: [
    (uart, random, wires) => {
      wires.input.push(random & 0xff);
      uart.poll();
    },
    (uart) => uart.receiveBreak(),
    (uart, random) =>
      uart.setModemLines({ cts: (random & 1) !== 0, ri: (random & 2) !== 0, dcd: random > 9 }),
  ],
  check({ state }, { level }) {
    assert(state.count <= ((state.fcr & 1) !== 0 ? 16 : 1), `${state.count} bytes`);
    assert(state.head < 16 && state.faults <= state.count);
    assertEquals(state.interrupt === 1, level);
    if ((state.mcr & UART_MCR.OUT2) === 0 || state.ier === 0) assertEquals(level, false);
  },
  forget: (state) => {
    state.fifo.fill(0);
    state.errors.fill(0);
    // What is connected outside stays.
    state.peer = state.msr = 0;
  },
});

Deno.test("a byte to send goes out at once, and the transmitter is always empty", () => {
  const { wires, read, write } = port();
  for (const char of "Hello") {
    assertEquals(read(UART.LSR), IDLE);
    write(UART.THR, char.charCodeAt(0));
  }
  assertEquals(wires.text, "Hello");
  assertEquals(wires.rises, 0);
});

Deno.test("with DLAB the first two registers are the divisor, and nothing is sent or enabled", () => {
  const { wires, read, write } = port();
  assertEquals([read(UART.IER), read(UART.LCR)], [0, 0]);
  write(UART.LCR, UART_LCR.DLAB | UART_LCR.WORD_LENGTH);
  assertEquals([read(UART.DLL), read(UART.DLM)], [12, 0]);
  write(UART.DLL, 0x34);
  write(UART.DLM, 0x12);
  assertEquals([read(UART.DLL), read(UART.DLM)], [0x34, 0x12]);
  write(UART.LCR, UART_LCR.WORD_LENGTH);
  assertEquals([read(UART.IER), wires.log], [0, []]);
});

Deno.test("scratch keeps any byte, and reserved bits of IER and MCR read 0", () => {
  const { read, write } = port();
  for (const value of [0x00, 0x5a, 0xff]) {
    for (const offset of [UART.SCR, UART.IER, UART.MCR]) write(offset, value);
    assertEquals(
      [read(UART.SCR), read(UART.IER), read(UART.MCR)],
      [value, value & 0x0f, value & 0x1f],
    );
  }
});

Deno.test("IIR tells a 16550A from an 8250 and a 16750: both FIFO bits with FCR, and never bit 5", () => {
  const { read, write } = port();
  assertEquals(read(UART.IIR), UART_IIR.NONE);
  for (const lcr of [0, UART_LCR.DLAB, 0xbf]) {
    write(UART.LCR, lcr);
    write(UART.FCR, UART_FCR.ENABLE | 1 << 5);
    assertEquals(read(UART.IIR), FIFOS | UART_IIR.NONE);
    write(UART.FCR, 0);
    assertEquals(read(UART.IIR), UART_IIR.NONE);
  }
});

Deno.test("an idle transmitter interrupts each time that it is enabled to, told or not", () => {
  // What Linux does at startup to find ports that lose this interrupt.
  const { wires, read, write } = port();
  write(UART.MCR, UART_MCR.OUT2);
  for (let turn = 0; turn < 3; turn++) {
    write(UART.IER, UART_IER.THRI);
    assertEquals(wires.level, true);
    assertEquals(read(UART.IIR), UART_IIR.THRI);
    assertEquals(wires.level, false, "reading IIR ends it");
    assertEquals(read(UART.IIR), UART_IIR.NONE);
    write(UART.IER, 0);
  }
  write(UART.IER, UART_IER.THRI);
  assertEquals([read(UART.LSR) & UART_LSR.TEMT, read(UART.IIR)], [UART_LSR.TEMT, UART_IIR.THRI]);
});

Deno.test("each byte sent with THRI on is a new edge, so that none is lost on a PIC", () => {
  const { wires, write } = port();
  write(UART.MCR, UART_MCR.OUT2);
  write(UART.IER, UART_IER.THRI);
  for (const byte of [1, 2, 3]) write(UART.THR, byte);
  assertEquals(wires.log, [
    ...["raise", "lower", "put 1", "raise", "lower", "put 2", "raise", "lower", "put 3", "raise"],
  ]);
});

Deno.test("OUT2 connects the interrupt line", () => {
  const { wires, read, write } = port();
  write(UART.IER, UART_IER.THRI);
  assertEquals(wires.level, false);
  assertEquals(read(UART.IIR), UART_IIR.THRI, "what is pending shows all the same");
  write(UART.THR, 0);
  write(UART.MCR, UART_MCR.OUT2);
  assertEquals(wires.level, true);
  write(UART.MCR, 0);
  assertEquals(wires.level, false);
});

Deno.test("in loopback what is sent is received, and nothing goes out or comes in", () => {
  const { wires, read, write, send } = fifoPort(0);
  write(UART.MCR, UART_MCR.LOOP);
  wires.input.push(0x77);
  for (let byte = 0; byte < 16; byte++) write(UART.THR, byte);
  for (let byte = 0; byte < 16; byte++) {
    assertEquals(read(UART.LSR), IDLE | UART_LSR.DR);
    assertEquals(read(UART.RBR), byte);
  }
  assertEquals([read(UART.LSR), wires.log, wires.input], [IDLE, [], [0x77]]);
  write(UART.MCR, 0);
  send();
  assertEquals(read(UART.RBR), 0x77);
});

Deno.test("in loopback the modem's lines out come in: RTS, DTR, OUT1, OUT2 as CTS, DSR, RI, DCD", () => {
  const { read, write } = port();
  const pairs = [
    [UART_MCR.RTS, UART_MSR.CTS],
    [UART_MCR.DTR, UART_MSR.DSR],
    [UART_MCR.OUT1, UART_MSR.RI],
    [UART_MCR.OUT2, UART_MSR.DCD],
  ] as const;
  for (let mcr = 0; mcr < 0x10; mcr++) {
    write(UART.MCR, UART_MCR.LOOP | mcr);
    const expected = pairs.reduce((msr, [out, into]) => (mcr & out) !== 0 ? msr | into : msr, 0);
    assertEquals(read(UART.MSR) & 0xf0, expected);
  }
  write(UART.MCR, 0);
  assertEquals(read(UART.MSR) & 0xf0, UART_MSR.CTS | UART_MSR.DSR | UART_MSR.DCD);
  // The test of Linux's autoconfig.
  write(UART.MCR, UART_MCR.LOOP | UART_MCR.OUT2 | UART_MCR.RTS);
  assertEquals(read(UART.MSR) & 0xf0, UART_MSR.DCD | UART_MSR.CTS);
});

Deno.test("in loopback interrupts work as well", () => {
  const { wires, read, write } = fifoPort(UART_IER.RDI | UART_IER.MSI);
  write(UART.MCR, UART_MCR.LOOP | UART_MCR.OUT2);
  read(UART.MSR);
  assertEquals(wires.level, false);
  write(UART.THR, 0x5a);
  assertEquals([wires.level, read(UART.IIR)], [true, FIFOS | UART_IIR.TIMEOUT]);
  read(UART.RBR);
  assertEquals(wires.level, false);
  write(UART.MCR, UART_MCR.LOOP | UART_MCR.OUT2 | UART_MCR.RTS);
  assertEquals([wires.level, read(UART.IIR)], [true, FIFOS | UART_IIR.MSI]);
});

Deno.test("a modem line that changes is noted until MSR is read; RI only when it ends", () => {
  const { wires, uart, read, write } = port();
  write(UART.MCR, UART_MCR.OUT2);
  write(UART.IER, UART_IER.MSI);
  const ready = UART_MSR.CTS | UART_MSR.DSR | UART_MSR.DCD;
  assertEquals(read(UART.MSR), ready);
  uart.setModemLines({ cts: false });
  assertEquals([wires.level, read(UART.IIR)], [true, UART_IIR.MSI]);
  assertEquals(read(UART.MSR), UART_MSR.DSR | UART_MSR.DCD | UART_MSR.DCTS);
  assertEquals([wires.level, read(UART.MSR)], [false, UART_MSR.DSR | UART_MSR.DCD]);
  uart.setModemLines({ cts: true, dsr: false, dcd: false });
  assertEquals(
    read(UART.MSR),
    UART_MSR.CTS | UART_MSR.DCTS | UART_MSR.DDSR | UART_MSR.DDCD,
  );
  uart.setModemLines({ ri: true });
  assertEquals([wires.level, read(UART.MSR)], [false, UART_MSR.CTS | UART_MSR.RI]);
  uart.setModemLines({ ri: false });
  assertEquals([wires.level, read(UART.MSR)], [true, UART_MSR.CTS | UART_MSR.TERI]);
  uart.setModemLines({});
  assertEquals(wires.level, false);
  for (const wrong of [undefined, null, "cts", { rts: false }] as never[]) {
    assertCode("EINVAL", () => uart.setModemLines(wrong));
  }
  assertEquals(read(UART.MSR), UART_MSR.CTS);
});

Deno.test("a break that the guest sends comes back in loopback", () => {
  const { read, write } = port();
  write(UART.MCR, UART_MCR.LOOP);
  write(UART.LCR, UART_LCR.BREAK);
  assertEquals(read(UART.LSR), IDLE | UART_LSR.DR | UART_LSR.BI | UART_LSR.FE);
  write(UART.LCR, UART_LCR.BREAK);
  assertEquals([read(UART.RBR), read(UART.LSR)], [0, IDLE], "it begins once");
});

Deno.test("of several interrupts IIR names the one of highest priority", () => {
  const { uart, read, send } = fifoPort(
    UART_IER.RLSI | UART_IER.RDI | UART_IER.THRI | UART_IER.MSI,
  );
  uart.setModemLines({ cts: false });
  uart.receiveBreak();
  send(...Array(15).keys());
  const seen = [read(UART.IIR)];
  read(UART.LSR);
  seen.push(read(UART.IIR));
  for (let count = 0; count < 3; count++) read(UART.RBR);
  seen.push(read(UART.IIR));
  while ((read(UART.LSR) & UART_LSR.DR) !== 0) read(UART.RBR);
  seen.push(read(UART.IIR), read(UART.IIR));
  read(UART.MSR);
  seen.push(read(UART.IIR));
  const { RLSI, RDI, TIMEOUT, THRI, MSI, NONE } = UART_IIR;
  assertEquals(seen, [RLSI, RDI, TIMEOUT, THRI, MSI, NONE].map((id) => FIFOS | id));
});

Deno.test("a wider access reaches one register after another", () => {
  const { wires, uart, read } = port();
  uart.write(UART.LCR, 2, (UART_MCR.DTR << 8) | UART_LCR.WORD_LENGTH);
  assertEquals([read(UART.LCR), read(UART.MCR)], [UART_LCR.WORD_LENGTH, UART_MCR.DTR]);
  assertEquals(uart.read(UART.LCR, 2), UART_MCR.DTR << 8 | UART_LCR.WORD_LENGTH);
  uart.write(UART.SCR, 4, 0x1234_5678);
  assertEquals(uart.read(UART.SCR, 4), 0xffff_ff78, "beyond the last one nobody answers");
  assertEquals(wires.log, []);
});

Deno.test("a register that is written changes no other one", () => {
  const { read, write } = port();
  const registers = [UART.IER, UART.LCR, UART.MCR, UART.SCR];
  for (const index of [3, 2, 1, 0]) write(registers[index]!, index + 1);
  write(UART.FCR, UART_FCR.ENABLE);
  write(UART.LSR, 0xff);
  write(UART.MSR, 0xff);
  assertEquals(registers.map(read), [1, 2, 3, 4]);
});

Deno.test("the transmitter interrupts again when it is enabled anew, and by no other bit of IER", () => {
  const { wires, read, write } = port();
  write(UART.MCR, UART_MCR.OUT2);
  write(UART.IER, UART_IER.THRI);
  read(UART.IIR);
  write(UART.IER, UART_IER.THRI | UART_IER.RDI);
  write(UART.IER, UART_IER.THRI);
  assertEquals([wires.level, read(UART.IIR)], [false, UART_IIR.NONE]);
});

Deno.test("errors interrupt where they are enabled to, also when all data has been read", () => {
  const { wires, read, write } = port();
  write(UART.MCR, UART_MCR.LOOP | UART_MCR.OUT2);
  write(UART.IER, UART_IER.MSI);
  read(UART.MSR);
  write(UART.THR, 1);
  write(UART.THR, 2);
  assertEquals([wires.level, read(UART.IIR)], [false, UART_IIR.NONE]);
  write(UART.IER, UART_IER.RLSI);
  assertEquals([read(UART.RBR), wires.level, read(UART.IIR)], [2, true, UART_IIR.RLSI]);
  assertEquals([read(UART.LSR), wires.level], [IDLE | UART_LSR.OE, false]);
});
