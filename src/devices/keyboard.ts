/**
 * A keyboard with 101 keys, as it hangs on the keyboard controller (IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboards"). It sends scan codes of set 2 and understands the commands of
 * the system; set 1 it can send as well, set 3 it does not have.
 *
 * A hostile guest fills two arrays of fixed size, whose counts are bounded.
 *
 * @module
 */

import { checkBytes, Errno, KvmError, show, type StructOf } from "../../ffi/mod.ts";
import { RELEASE, toSet1 } from "./scancodes.ts";

const QUEUE_SIZE = 16;
const REPLIES_SIZE = 4;

/** All that a keyboard remembers. */
export const keyboardState = {
  /** Whether it is told not to scan its keys. */
  disabled: "u8",
  /** The set of scan codes in use, 1 or 2; 0 is 2. */
  set: "u8",
  /** The lights: 1 scroll lock, 2 num lock, 4 caps lock. */
  leds: "u8",
  /** How fast a held key repeats. The host's keys repeat by themselves; it is only kept. */
  typematic: "u8",
  /** The command whose parameter comes next; 0 for none. */
  command: "u8",
  /** The last byte it sent. */
  sent: "u8",
  /** Where the oldest byte of the queue is. */
  head: "u8",
  /** How many bytes the queue has. */
  count: "u8",
  /** How many bytes of answers there are. */
  replyCount: "u8",
  /** What keys sent. */
  queue: "u8[16]",
  /** Answers to commands; they come first. */
  replies: "u8[4]",
} as const;

/** Commands of the system, and the keyboard's answers. */
export const KEYBOARD = {
  /** Sets the lights: a parameter follows. */
  SET_LEDS: 0xed,
  /** Answers with itself. */
  ECHO: 0xee,
  /** Selects the set of scan codes: a parameter follows, 0 to ask for it. */
  SCANCODE_SET: 0xf0,
  /** Asks for the id: 0xab 0x83. */
  IDENTIFY: 0xf2,
  /** Sets how fast held keys repeat: a parameter follows. */
  SET_TYPEMATIC: 0xf3,
  /** Begins to scan the keys. */
  ENABLE: 0xf4,
  /** Stops scanning them, and sets defaults. */
  DISABLE: 0xf5,
  /** Sets defaults. */
  SET_DEFAULTS: 0xf6,
  /** The first of four commands that say how set 3 treats all keys. */
  ALL_KEYS: 0xf7,
  /** The last of them. */
  ALL_KEYS_LAST: 0xfa,
  /** Asks for the last byte again. As an answer: the command was not understood. */
  RESEND: 0xfe,
  /** Resets; the self test's result comes after the acknowledgement. */
  RESET: 0xff,
  /** Answer: understood. */
  ACK: 0xfa,
  /** Answer: the self test has passed. */
  SELF_TEST_PASSED: 0xaa,
} as const;

const ID = [0xab, 0x83] as const;
const LEDS = 0b111;
const NATIVE_SET = 2;
/** A held key repeats 10.9 times a second, after half a second. */
const TYPEMATIC_DEFAULT = 0x2b;

/** A keyboard over its state. */
export class Keyboard {
  readonly #state: StructOf<typeof keyboardState>;

  /** Has nothing of its own. */
  constructor(state: StructOf<typeof keyboardState>) {
    this.#state = state;
  }

  /** Whether it has something to send. */
  get isReady(): boolean {
    return this.#state.replyCount > 0 || this.#state.count > 0;
  }

