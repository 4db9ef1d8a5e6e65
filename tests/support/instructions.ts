/**
 * A few instructions as bytes, for guests of two lines; the same in long and in protected mode.
 *
 * @module
 */

const low = (value: number) => value & 0xff;
const high = (value: number) => value >> 8 & 0xff;
const dword = (value: number) => [0, 8, 16, 24].map((shift) => value >>> shift & 0xff);

/** mov dx, port */
export const movDx = (port: number): number[] => [0x66, 0xba, low(port), high(port)];
/** mov eax, value */
export const movEax = (value: number): number[] => [0xb8, ...dword(value)];
/** mov dx, port; mov al, value; out dx, al */
export const outb = (port: number, value: number): number[] => [...movDx(port), 0xb0, value, 0xee];
/** mov dx, port; mov ax, value; out dx, ax */
export const outw = (port: number, value: number): number[] => [
  ...movDx(port),
  ...movEax(value),
  0x66,
  0xef,
];
/** mov dx, port; in al, dx */
export const inb = (port: number): number[] => [...movDx(port), 0xec];
/** mov dx, port; out dx, al */
export const outAl = (port: number): number[] => [...movDx(port), 0xee];
/** An instruction on al, ax, eax or rax: its opcodes for one byte, and for more of them. */
const sized = (size: number, byte: number, wider: number, ...rest: number[]): number[] => {
  const prefix = size === 2 ? [0x66] : size === 8 ? [0x48] : [];
  return [...prefix, size === 1 ? byte : wider, ...rest];
};
/** in al, dx; or as much of eax */
export const inEax = (size: number): number[] => sized(size, 0xec, 0xed);
/** out dx, al; or as much of eax */
export const outEax = (size: number): number[] => sized(size, 0xee, 0xef);
/** mov edi, address; mov al, [rdi]; or as much of rax */
export const loads = (address: number, size: number): number[] => [
  0xbf,
  ...dword(address),
  ...sized(size, 0x8a, 0x8b, 0x07),
];
/** mov edi, address; mov [rdi], al; or as much of rax */
export const stores = (address: number, size: number): number[] => [
  0xbf,
  ...dword(address),
  ...sized(size, 0x88, 0x89, 0x07),
];
/** mov dx, port; mov edi, address; mov ecx, count; cld; rep insb; or insw, insd */
export const repIns = (port: number, size: number, address: number, count: number): number[] => [
  ...movDx(port),
  ...[0xbf, ...dword(address), 0xb9, ...dword(count), 0xfc, 0xf3],
  ...sized(size, 0x6c, 0x6d),
];
/** mov dx, port; mov esi, address; mov ecx, count; cld; rep outsb; or outsw, outsd */
export const repOuts = (port: number, size: number, address: number, count: number): number[] => [
  ...movDx(port),
  ...[0xbe, ...dword(address), 0xb9, ...dword(count), 0xfc, 0xf3],
  ...sized(size, 0x6e, 0x6f),
];
/** jmp $ */
export const spin: readonly number[] = [0xeb, 0xfe];
/** cli; hlt; jmp back to the hlt */
export const halt: readonly number[] = [0xfa, 0xf4, 0xeb, 0xfd];
/** An out to the debug exit port. */
export const debugExit = (code: number): number[] => [...outb(0xf4, code), ...spin];
/** An out to COM1 for each character. */
export const print = (text: string): number[] =>
  [...text].flatMap((character) => outb(0x3f8, character.charCodeAt(0)));
/** cmp byte [address], value; jne over; then; over: */
export const ifByte = (address: number, value: number, then: readonly number[]): number[] => [
  0x80,
  0x3c,
  0x25,
  ...dword(address),
  value,
  0x75,
  then.length,
  ...then,
];
/** inc byte [address] */
export const incByte = (address: number): number[] => [0xfe, 0x04, 0x25, ...dword(address)];

/** A short piece of machine code, from lines of bytes whose comments are the instructions. */
export function code(...bytes: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
