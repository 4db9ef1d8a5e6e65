/**
 * The devices of a PC: registers at offsets, and wires to the rest of the machine.
 *
 * A device knows no bus, no KVM and no thread. Whoever handles a guest's exits calls its
 * {@linkcode Device.read} and {@linkcode Device.write}; what the device does to the world goes
 * through the wires that its constructor takes. All that it remembers is a struct, `state`: copying
 * its bytes is a snapshot, and two devices over the same bytes are one.
 *
 * @example
 * ```ts
 * import type { Device } from "@deno-kvm/kvm/devices";
 *
 * // A device of one's own: a register that counts how often it was read.
 * class Counter implements Device {
 *   #count = 0;
 *   read(): number {
 *     return ++this.#count;
 *   }
 *   write(_offset: number, _size: number, value: number): void {
 *     this.#count = value;
 *   }
 * }
 *
 * const counter = new Counter();
 * counter.write(0, 4, 41);
 * console.log(counter.read()); // 42
 * ```
 *
 * @module
 */

export {
  type ByteSink,
  type ByteSource,
  type Device,
  type InterruptLine,
  type TimedDevice,
  unconnected,
} from "./device.ts";
export { readBytewise, writeBytewise } from "./bytewise.ts";
export { type ModemLines, Uart16550, type UartWires } from "./uart16550.ts";
export {
  UART,
  UART_FCR,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
} from "./uart16550_registers.ts";
export { uart16550State } from "./uart16550_state.ts";
export { I8042, i8042State, type I8042Wires } from "./i8042.ts";
export { I8042_COMMAND, I8042_CONFIG, I8042_OUTPUT, I8042_STATUS } from "./i8042_registers.ts";
export { KEYBOARD, keyboardState } from "./keyboard.ts";
export { type KeyName, keystroke, press, release, Scancode } from "./scancodes.ts";
export { type CmosMemorySize, Rtc, rtcState, type RtcWires } from "./rtc.ts";
export { RTC, RTC_A, RTC_B, RTC_C, RTC_D } from "./rtc_registers.ts";
export { BOOT_TIMER_BOOTED, BootTimer, bootTimerState, type BootTimerWires } from "./boot_timer.ts";
export { DebugExit, type DebugExitWires } from "./debug_exit.ts";
export { Debugcon, DEBUGCON_PRESENT, type DebugconWires } from "./debugcon.ts";
export {
  PM1_CONTROL,
  PM1_EVENT,
  PmControl,
  pmControlState,
  type PmControlWires,
  SLP_TYP_S5,
} from "./pm.ts";
export { PM_TIMER_HZ, PmTimer, type PmTimerWires } from "./pm_timer.ts";
export { Port92, port92State, type Port92Wires, PORT_92 } from "./port92.ts";
export { PostCode, postCodeState, type PostCodeWires } from "./post_code.ts";
export {
  RESET_CONTROL,
  ResetControl,
  resetControlState,
  type ResetControlWires,
  type ResetKind,
} from "./reset_control.ts";
export { type DmaMemory, FwCfg, fwCfgState, type FwCfgWires } from "./fw_cfg.ts";
export { FW_CFG, FW_CFG_DMA, FW_CFG_ID, FW_CFG_KEY } from "./fw_cfg_registers.ts";
export { bytesOf, create, view } from "../../ffi/mod.ts";
export type { FieldOf, ScalarArrays, Scalars, StructOf, Table } from "../../ffi/mod.ts";
