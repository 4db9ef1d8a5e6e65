/**
 * A serial port: the 16550A of National Semiconductor (TI PC16550D data sheet), as the PC wires it.
 *
 * ```
 * offset  read             write            with LCR.DLAB
 * 0       RBR received     THR to send      DLL  divisor, low
 * 1       IER interrupts enabled            DLM  divisor, high
 * 2       IIR interrupt    FCR FIFOs
 * 3       LCR line control
 * 4       MCR modem control
 * 5       LSR line status  -
 * 6       MSR modem status -
 * 7       SCR scratch
 * ```
 *
 * Bytes take no time: what is written is sent at once, and what has been received waits in the
 * source until there is room. Therefore the character timeout, due after four characters' time of
 * silence, is due at once when less than the trigger level came.
 *
 * A hostile guest reaches its own state and nothing else: the FIFO is an array of fixed size with
 * indices that wrap, and every register is masked when it is written.
 *
 * @module
 */

import { checkNames, create, type StructOf } from "../../ffi/mod.ts";
import { OPEN_BYTE, readBytewise, writeBytewise } from "./bytewise.ts";
import type { ByteSink, ByteSource, Device, InterruptLine } from "./device.ts";
import {
  UART,
  UART_FCR,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
} from "./uart16550_registers.ts";
import { Receiver } from "./uart16550_receiver.ts";
import { uart16550State } from "./uart16550_state.ts";

/** What a {@linkcode Uart16550} is connected to. */
export interface UartWires {
  /** IRQ 4 for COM1 and COM3, IRQ 3 for COM2 and COM4. */
  readonly interrupt: InterruptLine;
  /** What the guest sends. */
  readonly output: ByteSink;
  /** What the guest is to receive; call {@linkcode Uart16550.poll} when there is something new. */
  readonly input?: ByteSource | undefined;
}

/** The modem's lines that come in; what is left out stays as it is. */
export interface ModemLines {
  /** Clear to send. */
  readonly cts?: boolean | undefined;
  /** Data set ready. */
  readonly dsr?: boolean | undefined;
  /** The phone rings. */
  readonly ri?: boolean | undefined;
  /** The other modem's carrier is there. */
  readonly dcd?: boolean | undefined;
}

const LINES = UART_MSR.CTS | UART_MSR.DSR | UART_MSR.RI | UART_MSR.DCD;
const DELTAS = UART_MSR.DCTS | UART_MSR.DDSR | UART_MSR.TERI | UART_MSR.DDCD;
/** The lines while a terminal is connected and ready. */
const READY = UART_MSR.CTS | UART_MSR.DSR | UART_MSR.DCD;
const IDLE = UART_LSR.THRE | UART_LSR.TEMT;
/** 9600 baud, from a clock of 1.8432 MHz divided by 16. */
const DIVISOR_9600 = 12;

/**
 * A serial port.
 *
 * @example
 * ```ts
 * import { Uart16550, UART, unconnected } from "@deno-kvm/kvm/devices";
 *
 * const sent: number[] = [];
 * const uart = new Uart16550({ interrupt: unconnected, output: { put: (byte) => sent.push(byte) } });
 * for (const byte of new TextEncoder().encode("Hi!")) uart.write(UART.THR, 1, byte);
 * console.log(String.fromCharCode(...sent)); // Hi!
 * ```
 */