  /** How many bytes of scan codes it has room for. */
  get room(): number {
    return Math.max(0, QUEUE_SIZE - this.#state.count);
  }

  /** The next byte that it sends. */
  take(): number {
    const state = this.#state;
    if (state.replyCount > 0) {
      const byte = state.replies[0]!;
      state.replies.copyWithin(0, 1);
      state.replyCount = Math.min(state.replyCount, REPLIES_SIZE) - 1;
      return state.sent = byte;
    }
    if (state.count === 0) return state.sent;
    const head = state.head % QUEUE_SIZE;
    state.head = (head + 1) % QUEUE_SIZE;
    state.count--;
    return state.sent = state.queue[head]!;
  }

  /** Keys go down or up, by the bytes of set 2; whether there was room for them. */
  scan(codes: readonly number[]): boolean {
    checkScancodes(codes);
    const state = this.#state;
    if (codes.length > this.room) return false;
    // Nobody looks at the keys: they are lost on the guest, and not kept for later.
    if (state.disabled !== 0) return true;
    const translated = state.set === 1;
    let released = 0;
    for (const code of codes) {
      if (translated && code === RELEASE) released = 0x80;
      else {
        this.#queue(translated ? toSet1[code & 0xff]! | released : code);
        released = 0;
      }
    }
    return true;
  }

  /** The system sends a byte. */
  receive(byte: number): void {
    const state = this.#state;
    const { command } = state;
    state.replyCount = 0;
    state.command = 0;
    // A parameter has bit 7 clear; a byte that has it set is a command, and the other one is off.
    if (command !== 0 && byte < 0x80) this.#parameter(command, byte);
    else this.#command(byte);
  }

  /** Back to power-on. */
  reset(): void {
    const state = this.#state;
    state.replyCount = 0;
    state.command = state.sent = 0;
    state.leds = 0;
    this.#defaults();
  }

  #command(byte: number): void {
    const state = this.#state;
    switch (byte) {
      case KEYBOARD.ECHO:
        return this.#reply(KEYBOARD.ECHO);
      case KEYBOARD.RESEND:
        return this.#reply(state.sent);
      case KEYBOARD.IDENTIFY:
        this.#reply(KEYBOARD.ACK);
        for (const part of ID) this.#reply(part);
        return;
      case KEYBOARD.SET_LEDS:
      case KEYBOARD.SCANCODE_SET:
      case KEYBOARD.SET_TYPEMATIC:
        state.command = byte;
        break;
      case KEYBOARD.ENABLE:
        state.disabled = 0;
        state.count = 0;
        break;
      case KEYBOARD.DISABLE:
        this.#defaults();
        state.disabled = 1;
        break;
      case KEYBOARD.SET_DEFAULTS:
        this.#defaults();
        break;
      case KEYBOARD.RESET:
        this.reset();
        this.#reply(KEYBOARD.ACK);
        return this.#reply(KEYBOARD.SELF_TEST_PASSED);
      default:
        if (byte < KEYBOARD.ALL_KEYS || byte > KEYBOARD.ALL_KEYS_LAST) {
          return this.#reply(KEYBOARD.RESEND);
        }
    }
    this.#reply(KEYBOARD.ACK);
  }

  #parameter(command: number, value: number): void {
    const state = this.#state;
    this.#reply(KEYBOARD.ACK);
    if (command === KEYBOARD.SET_LEDS) state.leds = value & LEDS;
    else if (command === KEYBOARD.SET_TYPEMATIC) state.typematic = value;
    else if (value === 0) this.#reply(state.set || NATIVE_SET);
    else if (value <= NATIVE_SET) state.set = value;
  }

  #defaults(): void {
    const state = this.#state;
    state.disabled = 0;
    state.set = NATIVE_SET;
    state.typematic = TYPEMATIC_DEFAULT;
    state.head = state.count = 0;
  }

  #queue(byte: number): void {
    const state = this.#state;
    state.queue[(state.head + state.count) % QUEUE_SIZE] = byte;
    state.count++;
  }

  #reply(byte: number): void {
    const state = this.#state;
    if (state.replyCount >= REPLIES_SIZE) return;
    state.replies[state.replyCount++] = byte;
  }
}

/** What is no list of bytes would be other keys, or none. */
function checkScancodes(codes: readonly number[]): void {
  const hint = "It takes scan codes of set 2, a list of bytes: press() and release() have them";
  const refuse = (what: unknown) =>
    new KvmError({ operation: `send ${show(what)} as keys`, errno: Errno.EINVAL, hint });
  const bytes: unknown = codes;
  if (bytes instanceof Uint8Array) checkBytes("send keys", "A list of scan codes", bytes);
  else if (!Array.isArray(bytes)) throw refuse(bytes);
  for (const code of codes) {
    if (!Number.isInteger(code) || code < 0 || code > 0xff) throw refuse(code);
  }
}
