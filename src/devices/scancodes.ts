/**
 * What a PC's keyboard sends: scan codes of set 2, with the keys named as the web names them (W3C UI
 * Events `code` values).
 *
 * @module
 */

import { Errno, isName, KvmError, show } from "../../ffi/mod.ts";

/** Goes before the codes of keys that the first keyboards did not have. */
const EXTENDED = 0xe0;
/** Goes before the code of a key that is let go. */
export const RELEASE = 0xf0;

/** The scan code of each key in set 2; 0xe0 in the upper byte where that goes before it. */
export const Scancode = {
  Escape: 0x76,
  F1: 0x05,
  F2: 0x06,
  F3: 0x04,
  F4: 0x0c,
  F5: 0x03,
  F6: 0x0b,
  F7: 0x83,
  F8: 0x0a,
  F9: 0x01,
  F10: 0x09,
  F11: 0x78,
  F12: 0x07,
  ScrollLock: 0x7e,
  Backquote: 0x0e,
  Digit1: 0x16,
  Digit2: 0x1e,
  Digit3: 0x26,
  Digit4: 0x25,
  Digit5: 0x2e,
  Digit6: 0x36,
  Digit7: 0x3d,
  Digit8: 0x3e,
  Digit9: 0x46,
  Digit0: 0x45,
  Minus: 0x4e,
  Equal: 0x55,
  Backspace: 0x66,
  Tab: 0x0d,
  KeyQ: 0x15,
  KeyW: 0x1d,
  KeyE: 0x24,
  KeyR: 0x2d,
  KeyT: 0x2c,
  KeyY: 0x35,
  KeyU: 0x3c,
  KeyI: 0x43,
  KeyO: 0x44,
  KeyP: 0x4d,
  BracketLeft: 0x54,
  BracketRight: 0x5b,
  Backslash: 0x5d,
  CapsLock: 0x58,
  KeyA: 0x1c,
  KeyS: 0x1b,
  KeyD: 0x23,
  KeyF: 0x2b,
  KeyG: 0x34,
  KeyH: 0x33,
  KeyJ: 0x3b,
  KeyK: 0x42,
  KeyL: 0x4b,
  Semicolon: 0x4c,
  Quote: 0x52,
  Enter: 0x5a,
  ShiftLeft: 0x12,
  IntlBackslash: 0x61,
  KeyZ: 0x1a,
  KeyX: 0x22,
  KeyC: 0x21,
  KeyV: 0x2a,
  KeyB: 0x32,
  KeyN: 0x31,
  KeyM: 0x3a,
  Comma: 0x41,
  Period: 0x49,
  Slash: 0x4a,
  ShiftRight: 0x59,
  ControlLeft: 0x14,
  MetaLeft: 0xe01f,
  AltLeft: 0x11,
  Space: 0x29,
  AltRight: 0xe011,
  MetaRight: 0xe027,
  ContextMenu: 0xe02f,
  ControlRight: 0xe014,
  Insert: 0xe070,
  Home: 0xe06c,
  PageUp: 0xe07d,
  Delete: 0xe071,
  End: 0xe069,
  PageDown: 0xe07a,
  ArrowUp: 0xe075,
  ArrowLeft: 0xe06b,
  ArrowDown: 0xe072,
  ArrowRight: 0xe074,
  NumLock: 0x77,
  NumpadDivide: 0xe04a,
  NumpadMultiply: 0x7c,
  NumpadSubtract: 0x7b,
  NumpadAdd: 0x79,
  NumpadEnter: 0xe05a,
  NumpadDecimal: 0x71,
  Numpad0: 0x70,
  Numpad1: 0x69,
  Numpad2: 0x72,
  Numpad3: 0x7a,
  Numpad4: 0x6b,
  Numpad5: 0x73,
  Numpad6: 0x74,
  Numpad7: 0x6c,
  Numpad8: 0x75,
  Numpad9: 0x7d,
} as const;

/** The name of a key: where it is, whatever is printed on it. */
export type KeyName = keyof typeof Scancode;

/** The bytes that a keyboard sends when a key goes down. */
export function press(key: KeyName): number[] {
  const code = codeOf(key);
  return code > 0xff ? [EXTENDED, code & 0xff] : [code];
}

/** The bytes that it sends when the key goes up. */
export function release(key: KeyName): number[] {
  const code = codeOf(key);
  return code > 0xff ? [EXTENDED, RELEASE, code & 0xff] : [RELEASE, code];
}

function codeOf(key: KeyName): number {
  if (isName(Scancode, key)) return Scancode[key];
  const hint = "A key's name says where it is: Scancode has them";
  throw new KvmError({ operation: `find the key ${show(key)}`, errno: Errno.EINVAL, hint });
}

/** The keys of the characters on a US keyboard, the shifted ones after the plain ones. */
const layout: ReadonlyMap<string, readonly [key: KeyName, shift: boolean]> = new Map([
  ...row("`1234567890-=", "~!@#$%^&*()_+", [
    "Backquote",
    "Digit1",
    "Digit2",
    "Digit3",
    "Digit4",
    "Digit5",
    "Digit6",
    "Digit7",
    "Digit8",
    "Digit9",
    "Digit0",
    "Minus",
    "Equal",
  ]),
  ...row("[]\\;',./", '{}|:"<>?', [
    "BracketLeft",
    "BracketRight",
    "Backslash",
    "Semicolon",
    "Quote",
    "Comma",
    "Period",
    "Slash",
  ]),
  ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].flatMap((letter) =>
    row(letter.toLowerCase(), letter, [`Key${letter}` as KeyName])
  ),
  ...row(" \t\n\b\x1b", "", ["Space", "Tab", "Enter", "Backspace", "Escape"]),
]);

function row(
  plain: string,
  shifted: string,
  keys: readonly KeyName[],
): [string, readonly [KeyName, boolean]][] {
  return [
    ...[...plain].map((char, at) => [char, [keys[at]!, false]] as [string, [KeyName, boolean]]),
    ...[...shifted].map((char, at) => [char, [keys[at]!, true]] as [string, [KeyName, boolean]]),
  ];
}

/** What a US keyboard sends for a character, up and down; undefined for one that it does not have. */
export function keystroke(char: string): number[] | undefined {
  const found = layout.get(char);
  if (found === undefined) return undefined;
  const [key, shift] = found;
  const stroke = [...press(key), ...release(key)];
  return shift ? [...press("ShiftLeft"), ...stroke, ...release("ShiftLeft")] : stroke;
}

/**
 * Set 1's code for each code of set 2, as the keyboard controller translates them; the others stay
 * (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller").
 */
export const toSet1: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 256 }, (_, code) => code);
toSet1.set(Uint8Array.fromHex(
  "ff43413f3d3b3c58644442403e0f2959" +
    "65382a701d10025a66712c1f1e11035b" +
    "672e2d201205045c68392f211413065d" +
    "693130232215075e6a7232241608095f" +
    "6b332517180b0a606c34352627190c61" +
    "6d7328741a0d626e3a361c1b752b6376" +
    "55567778797a0e7b7c4f7d4b477e7f6f" +
    "5253504c4d480145574e514a37494654",
));
toSet1[0x83] = 0x41;
toSet1[0x84] = 0x54;
