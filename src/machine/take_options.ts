/**
 * What a machine is made of, taken from whoever wants it.
 *
 * @module
 */

import {
  checkBytes,
  checkNames,
  Errno,
  isPlain,
  KvmError,
  type Names,
  show,
} from "../../ffi/mod.ts";
import {
  type FileSource,
  type KernelOptions,
  type MachineOptions,
  parseSize,
  type SerialOptions,
} from "./options.ts";
import { TerminalConsole } from "./terminal.ts";

type Modules = NonNullable<KernelOptions["modules"]>;
type Module = Modules[number];
type FwCfgFiles = NonNullable<MachineOptions["fwCfg"]>;

/** What a machine is made of, with what is so by default. */
export interface TakenOptions extends MachineOptions {
  /** Bytes of RAM. */
  readonly memory: number;
  /** How many vCPUs. */
  readonly cpus: number;
  /** The CPU model. */
  readonly cpu: string;
}

const OPERATION = "make a machine";
const OPTIONS: Names<MachineOptions> = {
  kernel: true,
  protocol: true,
  loadAddress: true,
  entry: true,
  commandLine: true,
  initrd: true,
  modules: true,
  memory: true,
  cpus: true,
  cpu: true,
  console: true,
  serial: true,
  debugcon: true,
  fwCfg: true,
  onReset: true,
  onTripleFault: true,
  onInternalError: true,
  onBootTimer: true,
  signal: true,
};
const CONSOLE: Names<SerialOptions> = { output: true, input: true };
const MODULE: Names<Module> = { image: true, commandLine: true };

const DEFAULT_MEMORY = 256 << 20;

/** How many serial ports a PC has. */
const MAX_SERIAL = 4;

/**
 * A copy, in which all that the machine itself uses is checked; the loader checks the rest. The
 * machine starts from it again at each reset, whatever has become of the original.
 *
 * @throws {KvmError} EINVAL for what can't be.
 */
export function takeOptions(given: MachineOptions): TakenOptions {
  checkNames(OPERATION, "What it is made of", given, OPTIONS);
  const options = pick(given, OPTIONS);
  const { memory = DEFAULT_MEMORY, cpus = 1, cpu = "host", debugcon, signal } = options;
  const { onReset, onTripleFault } = options;
  if (options.kernel === undefined) invalid("The option kernel is a path or the image's bytes");
  if (!Number.isSafeInteger(cpus) || cpus < 1) {
    invalid(`cpus is a whole number from 1, not ${show(cpus)}`);
  }
  if (typeof memory !== "number" && typeof memory !== "string") {
    invalid('memory is a number of bytes, or a text such as "256M"');
  }
  const console = options.console === "inherit" ? "inherit" : takeConsole(options.console ?? {});
  const serial = takeSerial(options.serial ?? []);
  checkOutput(debugcon);
  checkStreams([console === "inherit" ? {} : console, ...serial, { output: debugcon }]);
  const modules = takeModules(options.modules ?? []);
  const fwCfg = options.fwCfg === undefined ? undefined : takeFwCfg(options.fwCfg);
  if (signal !== undefined && !(signal instanceof AbortSignal)) invalid("signal is an AbortSignal");
  for (const name of ["onInternalError", "onBootTimer"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      invalid(`${name} is a function`);
    }
  }
  if (![undefined, "reboot", "stop"].includes(onReset)) invalid('onReset is "reboot" or "stop"');
  if (
    typeof onTripleFault !== "function" && ![undefined, "error", "reset"].includes(onTripleFault)
  ) {
    invalid('onTripleFault is "error", "reset" or a function');
  }
  const kernel = takeSource(options.kernel);
  const initrd = options.initrd === undefined ? undefined : takeSource(options.initrd);
  const bytes = typeof memory === "string" ? parseSize(memory) : memory;
  const files = { kernel, initrd, modules, fwCfg };
  return { ...options, ...files, memory: bytes, cpus, cpu, console, serial };
}

function invalid(hint: string): never {
  throw new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
}

/** Each property is read once: a getter may have another answer the next time. */
function pick<T extends object>(from: T, names: Names<T>): T {
  return Object.fromEntries(Object.keys(names).map((name) => [name, from[name as keyof T]])) as T;
}

/** A URL can be changed in place. */
function takeSource(source: FileSource): FileSource {
  return source instanceof URL ? new URL(source) : source;
}

function takeConsole(given: SerialOptions): SerialOptions {
  const isConsole = isPlain(given) || isObject(given) && ("output" in given || "input" in given);
  if (!isConsole || Array.isArray(given)) {
    invalid('A console is "inherit", or an object with output and input');
  }
  // A class's object, as a Pty is, has names of its own.
  if (isPlain(given)) checkNames(OPERATION, "A console", given, CONSOLE);
  const port = pick(given, CONSOLE);
  checkOutput(port.output);
  if (port.input !== undefined && !(port.input instanceof ReadableStream)) {
    invalid("A console's input is a ReadableStream");
  }
  // It is to be closed at the end.
  return given instanceof TerminalConsole ? given : port;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function takeSerial(given: readonly SerialOptions[]): readonly SerialOptions[] {
  if (!Array.isArray(given)) invalid("serial is a list of ports, each with output and input");
  const { length } = given;
  // Before any is looked at: a sparse list may have billions.
  if (length > MAX_SERIAL - 1) invalid("There are COM2 to COM4 beside the console");
  return Array.from({ length }, (_, at) => takeConsole(given[at]!));
}

function takeModules(given: Modules): Modules {
  if (!Array.isArray(given)) invalid("modules is a list of objects with image and commandLine");
  const modules = [];
  for (const module of given) {
    checkNames(OPERATION, "A module", module, MODULE);
    const { image, commandLine } = pick(module, MODULE);
    modules.push({ image: takeSource(image), commandLine });
  }
  return modules;
}

function takeFwCfg(given: FwCfgFiles): FwCfgFiles {
  const files = isPlain(given) ? Object.entries(given) : [];
  if (!isPlain(given) || !files.every(([, file]) => file instanceof Uint8Array)) {
    invalid("fwCfg is an object: a Uint8Array for each file's name");
  }
  return Object.fromEntries(files.map(([name, bytes]) => {
    checkBytes(OPERATION, `fwCfg's file ${show(name)}`, bytes);
    return [name, bytes.slice()];
  }));
}

function checkOutput(output: unknown): void {
  if (output === undefined || typeof output === "function") return;
  if (output instanceof WritableStream) return;
  invalid("An output is a function or a WritableStream");
}

function checkStreams(ports: readonly SerialOptions[]): void {
  const outputs = ports.map(({ output }) => output).filter((one) => typeof one === "object");
  const inputs = ports.map(({ input }) => input).filter((one) => one !== undefined);
  if (new Set(outputs).size < outputs.length || new Set(inputs).size < inputs.length) {
    invalid("A stream is one port's: give each of them its own, or a function as the output");
  }
}
