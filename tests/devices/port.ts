/**
 * A serial port, and what a driver and the other end do with it.
 *
 * @module
 */

import { UART, Uart16550, UART_FCR, UART_IIR, UART_LSR, UART_MCR } from "../../src/devices/mod.ts";
import { Wires } from "./support.ts";

/** What IIR has of FIFOs that are on. */
export const FIFOS: number = UART_IIR.FIFOS;
/** What LSR has of a transmitter with nothing to do. */
export const IDLE: number = UART_LSR.THRE | UART_LSR.TEMT;

/** One with its driver and the other end. */
export interface Port {
  /** What it is connected to. */
  readonly wires: Wires;
  /** The device. */
  readonly uart: Uart16550;
  /** Reads a register. */
  read(offset: number): number;
  /** Writes a register. */
  write(offset: number, value: number): void;
  /** Bytes to the guest. */
  send(...bytes: number[]): void;
}

/** A new one on wires of its own. */
export function port(): Port {
  const wires = new Wires();
  const { interrupt, output, source } = wires;
  const uart = new Uart16550({ interrupt, output, input: source });
  const read = (offset: number) => uart.read(offset, 1);
  const write = (offset: number, value: number) => uart.write(offset, 1, value);
  const send = (...bytes: number[]) => {
    wires.input.push(...bytes);
    uart.poll();
  };
  return { wires, uart, read, write, send };
}

/** The port with FIFOs on at a trigger level of 14, and connected to its interrupt line. */
export function fifoPort(ier: number): Port {
  const made = port();
  made.write(UART.FCR, UART_FCR.ENABLE | UART_FCR.TRIGGER);
  made.write(UART.MCR, UART_MCR.OUT2);
  made.write(UART.IER, ier);
  return made;
}
