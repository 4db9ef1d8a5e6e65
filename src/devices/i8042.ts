/**
 * The keyboard controller, an Intel 8042 with a PC's program, and the keyboard (IBM PS/2 Hardware
 * Interface Technical Reference, "Keyboard and auxiliary device controller"). There is no auxiliary
 * device, and no port for one.
 *
 * ```
 * offset  read                              write
 * 0       data, from controller or keyboard data, to the keyboard or for a command
 * 4       status                            command
 * ```
 *
 * Whatever comes in is done at once: the input buffer is never full.
 *
 * A hostile guest can have the machine reset, as on a PC; apart from that it reaches the 32 bytes of
 * the controller's memory and the keyboard's queues, whose sizes are fixed.
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { openBus, readBytewise, writeBytewise } from "./bytewise.ts";
import type { Device, InterruptLine } from "./device.ts";
import { I8042_COMMAND, I8042_CONFIG, I8042_OUTPUT, I8042_STATUS } from "./i8042_registers.ts";
import { Keyboard, keyboardState } from "./keyboard.ts";
import { keystroke, RELEASE, toSet1 } from "./scancodes.ts";

/** All that an {@linkcode I8042} remembers. */
export const i8042State = {
  /** The byte in the output buffer. */
  data: "u8",
  /** Whether the output buffer is full. */
  full: "u8",
  /** Whether the last byte that came was a command. */
  commanded: "u8",
  /** The command whose data comes next; 0 for none. */
  command: "u8",
  /** The controller's answer that waits for the output buffer. */
  reply: "u8",
  /** Whether there is one. */
  replies: "u8",
  /** Translation: whether the next scan code is that of a key let go. */
  released: "u8",
  /** Whether address line 20 is held at zero; the host may heed it. */
  a20Masked: "u8",
  /** The interrupt line's level. */
  interrupt: "u8",
  /** The controller's memory; the first byte is its configuration. */
  ram: "u8[32]",
  /** The keyboard. */
  keyboard: keyboardState,
} as const;

/** What an {@linkcode I8042} is connected to. */
export interface I8042Wires {
  /** IRQ 1. */
  readonly keyboardInterrupt: InterruptLine;
  /** The guest wants the processor, and on a PC all else, to be reset. */
  reset(): void;
  /** The guest lets address line 20 through, or holds it at zero. */
  a20?(enabled: boolean): void;
}

/** Offset of the data. */
const DATA = 0;
/** Offset of status and commands. */
const STATUS = 4;
/** What a firmware leaves: translation and interrupts, and nothing auxiliary. */
const CONFIG_DEFAULT = I8042_CONFIG.KEYBOARD_INTERRUPT | I8042_CONFIG.SYSTEM |
  I8042_CONFIG.AUX_DISABLED | I8042_CONFIG.TRANSLATE;
const CONFIG_WRITABLE = I8042_CONFIG.KEYBOARD_INTERRUPT | I8042_CONFIG.SYSTEM |
  I8042_CONFIG.IGNORE_LOCK | I8042_CONFIG.KEYBOARD_DISABLED | I8042_CONFIG.TRANSLATE;
const RAM_MASK = 0x1f;

/**
 * The keyboard controller with a keyboard.
 *
 * @example
 * ```ts
 * import { I8042, unconnected } from "@deno-kvm/kvm/devices";
 *
 * const i8042 = new I8042({ keyboardInterrupt: unconnected, reset() {} });
 * i8042.type("a");
 * console.log(i8042.read(0, 1).toString(16)); // 1e: the key goes down
 * console.log(i8042.read(0, 1).toString(16)); // 9e: and up
 * ```
 */
