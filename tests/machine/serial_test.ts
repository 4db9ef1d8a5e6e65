import { assertEquals } from "@std/assert";
import { UART, UART_FCR, UART_LSR } from "../../src/devices/mod.ts";
import { createBoard } from "../../src/machine/board.ts";
import { SerialLine } from "../../src/machine/serial.ts";
import { SharedState } from "../../src/machine/shared/mod.ts";
import { inTime } from "../support/time.ts";

/** A serial port with its other end, and what a guest reads from it until a break has come. */
function connected(fcr: number) {
  const shared = new SharedState(1);
  const [serial] = createBoard(shared, { serialPorts: 1 }, { set() {} }).serial;
  const { uart } = serial!;
  uart.write(UART.FCR, 1, fcr);
  const line = new SerialLine(shared, serial!);
  const untilBreak = async () => {
    const read: string[] = [];
    for (;;) {
      const status = uart.read(UART.LSR, 1);
      if ((status & UART_LSR.OE) !== 0) read.push("overrun");
      if ((status & UART_LSR.DR) === 0) await new Promise((resolve) => setTimeout(resolve));
      else if ((status & UART_LSR.BI) !== 0) return [...read, `break ${uart.read(UART.RBR, 1)}`];
      else read.push(String.fromCharCode(uart.read(UART.RBR, 1)));
    }
  };
  return { line, untilBreak };
}

const text = "more than a FIFO takes";

for (const [what, fcr] of [["with", UART_FCR.ENABLE], ["without", 0]] as const) {
  Deno.test(`a break comes behind what was sent before, ${what} FIFOs, and nothing gets lost`, async () => {
    const { line, untilBreak } = connected(fcr);
    await line.send(text);
    line.sendBreak();
    const sent = line.send("and after it");
    assertEquals(await inTime(untilBreak()), [...text, "break 0"]);
    await sent;
    line.sendBreak();
    assertEquals(await inTime(untilBreak()), [..."and after it", "break 0"]);
    line.close();
  });
}

Deno.test("a break alone is there at once", () => {
  const { line, untilBreak } = connected(UART_FCR.ENABLE);
  line.sendBreak();
  line.close();
  return inTime(untilBreak()).then((read) => assertEquals(read, ["break 0"]));
});
