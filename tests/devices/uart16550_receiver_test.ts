import { assertEquals } from "@std/assert";
import { UART, UART_FCR, UART_IER, UART_IIR, UART_LSR, UART_MCR } from "../../src/devices/mod.ts";
import { fifoPort, FIFOS, IDLE, port } from "./port.ts";

Deno.test("without FIFOs one byte is received at a time, and the next when it was read", () => {
  const { wires, read, write, send } = port();
  write(UART.MCR, UART_MCR.OUT2);
  write(UART.IER, UART_IER.RDI);
  send(1, 2, 3);
  assertEquals(wires.input, [2, 3]);
  for (const byte of [1, 2, 3]) {
    assertEquals(read(UART.IIR), UART_IIR.RDI);
    assertEquals(read(UART.LSR), IDLE | UART_LSR.DR);
    assertEquals(read(UART.RBR), byte);
  }
  assertEquals([wires.level, wires.rises], [false, 3], "an edge for each");
  assertEquals([read(UART.LSR), read(UART.RBR)], [IDLE, 3], "the last byte stays to be read");
});

Deno.test("with FIFOs 16 bytes are received, and the rest waits in the source", () => {
  const { wires, read, send } = fifoPort(UART_IER.RDI);
  send(...Array(40).keys());
  assertEquals(wires.input.length, 24);
  assertEquals(read(UART.IIR), FIFOS | UART_IIR.RDI);
  const bytes: number[] = [];
  while ((read(UART.LSR) & UART_LSR.DR) !== 0) bytes.push(read(UART.RBR));
  assertEquals(bytes, [...Array(40).keys()]);
  assertEquals([wires.level, read(UART.IIR)], [false, FIFOS | UART_IIR.NONE]);
});

Deno.test("less than the trigger level is a character timeout, for each of the four levels", () => {
  for (const [index, level] of [1, 4, 8, 14].entries()) {
    const { wires, read, write, send } = fifoPort(UART_IER.RDI);
    write(UART.FCR, UART_FCR.ENABLE | index << 6);
    for (let count = 1; count <= 16; count++) {
      send(count);
      assertEquals(wires.level, true);
      assertEquals(read(UART.IIR), FIFOS | (count < level ? UART_IIR.TIMEOUT : UART_IIR.RDI));
    }
    while ((read(UART.LSR) & UART_LSR.DR) !== 0) read(UART.RBR);
    assertEquals(wires.level, false);
  }
});

Deno.test("a guest that polls LSR gets what no poll() of the host's announced", () => {
  const { wires, read } = port();
  wires.input.push(0x41);
  assertEquals(read(UART.LSR), IDLE | UART_LSR.DR);
  assertEquals(read(UART.RBR), 0x41);
  assertEquals(read(UART.LSR), IDLE);
});

Deno.test("FCR empties the receiver: by its bit, and whenever the FIFOs go on or off", () => {
  const { wires, read, write, send } = port();
  send(1);
  write(UART.FCR, UART_FCR.CLEAR_RECEIVER);
  assertEquals(read(UART.LSR) & UART_LSR.DR, UART_LSR.DR, "without ENABLE, the bit says nothing");
  write(UART.FCR, UART_FCR.ENABLE);
  assertEquals(read(UART.LSR) & UART_LSR.DR, 0);
  send(1, 2, 3);
  write(UART.FCR, UART_FCR.ENABLE | UART_FCR.TRIGGER);
  assertEquals(read(UART.RBR), 1, "another level leaves the bytes");
  write(UART.FCR, UART_FCR.ENABLE | UART_FCR.CLEAR_RECEIVER | UART_FCR.CLEAR_TRANSMITTER);
  assertEquals(read(UART.LSR) & UART_LSR.DR, 0);
  send(1, 2);
  write(UART.FCR, 0);
  assertEquals([read(UART.LSR) & UART_LSR.DR, wires.input], [0, []]);
});

Deno.test("an overrun loses the newest byte in FIFO mode, and the older one without", () => {
  for (const [fcr, capacity, last] of [[UART_FCR.ENABLE, 16, 15], [0, 1, 16]] as const) {
    const { wires, read, write } = port();
    write(UART.FCR, fcr);
    write(UART.MCR, UART_MCR.LOOP | UART_MCR.OUT2);
    write(UART.IER, UART_IER.RLSI);
    for (let byte = 0; byte < capacity; byte++) write(UART.THR, byte);
    assertEquals(wires.level, false);
    write(UART.THR, 16);
    assertEquals([wires.level, read(UART.IIR) & 0xf], [true, UART_IIR.RLSI]);
    assertEquals(read(UART.LSR) & UART_LSR.OE, UART_LSR.OE);
    assertEquals([wires.level, read(UART.LSR) & UART_LSR.OE], [false, 0], "said once");
    const bytes = Array.from({ length: capacity }, () => read(UART.RBR));
    assertEquals(bytes.at(-1), last);
  }
});

Deno.test("a break is a zero with BI and FE, shown when it is next, and once", () => {
  const { wires, uart, read, send } = fifoPort(UART_IER.RLSI);
  send(1, 2);
  uart.receiveBreak();
  send(3);
  assertEquals(wires.level, false, "it is not next yet");
  assertEquals(read(UART.LSR), IDLE | UART_LSR.DR | UART_LSR.FIFO_ERROR);
  assertEquals([read(UART.RBR), read(UART.RBR)], [1, 2]);
  assertEquals([wires.level, read(UART.IIR)], [true, FIFOS | UART_IIR.RLSI]);
  const bits = UART_LSR.DR | UART_LSR.BI | UART_LSR.FE | UART_LSR.FIFO_ERROR;
  assertEquals(read(UART.LSR), IDLE | bits);
  assertEquals([wires.level, read(UART.LSR)], [false, IDLE | UART_LSR.DR]);
  assertEquals([read(UART.RBR), read(UART.RBR), read(UART.LSR)], [0, 3, IDLE]);
});

Deno.test("what waits in the source comes when the guest enables received data, and not before", () => {
  const { wires, read, write } = port();
  write(UART.MCR, UART_MCR.OUT2);
  wires.input.push(0x42);
  write(UART.IER, UART_IER.MSI);
  assertEquals(wires.input, [0x42]);
  write(UART.IER, UART_IER.RDI);
  assertEquals([wires.input, wires.level, read(UART.RBR)], [[], true, 0x42]);
});

Deno.test("emptying the FIFO ends the interrupt of what was in it", () => {
  const { wires, write, send } = fifoPort(UART_IER.RDI);
  send(1);
  assertEquals(wires.level, true);
  write(UART.FCR, UART_FCR.ENABLE | UART_FCR.CLEAR_RECEIVER);
  assertEquals(wires.level, false);
});

Deno.test("what waits when the FIFOs change or a loop ends interrupts who waits for that", () => {
  for (
    const [register, value] of [
      [UART.FCR, UART_FCR.ENABLE],
      [UART.FCR, UART_FCR.ENABLE | UART_FCR.CLEAR_RECEIVER],
      [UART.MCR, UART_MCR.OUT2],
    ] as const
  ) {
    const { wires, read, write } = port();
    write(UART.IER, UART_IER.RDI);
    write(UART.MCR, UART_MCR.OUT2 | (register === UART.MCR ? UART_MCR.LOOP : 0));
    wires.input.push(0x41);
    assertEquals(wires.level, false);
    write(register, value);
    assertEquals([wires.level, read(UART.RBR)], [true, 0x41]);
  }
});