export class I8042 implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof i8042State>;
  readonly #wires: I8042Wires;
  readonly #keyboard: Keyboard;

  /** With a state it goes on from there; without, from power-on. */
  constructor(wires: I8042Wires, state?: StructOf<typeof i8042State>) {
    this.#wires = wires;
    this.state = state ?? create(i8042State);
    this.#keyboard = new Keyboard(this.state.keyboard);
    if (state === undefined) this.reset();
  }

  /** Back to what a PC's firmware leaves after power-on: the keyboard scans and is translated. */
  reset(): void {
    const { state } = this;
    state.data =
      state.full =
      state.commanded =
      state.command =
        0;
    state.reply = state.replies = state.released = 0;
    state.ram.fill(0);
    state.ram[0] = CONFIG_DEFAULT;
    this.#keyboard.reset();
    this.#setA20(true);
    this.#update();
  }

  /** How many bytes of scan codes {@linkcode key} can take. */
  get room(): number {
    return this.#keyboard.room;
  }

  /**
   * Keys go down or up.
   *
   * @param scancodes Bytes of set 2, as {@linkcode press} and {@linkcode release} give them.
   * @returns Whether the keyboard had room for all of them; it takes 16 bytes, or none of these.
   * @throws {KvmError} EINVAL for what is no list of bytes.
   */
  key(scancodes: readonly number[]): boolean {
    const taken = this.#keyboard.scan(scancodes);
    this.#fill();
    return taken;
  }

  /**
   * Types text on a US keyboard; what is not on it is left out.
   *
   * @returns How many UTF-16 units were taken. The rest did not fit: type it when the guest has read.
   */
  type(text: string): number {
    let taken = 0;
    for (const char of text) {
      const codes = keystroke(char);
      if (codes !== undefined && !this.key(codes)) break;
      taken += char.length;
    }
    return taken;
  }

  /** The guest reads data or status; elsewhere all ones. */
  read(offset: number, size: number): number {
    if (size !== 1) return readBytewise(this, offset, size);
    if (offset === DATA) return this.#take();
    if (offset !== STATUS) return openBus(size);
    const { state } = this;
    return I8042_STATUS.UNLOCKED |
      (state.full !== 0 ? I8042_STATUS.OUTPUT_FULL : 0) |
      (state.commanded !== 0 ? I8042_STATUS.COMMANDED : 0) |
      (this.#config & I8042_CONFIG.SYSTEM);
  }

  /** The guest writes data or a command. */
  write(offset: number, size: number, value: number): void {
    if (size !== 1) return writeBytewise(this, offset, size, value);
    const { state } = this;
    if (offset === STATUS) {
      state.commanded = 1;
      state.command = 0;
      this.#command(value);
    } else if (offset === DATA) {
      const { command } = state;
      state.commanded = 0;
      state.command = 0;
      if (command !== 0) this.#commandData(command, value);
      else {
        // Whoever talks to the keyboard wants to hear its answer.
        this.#config &= ~I8042_CONFIG.KEYBOARD_DISABLED;
        this.#keyboard.receive(value);
      }
    }
    this.#fill();
  }

  get #config(): number {
    return this.state.ram[0]!;
  }

  set #config(value: number) {
    this.state.ram[0] = value;
  }

  #command(command: number): void {
    const { state } = this;
    if (command >= I8042_COMMAND.READ_RAM && command <= I8042_COMMAND.READ_RAM + RAM_MASK) {
      return this.#reply(state.ram[command & RAM_MASK]!);
    }
    if (command >= I8042_COMMAND.WRITE_RAM && command <= I8042_COMMAND.WRITE_RAM + RAM_MASK) {
      state.command = command;
      return;
    }
    switch (command) {
      case I8042_COMMAND.TEST_PASSWORD:
        return this.#reply(I8042_COMMAND.NO_PASSWORD);
      case I8042_COMMAND.TEST_AUX:
        return this.#reply(I8042_COMMAND.CLOCK_STUCK_LOW);
      case I8042_COMMAND.SELF_TEST:
        this.#config |= I8042_CONFIG.SYSTEM;
        return this.#reply(I8042_COMMAND.SELF_TEST_PASSED);
      case I8042_COMMAND.TEST_KEYBOARD:
        return this.#reply(0);
      case I8042_COMMAND.DISABLE_KEYBOARD:
        this.#config |= I8042_CONFIG.KEYBOARD_DISABLED;
        break;
      case I8042_COMMAND.ENABLE_KEYBOARD:
        this.#config &= ~I8042_CONFIG.KEYBOARD_DISABLED;
        break;
      case I8042_COMMAND.READ_INPUT_PORT:
        return this.#reply(I8042_COMMAND.INPUT_UNLOCKED);
      case I8042_COMMAND.READ_OUTPUT_PORT:
        return this.#reply(this.#outputPort());
      case I8042_COMMAND.WRITE_OUTPUT_PORT:
      case I8042_COMMAND.WRITE_OUTPUT_BUFFER:
      case I8042_COMMAND.WRITE_AUX_BUFFER:
      case I8042_COMMAND.WRITE_AUX:
        state.command = command;
        break;
      case I8042_COMMAND.DISABLE_A20:
        this.#setA20(false);
        break;
      case I8042_COMMAND.ENABLE_A20:
        this.#setA20(true);
        break;
      case I8042_COMMAND.READ_TEST_INPUTS:
        return this.#reply(
          I8042_COMMAND.TEST_DATA |
            ((this.#config & I8042_CONFIG.KEYBOARD_DISABLED) === 0 ? I8042_COMMAND.TEST_CLOCK : 0),
        );
      default:
        // The low bits say which lines of the output port are not pulsed; the reset's is the first.
        if (command >= I8042_COMMAND.PULSE && (command & I8042_OUTPUT.NO_RESET) === 0) {
          this.#wires.reset();
        }
    }
  }

  #commandData(command: number, value: number): void {
    switch (command) {
      case I8042_COMMAND.WRITE_RAM:
        this.#config = value & CONFIG_WRITABLE | I8042_CONFIG.AUX_DISABLED;
        break;
      case I8042_COMMAND.WRITE_OUTPUT_PORT:
        this.#setA20((value & I8042_OUTPUT.A20) !== 0);
        if ((value & I8042_OUTPUT.NO_RESET) === 0) this.#wires.reset();
        break;
      case I8042_COMMAND.WRITE_OUTPUT_BUFFER:
      // Without an auxiliary port it is the same buffer, and the status does not say otherwise:
      // drivers find out by that.
      case I8042_COMMAND.WRITE_AUX_BUFFER:
        this.#reply(value);
        break;
      case I8042_COMMAND.WRITE_AUX:
        break;
      default:
        this.state.ram[command & RAM_MASK] = value;
    }
  }

  #outputPort(): number {
    const { state } = this;
    return I8042_OUTPUT.NO_RESET | I8042_OUTPUT.LINES |
      (state.a20Masked === 0 ? I8042_OUTPUT.A20 : 0) |
      (state.full !== 0 ? I8042_OUTPUT.FULL : 0);
  }

  #setA20(enabled: boolean): void {
    const masked = enabled ? 0 : 1;
    if (this.state.a20Masked === masked) return;
    this.state.a20Masked = masked;
    this.#wires.a20?.(enabled);
  }

  #reply(byte: number): void {
    this.state.reply = byte;
    this.state.replies = 1;
  }

  #take(): number {
    const { state } = this;
    const { data } = state;
    if (state.full !== 0) {
      state.full = 0;
      // The line falls in between, so that an edge-triggered PIC sees the next byte.
      this.#update();
      this.#fill();
    }
    return data;
  }

  /** Fills the output buffer if it is empty: from the controller, or else from the keyboard. */
  #fill(): void {
    const { state } = this;
    if (state.full === 0) {
      if (state.replies !== 0) {
        state.replies = 0;
        this.#put(state.reply);
      } else if ((this.#config & I8042_CONFIG.KEYBOARD_DISABLED) === 0) this.#fillFromKeyboard();
    }
    this.#update();
  }

  #fillFromKeyboard(): void {
    const { state } = this;
    const translated = (this.#config & I8042_CONFIG.TRANSLATE) !== 0;
    while (state.full === 0 && this.#keyboard.isReady) {
      const byte = this.#keyboard.take();
      if (!translated) this.#put(byte);
      else if (byte === RELEASE) state.released = 0x80;
      else {
        this.#put(toSet1[byte]! | state.released);
        state.released = 0;
      }
    }
  }

  #put(byte: number): void {
    this.state.data = byte;
    this.state.full = 1;
  }

  #update(): void {
    const { state } = this;
    const enabled = (this.#config & I8042_CONFIG.KEYBOARD_INTERRUPT) !== 0;
    const level = enabled && state.full !== 0 ? 1 : 0;
    if (state.interrupt === level) return;
    state.interrupt = level;
    this.#wires.keyboardInterrupt.set(level === 1);
  }
}