export class Uart16550 implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof uart16550State>;
  readonly #wires: UartWires;
  readonly #receiver: Receiver;

  /** With a state it goes on from there; without, from power-on. */
  constructor(wires: UartWires, state?: StructOf<typeof uart16550State>) {
    this.#wires = wires;
    this.state = state ?? create(uart16550State);
    this.#receiver = new Receiver(this.state);
    if (state === undefined) this.reset();
  }

  /** Back to power-on: FIFOs off and empty, no interrupts. */
  reset(): void {
    const { state } = this;
    state.ier =
      state.fcr =
      state.lcr =
      state.mcr =
      state.scr =
        0;
    state.dll = DIVISOR_9600;
    state.dlm = 0;
    state.overrun = state.thrEmpty = 0;
    this.#receiver.clear();
    state.msr = this.#peer;
    this.#update();
  }

  /** The guest reads a register; beyond them all ones. */
  read(offset: number, size: number): number {
    if (size !== 1) return readBytewise(this, offset, size);
    const { state } = this;
    switch (offset) {
      case UART.RBR:
        return this.#dlab ? state.dll : this.#receive();
      case UART.IER:
        return this.#dlab ? state.dlm : state.ier;
      case UART.IIR:
        return this.#identify();
      case UART.LCR:
        return state.lcr;
      case UART.MCR:
        return state.mcr;
      case UART.LSR:
        return this.#lineStatus();
      case UART.MSR:
        return this.#modemStatus();
      case UART.SCR:
        return state.scr;
      default:
        return OPEN_BYTE;
    }
  }

  /** The guest writes a register; LSR and MSR can't be written. */
  write(offset: number, size: number, value: number): void {
    if (size !== 1) return writeBytewise(this, offset, size, value);
    const { state } = this;
    switch (offset) {
      case UART.THR:
        if (this.#dlab) state.dll = value;
        else this.#send(value);
        break;
      case UART.IER:
        if (this.#dlab) state.dlm = value;
        else this.#enable(value & (UART_IER.RDI | UART_IER.THRI | UART_IER.RLSI | UART_IER.MSI));
        break;
      case UART.FCR:
        this.#controlFifos(value);
        break;
      case UART.LCR:
        this.#controlLine(value);
        break;
      case UART.MCR:
        state.mcr = value &
          (UART_MCR.DTR | UART_MCR.RTS | UART_MCR.OUT1 | UART_MCR.OUT2 | UART_MCR.LOOP);
        this.#connect();
        this.#pollIfTold();
        break;
      case UART.SCR:
        state.scr = value;
        break;
    }
  }

  /** Takes from the source what there is room for; for the host, when the source has got bytes. */
  poll(): void {
    const { input } = this.#wires;
    if (input === undefined || this.#loop) return;
    const receiver = this.#receiver;
    while (receiver.hasRoom) {
      const byte = input.take();
      if (byte < 0) break;
      receiver.push(byte, 0);
    }
    this.#update();
  }

  /** Whether a byte from the other side finds room; without, it gets lost, and LSR says so. */
  get hasRoom(): boolean {
    return !this.#loop && this.#receiver.hasRoom;
  }

  /** The other side sends a break: the line is held at zero for longer than a character. */
  receiveBreak(): void {
    if (!this.#loop) this.#arrive(0, UART_LSR.BI | UART_LSR.FE);
  }

  /**
   * The other side's modem lines change; after power-on it is ready: CTS, DSR and DCD are up.
   *
   * @throws {KvmError} EINVAL for a name that is no line's.
   */
  setModemLines(changes: ModemLines): void {
    const names = { cts: true, dsr: true, ri: true, dcd: true } as const;
    checkNames("set the modem's lines", "What changes", changes, names);
    const { cts, dsr, ri, dcd } = changes;
    let lines = this.#peer;
    lines = withBit(lines, UART_MSR.CTS, cts);
    lines = withBit(lines, UART_MSR.DSR, dsr);
    lines = withBit(lines, UART_MSR.RI, ri);
    lines = withBit(lines, UART_MSR.DCD, dcd);
    this.state.peer = lines ^ READY;
    this.#connect();
  }

  /** A guest that waits for an interrupt does not look at LSR: what has waited comes now. */
  #pollIfTold(): void {
    if ((this.state.ier & UART_IER.RDI) !== 0) this.poll();
  }

  get #dlab(): boolean {
    return (this.state.lcr & UART_LCR.DLAB) !== 0;
  }

  get #loop(): boolean {
    return (this.state.mcr & UART_MCR.LOOP) !== 0;
  }

  get #peer(): number {
    return (this.state.peer ^ READY) & LINES;
  }

  #send(byte: number): void {
    const { state } = this;
    const interrupts = (state.ier & UART_IER.THRI) !== 0;
    // The line falls in between, so that an edge-triggered PIC sees the next interrupt.
    state.thrEmpty = 0;
    if (interrupts) this.#update();
    if (this.#loop) this.#arrive(byte, 0);
    else this.#wires.output.put(byte);
    state.thrEmpty = 1;
    if (interrupts) this.#update();
  }

  #receive(): number {
    const byte = this.#receiver.pop();
    this.#update();
    this.poll();
    return byte;
  }

  #identify(): number {
    const { state } = this;
    const pending = this.#pending();
    if (pending === UART_IIR.THRI) {
      state.thrEmpty = 0;
      this.#update();
    }
    return pending | ((state.fcr & UART_FCR.ENABLE) !== 0 ? UART_IIR.FIFOS : 0);
  }

  #lineStatus(): number {
    // A guest that polls asks here.
    if (this.state.count === 0) this.poll();
    const status = this.#receiver.takeStatus();
    if ((status & ~UART_LSR.DR) !== 0) this.#update();
    return IDLE | status;
  }

  #modemStatus(): number {
    const { state } = this;
    const { msr } = state;
    state.msr = msr & LINES;
    this.#update();
    return msr;
  }

  #enable(ier: number): void {
    const { state } = this;
    const enabled = ier & ~state.ier;
    state.ier = ier;
    // An idle transmitter interrupts each time that it is enabled to, even if the guest was told
    // before: drivers find out by that whether an interrupt could get lost.
    if ((enabled & UART_IER.THRI) !== 0) state.thrEmpty = 1;
    if ((enabled & UART_IER.RDI) !== 0) this.poll();
    this.#update();
  }

  #controlFifos(value: number): void {
    const { state } = this;
    const enabled = (value & UART_FCR.ENABLE) !== 0;
    const changed = ((value ^ state.fcr) & UART_FCR.ENABLE) !== 0;
    if (changed || (enabled && (value & UART_FCR.CLEAR_RECEIVER) !== 0)) this.#receiver.clear();
    state.fcr = enabled ? value & (UART_FCR.ENABLE | UART_FCR.DMA_MODE | UART_FCR.TRIGGER) : 0;
    this.#update();
    this.#pollIfTold();
  }

  #controlLine(lcr: number): void {
    const { state } = this;
    const begins = (lcr & ~state.lcr & UART_LCR.BREAK) !== 0;
    state.lcr = lcr;
    if (begins && this.#loop) this.#arrive(0, UART_LSR.BI | UART_LSR.FE);
  }

  /** The modem's lines in are the peer's, or in a loop those out; notes what changed. */
  #connect(): void {
    const { state } = this;
    const { mcr, msr } = state;
    const lines = this.#loop ? loopedLines(mcr) : this.#peer;
    const changed = (msr ^ lines) & LINES;
    const deltas = (changed & ~(lines & UART_MSR.RI)) >> 4;
    state.msr = lines | (msr & DELTAS) | deltas;
    this.#update();
  }

  #arrive(byte: number, errors: number): void {
    this.#receiver.push(byte, errors);
    this.#update();
  }

  /** What IIR says, without the FIFOs' bits. */
  #pending(): number {
    const { state } = this;
    const { ier } = state;
    if (ier === 0) return UART_IIR.NONE;
    if ((ier & UART_IER.RLSI) !== 0 && this.#receiver.errors !== 0) return UART_IIR.RLSI;
    if ((ier & UART_IER.RDI) !== 0 && state.count > 0) {
      return this.#receiver.isAtTrigger ? UART_IIR.RDI : UART_IIR.TIMEOUT;
    }
    if ((ier & UART_IER.THRI) !== 0 && state.thrEmpty !== 0) return UART_IIR.THRI;
    if ((ier & UART_IER.MSI) !== 0 && (state.msr & DELTAS) !== 0) return UART_IIR.MSI;
    return UART_IIR.NONE;
  }

  #update(): void {
    const { state } = this;
    const connected = (state.mcr & UART_MCR.OUT2) !== 0;
    const level = connected && this.#pending() !== UART_IIR.NONE ? 1 : 0;
    if (state.interrupt === level) return;
    state.interrupt = level;
    this.#wires.interrupt.set(level === 1);
  }
}

/** The modem's lines out, as they come in again in a loop. */
function loopedLines(mcr: number): number {
  return ((mcr & UART_MCR.RTS) !== 0 ? UART_MSR.CTS : 0) |
    ((mcr & UART_MCR.DTR) !== 0 ? UART_MSR.DSR : 0) |
    ((mcr & UART_MCR.OUT1) !== 0 ? UART_MSR.RI : 0) |
    ((mcr & UART_MCR.OUT2) !== 0 ? UART_MSR.DCD : 0);
}

function withBit(bits: number, bit: number, on: boolean | undefined): number {
  return on === undefined ? bits : on ? bits | bit : bits & ~bit;
}
