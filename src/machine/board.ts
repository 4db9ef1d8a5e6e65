/**
 * The devices that a PC has on its board, and where.
 *
 * Every thread of a machine makes the same board over the same shared state: whichever vCPU's
 * thread the guest reaches a device from has it at hand.
 *
 * @module
 */

import { monotonicMilliseconds } from "../../ffi/mod.ts";
import {
  Debugcon,
  DebugExit,
  type Device,
  I8042,
  i8042State,
  type InterruptLine,
  PmControl,
  pmControlState,
  PmTimer,
  Port92,
  port92State,
  PostCode,
  postCodeState,
  ResetControl,
  resetControlState,
  Rtc,
  rtcState,
  type TimedDevice,
  Uart16550,
  uart16550State,
} from "../devices/mod.ts";
import { Irq, Port } from "../firmware/layout/mod.ts";
import { Bus, type Region } from "./bus.ts";
import { Bell, type ByteRing, Ending, type SharedState } from "./shared/mod.ts";

/** What is on the board. */
export interface BoardOptions {
  /** How many serial ports: COM1 to COM4. */
  readonly serialPorts: number;
}

/** A serial port with its two streams. */
export interface BoardSerial {
  /** The device. */
  readonly uart: Uart16550;
  /** What the guest sent. */
  readonly output: ByteRing;
  /** What it is to receive. */
  readonly input: ByteRing;
}

/** A machine's built-in devices, as one thread sees them. */
export interface Board {
  /** The I/O ports. */
  readonly ports: Bus;
  /** COM1 and on. */
  readonly serial: readonly BoardSerial[];
  /** What the guest wrote to the debug console. */
  readonly debugcon: ByteRing;
  /** Keyboard controller. */
  readonly i8042: I8042;
  /** Clock and battery-backed memory. */
  readonly rtc: Rtc;
  /** ACPI's fixed hardware. */
  readonly pm: PmControl;
  /** The last POST code. */
  readonly postCode: PostCode;
  /** All of them, each once. */
  readonly devices: readonly Device[];
  /** Those that act at a time of their own. */
  readonly timed: readonly TimedDevice[];
  /** After the guest's access, with the lock held: tells main of deadlines that have moved. */
  afterAccess(region: Region): void;
  /** A vCPU's side, after an access that main's board has had for it: who prints waits for room. */
  noteOutput(region: Region): void;
}

/** Sets an interrupt line's level, by its GSI. */
export interface GsiLines {
  /** Raises or lowers it. */
  set(gsi: number, level: boolean): void;
}

const PORTS = 0x1_0000;
/** The keyboard controller's two ports are apart. */
const I8042_COMMAND_OFFSET = 4;
/** A doubleword is its widest value; the ports behind the first one are free for others. */
const DEBUG_EXIT_BYTES = 4;
const PCI_ADDRESS_BYTES = 4;

/** Where a PC's serial ports are. */
export const serialPlaces: readonly { readonly port: number; readonly irq: number }[] = [
  { port: Port.COM1, irq: Irq.COM1 },
  { port: Port.COM2, irq: Irq.COM2 },
  { port: Port.COM3, irq: Irq.COM1 },
  { port: Port.COM4, irq: Irq.COM2 },
];

/** When the first of some devices has something to do. */
export function nextDeadline(devices: readonly TimedDevice[]): number {
  let next = Infinity;
  for (let at = 0; at < devices.length; at++) next = Math.min(next, devices[at]!.deadline);
  return next;
}

/**
 * Makes the board.
 *
 * @param onEnding Called when the guest has asked for the machine's end, on the thread it did so.
 */
export function createBoard(
  shared: SharedState,
  { serialPorts }: BoardOptions,
  lines: GsiLines,
  onEnding: () => void = () => {},
): Board {
  const ports = new Bus("ports", PORTS);
  const devices: Device[] = [];
  const line = (gsi: number): InterruptLine => ({ set: (level) => lines.set(gsi, level) });
  const end = (ending: number, code?: number) => {
    shared.end(ending, code);
    onEnding();
  };
  const reset = () => end(Ending.RESET);
  const output = () => shared.ring((ring) => shared.noteOutput(ring));
  const add = <T extends Device>(device: T, ...places: [start: number, length: number][]) => {
    const base = places[0]![0];
    for (const [start, length] of places) ports.map(start, length, device, { base });
    devices.push(device);
    return device;
  };

  const serial = serialPlaces.slice(0, serialPorts).map(({ port, irq }): BoardSerial => {
    const rings = { output: output(), input: shared.ring() };
    const wires = { interrupt: line(irq), ...rings };
    return { uart: add(new Uart16550(wires, shared.state(uart16550State)), [port, 8]), ...rings };
  });
  const debugcon = output();
  const debugcons = [Port.DEBUGCON, Port.FIRMWARE_DEBUGCON].map((port) =>
    add(new Debugcon({ output: debugcon }), [port, 1])
  );
  const i8042 = add(
    new I8042({ keyboardInterrupt: line(Irq.KEYBOARD), reset }, shared.state(i8042State)),
    [Port.I8042, 1],
    [Port.I8042 + I8042_COMMAND_OFFSET, 1],
  );
  const rtc = add(new Rtc({ interrupt: line(Irq.RTC) }, shared.state(rtcState)), [Port.RTC, 2]);
  const postCode = add(new PostCode({}, shared.state(postCodeState)), [Port.POST, 1]);
  add(new Port92({ reset }, shared.state(port92State)), [Port.SYSTEM_A, 1]);
  const resetControl = new ResetControl({ reset }, shared.state(resetControlState));
  // Around it lies PCI's address register, whose doubleword is no byte for it; there is no PCI.
  ports.map(Port.PCI_ADDRESS, PCI_ADDRESS_BYTES, resetControl, { base: Port.RESET_CONTROL });
  devices.push(resetControl);
  const debugExit = new DebugExit({ exit: (code) => end(Ending.DEBUG_EXIT, code) });
  ports.map(Port.DEBUG_EXIT, 1, debugExit, { reach: Port.DEBUG_EXIT + DEBUG_EXIT_BYTES });
  devices.push(debugExit);
  const powerOff = () => end(Ending.POWER_OFF);
  const pm = add(
    new PmControl({ powerOff, interrupt: line(Irq.SCI) }, shared.state(pmControlState)),
    [Port.PM1A_EVENT, 6],
  );
  add(new PmTimer({ clock: monotonicMilliseconds }), [Port.PM_TIMER, 4]);

  const timed = devices.filter((device): device is TimedDevice => "deadline" in device);
  const afterAccess = ({ device }: Region) => {
    if (!timed.includes(device as TimedDevice)) return;
    const deadline = nextDeadline(timed);
    if (deadline === shared.deadline) return;
    shared.deadline = deadline;
    shared.ringBell(Bell.TIMER);
  };
  const outputs = new Map<Device, ByteRing>(serial.map(({ uart, output }) => [uart, output]));
  for (const port of debugcons) outputs.set(port, debugcon);
  const noteOutput = ({ device }: Region) => {
    const ring = outputs.get(device);
    if (ring !== undefined) shared.noteOutput(ring);
  };
  return {
    ports,
    serial,
    debugcon,
    i8042,
    rtc,
    pm,
    postCode,
    devices,
    timed,
    afterAccess,
    noteOutput,
  };
}
