/**
 * What to run, and how.
 *
 * @module
 */

import {
  checkInteger,
  checkList,
  checkNames,
  Errno,
  isPlain,
  KvmError,
  type Names,
  show,
  type StructInit,
} from "../../ffi/mod.ts";
import type { kvmRegs } from "../../ffi/uapi/mod.ts";
import {
  exitKinds,
  type ExitName,
  type IoExit,
  type MmioExit,
  type Vcpu,
  type Vm,
} from "../kvm/mod.ts";

/** The mode that the code starts in: each has a boot helper of that name. */
export type GuestMode = "real" | "protected" | "paged" | "long";

/**
 * How a guest ends: with an exit, or, in long mode, with an exception that it did not take itself.
 */
export type GuestEnd = ExitName | "exception";

/** Bytes for guest memory; text is UTF-8, without a zero at the end. */
export type MemoryInit = Uint8Array | readonly number[] | string;

/**
 * What a guest reads from a port: always the same number, one number after another, or what a
 * function says.
 */
export type PortInput = number | Iterable<number> | ((exit: IoExit) => number);

/** What the guest reads from each port, by number. */
export type PortInputs = Readonly<Record<number, PortInput>>;

/** What to run, and how. */
export interface GuestOptions {
  /** The code: bytes, or NASM source, which needs `--allow-run=nasm`. */
  readonly code: Uint8Array | string;
  /** The mode it starts in; `"long"` by default. */
  readonly mode?: GuestMode | undefined;
  /**
   * The privilege level that long-mode code starts at: 0 by default, or 3. A KVM that interprets level
   * 0, such as kvm_pvm, lacks SSE there, among others.
   */
  readonly cpl?: 0 | 3 | undefined;
  /** Where the code is loaded and entered; 0x1000 by default. */
  readonly at?: number | undefined;
  /** General registers at the start; the others are 0. */
  readonly registers?: StructInit<typeof kvmRegs> | undefined;
  /** What lies in memory at the start, by guest-physical address. */
  readonly memory?: Readonly<Record<number, MemoryInit>> | undefined;
  /** Bytes of memory, from address 0; 2 MiB by default. */
  readonly memorySize?: number | undefined;
  /** What the guest reads from ports; all ones where nothing is given. */
  readonly input?: PortInputs | undefined;
  /** Takes the accesses to addresses without memory; without it, reads give all ones. */
  readonly mmio?: ((exit: MmioExit) => void) | undefined;
  /** Milliseconds; 1000 by default. A guest that takes longer fails. */
  readonly timeLimit?: number | undefined;
  /**
   * Exits before the one that ends it, at most 1,000,000; 50,000 by default. A guest that makes more
   * fails: each is kept, and takes most of a kilobyte.
   */
  readonly exitLimit?: number | undefined;
  /** What is a good end; `"hlt"` by default. A write to `endPort` always is one. */
  readonly ends?: GuestEnd | readonly GuestEnd[] | undefined;
  /** A write to this port ends the guest: with an in-kernel irqchip HLT can't. 0xf4 by default. */
  readonly endPort?: number | undefined;
  /** More to set up: an irqchip, more memory. Called before the vCPU is created. */
  readonly setup?: ((vm: Vm) => void) | undefined;
  /** More to set up: CPUID, MSRs, interrupts. Called last, before the first run. */
  readonly prepare?: ((vcpu: Vcpu, vm: Vm) => void) | undefined;
}

/** How many exits a guest may be allowed. */
export const EXIT_LIMIT_MAX = 1_000_000;

/** What registers are, for errors. */
export const REGISTERS = "a bigint for each register's name";

/** More than there are kinds of ends. */
const ENDS_MAX = 256;
const OPERATION = "run the guest";
const OPTIONS: Names<GuestOptions> = {
  code: true,
  mode: true,
  cpl: true,
  at: true,
  registers: true,
  memory: true,
  memorySize: true,
  input: true,
  mmio: true,
  timeLimit: true,
  exitLimit: true,
  ends: true,
  endPort: true,
  setup: true,
  prepare: true,
};
const modes: readonly unknown[] = ["real", "protected", "paged", "long"] satisfies GuestMode[];
const functions = ["mmio", "setup", "prepare"] as const;

