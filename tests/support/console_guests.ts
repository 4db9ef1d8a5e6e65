/**
 * Guests in flat 64-bit code that use a serial port.
 *
 * @module
 */

import { debugExit, inb, outAl, repOuts } from "./instructions.ts";

const COM1 = 0x3f8;
const LINE_STATUS = 5;

/** Sends each byte back that it receives; a "q" is the last one, and ends the machine with `code`. */
export function echoUntilQ(code: number, port: number = COM1): Uint8Array<ArrayBuffer> {
  const status = inb(port + LINE_STATUS);
  const echo = [...inb(port), ...outAl(port)];
  const length = status.length + 4 + echo.length + 4;
  return Uint8Array.from([
    ...status,
    ...[0xa8, 0x01], // test al, 1
    ...[0x74, 0x100 - (status.length + 4)], // jz status
    ...echo,
    ...[0x3c, "q".charCodeAt(0)], // cmp al, 'q'
    ...[0x75, 0x100 - length], // jne status
    ...debugExit(code),
  ]);
}

/** Sends `text` over and over. */
export function sendForever(text: string): Uint8Array<ArrayBuffer> {
  const bytes = [...text].flatMap((character) => [
    ...[0xb0, character.charCodeAt(0)], // mov al, character
    ...outAl(COM1),
  ]);
  return Uint8Array.from([...bytes, 0xeb, 0x100 - (bytes.length + 2)]);
}

/** Sends bytes to COM1 by one instruction, from where flat 64-bit code is loaded, and then does the rest. */
export function sendAtOnce(bytes: Uint8Array, rest: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = (start: number) => [...repOuts(COM1, 1, start, bytes.length), ...rest];
  return Uint8Array.from([...code(0x10_0000 + code(0).length), ...bytes]);
}

/** Faults without a handler: lidt [rip + 2]; ud2; an IDT without entries. */
export const tripleFault: readonly number[] = [
  ...[0x0f, 0x01, 0x1d, 2, 0, 0, 0],
  ...[0x0f, 0x0b],
  ...new Array(10).fill(0),
];
