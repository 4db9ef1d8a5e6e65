/**
 * Assertions on what a guest left behind.
 *
 * @module
 */

import { checkInteger, checkList, checkNames, type Names, type StructInit } from "../../ffi/mod.ts";
import type { kvmRegs } from "../../ffi/uapi/mod.ts";
import { type ExitName, formatRegisters, type Regs } from "../kvm/mod.ts";
import { bytesOf } from "./bytes.ts";
import { GuestError } from "./error.ts";
import {
  checkAddresses,
  checkPlain,
  checkPorts,
  EXIT_LIMIT_MAX,
  type GuestOptions,
  isExitName,
  type MemoryInit,
  REGISTERS,
  wrongOption,
} from "./options.ts";
import { type GuestRun, runGuest } from "./run_guest.ts";

/** What a guest should leave behind; what is left out is not looked at. */
export interface GuestExpectation {
  /** General registers at the end. */
  readonly registers?: StructInit<typeof kvmRegs> | undefined;
  /** Memory at the end, by guest-physical address. */
  readonly memory?: Readonly<Record<number, MemoryInit>> | undefined;
  /** All that it wrote to port 0x3f8, the first serial port. */
  readonly output?: string | undefined;
  /** All that it wrote to each of these ports. */
  readonly written?: Readonly<Record<number, MemoryInit>> | undefined;
  /** Its exits: their names in order, or how many there were of each. */
  readonly exits?: readonly ExitName[] | Partial<Record<ExitName, number>> | undefined;
}

const OPERATION = "check the guest";
const EXPECTATION: Names<GuestExpectation> = {
  registers: true,
  memory: true,
  output: true,
  written: true,
  exits: true,
};

/**
 * Runs a guest, compares what it left behind, and closes it.
 *
 * @example
 * ```ts
 * import { assertGuest } from "@deno-kvm/kvm/testing";
 *
 * Deno.test("addition adds", () => {
 *   assertGuest(
 *     { code: "add eax, ebx\nmov [0x2000], eax\nhlt", registers: { rax: 40n, rbx: 2n } },
 *     { registers: { rax: 42n }, memory: { 0x2000: [42, 0, 0, 0] }, exits: ["hlt"] },
 *   );
 * });
 * ```
 *
 * @throws {GuestError} if it did not end well, or left something else; the message lists each
 * difference and the registers.
 * @throws {KvmError} if the guest can't be set up, or nothing can be as expected.
 */
export function assertGuest(options: GuestOptions, expected: GuestExpectation): void {
  checkExpectation(expected);
  using guest = runGuest(options);
  const differences = [
    ...registerDifferences(guest, expected.registers ?? {}),
    ...byteDifferences("memory", expected.memory ?? {}, (address, length) => ({
      what: `Memory at 0x${address.toString(16)}`,
      actual: guest.memory.readBytes(address, length),
    })),
    ...byteDifferences("written", expected.written ?? {}, (port) => ({
      what: `Written to port 0x${port.toString(16)}`,
      actual: guest.written(port),
    })),
    ...outputDifferences(guest, expected.output),
    ...exitDifferences(guest, expected.exits),
  ];
  if (differences.length === 0) return;
  throw new GuestError({
    message: differences.join("\n"),
    exit: guest.exit,
    registers: formatRegisters(guest.registers, guest.specialRegisters),
  });
}

/** What can never be found is a mistake of the test's, and no difference. */
function checkExpectation(expected: GuestExpectation): void {
  checkNames(OPERATION, "What is expected", expected, EXPECTATION);
  checkPlain("expected", expected, Object.keys(EXPECTATION).join(", "));
  const { registers = {}, memory = {}, output = "", written = {}, exits = {} } = expected;
  checkPlain("registers", registers, REGISTERS);
  for (const [name, value] of Object.entries(registers)) {
    if (value === undefined || typeof value === "bigint") continue;
    throw wrongOption(`registers.${name}`, value, "a bigint");
  }
  checkAddresses("memory", memory);
  if (typeof output !== "string") throw wrongOption("output", output, "a string");
  checkPorts("written", written, "bytes by port");
  if (Array.isArray(exits)) {
    checkList(OPERATION, "exits", exits, EXIT_LIMIT_MAX + 1);
    for (const name of exits) checkExitName(name);
    return;
  }
  checkPlain("exits", exits, "a number for each exit's name; or it is a list of names");
  for (const [name, count] of Object.entries(exits)) {
    checkExitName(name);
    if (count === undefined) continue;
    checkInteger(OPERATION, `exits.${name}`, count, 0, Number.MAX_SAFE_INTEGER);
  }
}

function checkExitName(name: unknown): void {
  if (!isExitName(name)) throw wrongOption("exits", name, 'exits\' names, as "hlt" is one');
}

function* registerDifferences(
  { registers }: GuestRun,
  expected: NonNullable<GuestExpectation["registers"]>,
): Generator<string> {
  for (const [name, value] of Object.entries(expected)) {
    const actual = registers[name as keyof Regs];
    if (value === undefined || actual === value) continue;
    yield difference(name.toUpperCase(), hex(actual), hex(value));
  }
}

function* byteDifferences(
  name: string,
  expected: Readonly<Record<number, MemoryInit>>,
  read: (key: number, length: number) => { what: string; actual: Uint8Array },
): Generator<string> {
  for (const [key, init] of Object.entries(expected)) {
    const bytes = bytesOf(`${name}[${key}]`, init);
    const { what, actual } = read(Number(key), bytes.length);
    if (actual.toHex() !== bytes.toHex()) {
      yield difference(what, formatBytes(actual), formatBytes(bytes));
    }
  }
}

function* outputDifferences({ output }: GuestRun, expected: string | undefined): Generator<string> {
  if (expected === undefined || output === expected) return;
  yield difference("Output", JSON.stringify(output), JSON.stringify(expected));
}

function* exitDifferences({ exits }: GuestRun, expected: GuestExpectation["exits"]) {
  if (expected === undefined) return;
  const names = exits.map(({ reason }) => reason);
  if (Array.isArray(expected)) {
    const actual = names.join(" ");
    if (actual !== expected.join(" ")) yield difference("Exits", actual, expected.join(" "));
    return;
  }
  for (const [name, count] of Object.entries(expected)) {
    if (count === undefined) continue;
    const actual = names.filter((other) => other === name).length;
    if (actual !== count) yield difference(`Exits "${name}"`, String(actual), String(count));
  }
}

function difference(what: string, actual: string, expected: string): string {
  return `${what}: ${actual}, expected ${expected}`;
}

function hex(value: bigint | undefined): string {
  return value === undefined ? "no such register" : `0x${value.toString(16)}`;
}

function formatBytes(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : bytes.toHex().replace(/..(?=.)/g, "$& ");
}