/** The kinds of exits whose objects are classes. */
const classes = ["io", "mmio", "internalError", "unsupported"] satisfies ExitName[];

let names: ReadonlySet<unknown> | undefined;

/** Whether a value is an exit's name. */
export function isExitName(value: unknown): value is ExitName {
  names ??= new Set([...classes, ...Object.values(exitKinds).map(({ reason }) => reason)]);
  return names.has(value);
}

/** The error for an option that can't be. */
export function wrongOption(option: string, value: unknown, should: string): KvmError {
  const operation = `take ${show(value)} for ${option}`;
  return new KvmError({ operation, errno: Errno.EINVAL, hint: `${option} is ${should}` });
}

/**
 * A copy, for which each option is read once: what has been checked is what is used.
 *
 * @throws {KvmError} EINVAL for what would be found out late, or never; the rest is for those who use
 * it.
 */
export function takeGuestOptions(given: GuestOptions): GuestOptions {
  checkNames(OPERATION, "What to run", given, OPTIONS);
  const options = { ...given };
  const { code, mode = "long", cpl = 0, ends = "hlt", endPort = 0, exitLimit = 0 } = options;
  const { registers = {}, memory = {}, input = {} } = options;
  if (typeof code !== "string" && !(code instanceof Uint8Array)) {
    throw wrongOption("code", code, "a Uint8Array, or NASM source as a string");
  }
  if (!modes.includes(mode)) throw wrongOption("mode", mode, `one of ${modes.join(", ")}`);
  if (cpl !== 0 && cpl !== 3) throw wrongOption("cpl", cpl, "0 or 3");
  if (cpl !== 0 && mode !== "long") throw wrongOption("cpl", cpl, "0 outside long mode");
  checkPort("endPort", endPort);
  checkInteger(OPERATION, "exitLimit", exitLimit, 0, EXIT_LIMIT_MAX);
  if (Array.isArray(ends)) checkList(OPERATION, "ends", ends, ENDS_MAX);
  for (const end of Array.isArray(ends) ? ends : [ends]) {
    if (isExitName(end) || end === "exception") continue;
    throw wrongOption(
      "ends",
      end,
      'an exit\'s name, as "hlt" is, or "exception", or a list of them',
    );
  }
  checkPlain("registers", registers, REGISTERS);
  checkAddresses("memory", memory);
  checkPorts("input", input, "what the guest reads, by port");
  for (const name of functions) {
    const callback: unknown = options[name];
    if (callback !== undefined && typeof callback !== "function") {
      throw wrongOption(name, callback, "a function");
    }
  }
  return options;
}

/**
 * Throws EINVAL unless what it has can be listed: of a Map, a struct's view or another object of a
 * class, there would seem to be nothing.
 */
export function checkPlain(option: string, value: unknown, what: string): void {
  if (!isPlain(value)) throw wrongOption(option, value, `a plain object: ${what}`);
}

/** Throws EINVAL unless it is a plain object with addresses for names. */
export function checkAddresses(option: string, value: object): void {
  checkPlain(option, value, "bytes by guest-physical address");
  for (const address of Object.keys(value)) {
    if (Number.isSafeInteger(numberOf(address))) continue;
    throw wrongOption(option, address, "bytes by guest-physical address: a number");
  }
}

/** Throws EINVAL unless it is a plain object with ports for names. */
export function checkPorts(option: string, value: object, what: string): void {
  checkPlain(option, value, what);
  for (const port of Object.keys(value)) {
    if (isPort(numberOf(port))) continue;
    throw wrongOption(option, port, `${what}: a number from 0 to 0xffff`);
  }
}

/** Throws EINVAL unless it is a port's number. */
export function checkPort(option: string, port: unknown): void {
  if (isPort(port)) return;
  throw wrongOption(option, port, "a port, from 0 to 0xffff");
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && port as number >= 0 && port as number <= 0xffff;
}

/** A property's name as a number: `Number` would find a zero in an empty one. */
function numberOf(name: string): number {
  return /^(?:0|[1-9]\d*|0x[\da-f]+)$/i.test(name) ? Number(name) : NaN;
}
