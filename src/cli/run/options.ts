/**
 * The command line of `kvm run`.
 *
 * @module
 */

import type { Protocol } from "../../loader/mod.ts";
import { parse, UsageError } from "../command.ts";
import { complainOfQemu, renamed } from "./qemu.ts";

/** Where the bytes of a serial port or of the debug console go, and come from. */
export type Target =
  | { readonly kind: "none" | "stdio" | "pty" }
  | { readonly kind: "file"; readonly path: string };

/** What `kvm run` is asked to do. */
export interface RunOptions {
  /** The kernel's path. */
  readonly kernel: string;
  /** The initial ramdisk's path. */
  readonly initrd: string | undefined;
  /** The kernel's command line. */
  readonly append: string | undefined;
  /** Multiboot modules by their paths. */
  readonly modules: readonly {
    readonly image: string;
    readonly commandLine: string | undefined;
  }[];
  /** How the kernel is started; the loader says which ones there are. */
  readonly protocol: Protocol | undefined;
  /** Where it goes. */
  readonly loadAddress: number | undefined;
  /** Where it begins. */
  readonly entry: number | undefined;
  /** RAM, with its unit. */
  readonly memory: string;
  /** How many vCPUs. */
  readonly cpus: number;
  /** The CPU model. */
  readonly cpu: string | undefined;
  /** Paths of files by the names that they have in fw_cfg. */
  readonly fwCfg: readonly (readonly [name: string, path: string])[];
  /** COM1 and on. */
  readonly serial: readonly Target[];
  /** The debug console. */
  readonly debugcon: Target;
  /** What a reset does. */
  readonly onReset: "reboot" | "stop";
  /** What a triple fault is. */
  readonly onTripleFault: "error" | "reset";
  /** After how many milliseconds the machine is ended. */
  readonly timeout: number | undefined;
  /** Whether the boot timer's times are shown. */
  readonly bootTimer: boolean;
  /** Whether nothing is shown beside the guest's output and what goes wrong. */
  readonly quiet: boolean;
}

const MAX_SERIAL = 4;
/** setTimeout takes no more milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean", default: false } as const;

const options = {
  "kernel": list,
  "initrd": text,
  "append": text,
  "module": list,
  "protocol": text,
  "load-address": text,
  "entry": text,
  "memory": { type: "string", short: "m", default: "256" },
  "cpus": { type: "string", default: "1" },
  "smp": text,
  "cpu": text,
  "fw-cfg": list,
  "serial": list,
  "debugcon": text,
  "no-reboot": flag,
  "triple-fault": { type: "string", default: "error" },
  "timeout": text,
  "boot-timer": flag,
  "quiet": { ...flag, short: "q" },
  "help": { ...flag, short: "h" },
} as const;

/** What can stand behind two hyphens. */
export const optionNames: readonly string[] = Object.keys(options);

/** Understands a command line; undefined if it asks for help. */
export function parseRun(args: readonly string[]): RunOptions | undefined {
  const { values, positionals } = parseArguments(args);
  if (values.help) return undefined;
  const kernels = [...positionals, ...values.kernel ?? []];
  const [kernel] = kernels;
  if (kernel === undefined) throw new UsageError("Name a kernel: kvm run KERNEL");
  if (kernels.length > 1) {
    throw new UsageError(`There is one kernel to run, not ${kernels.length}: ${kernels.join(" ")}`);
  }
  const { serial = ["stdio"], debugcon = "none" } = values;
  if (serial.length > MAX_SERIAL) {
    throw new UsageError(`There are ${MAX_SERIAL} serial ports, not ${serial.length}`);
  }
  const targets = serial.map((value) => targetOf("--serial", value));
  if (targets.filter(({ kind }) => kind === "stdio").length > 1) {
    throw new UsageError("One serial port alone can have stdio: give the others --serial none");
  }
  return {
    kernel,
    initrd: values.initrd,
    append: values.append,
    modules: (values.module ?? []).map((value) => {
      const [image, commandLine] = halves(value);
      return { image, commandLine };
    }),
    protocol: values.protocol as Protocol | undefined,
    loadAddress: addressFrom("--load-address", values["load-address"]),
    entry: addressFrom("--entry", values.entry),
    // A bare number is of mebibytes, as in QEMU.
    memory: /^\d+$/.test(values.memory) ? `${values.memory}M` : values.memory,
    cpus: cpusOf(values.smp ?? values.cpus),
    cpu: values.cpu,
    fwCfg: filesOf(values["fw-cfg"] ?? []),
    serial: targets,
    debugcon: targetOf("--debugcon", debugcon),
    onReset: values["no-reboot"] ? "stop" : "reboot",
    onTripleFault: tripleFaultOf(values["triple-fault"]),
    timeout: millisecondsOf(values.timeout),
    bootTimer: values["boot-timer"],
    quiet: values.quiet,
  };
}

function parseArguments(args: readonly string[]) {
  const end = args.indexOf("--");
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const complaint = complainOfQemu(arg, optionNames);
    if (complaint !== undefined) throw new UsageError(complaint);
  }
  const parsed = parse({ args: [...args], allowPositionals: true, options, tokens: true });
  const given = new Map<string, string>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option" || token.value === undefined) continue;
    const { name, rawName, value } = token;
    if ("multiple" in options[name as keyof typeof options]) continue;
    const key = renamed[name] ?? name;
    const other = given.get(key);
    if (other !== undefined) {
      throw new UsageError(`${rawName} can be given once, and not as ${other} and ${value}`);
    }
    given.set(key, value);
  }
  return parsed;
}

/** What is before the first "=", and what behind it. */
function halves(value: string): [string, string | undefined] {
  const at = value.indexOf("=");
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function filesOf(values: readonly string[]): (readonly [string, string])[] {
  const files = values.map(fileOf);
  const names = files.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new UsageError(`--fw-cfg has one file for ${twice}, not two`);
  return files;
}

function fileOf(value: string): [string, string] {
  const [name, path] = halves(value);
  if (name !== "" && path) return [name, path];
  throw new UsageError(`--fw-cfg is NAME=FILE, such as opt/motd=motd.txt, not "${value}"`);
}

function targetOf(option: string, value: string): Target {
  if (value === "none" || value === "stdio" || value === "pty") return { kind: value };
  const path = /^file:(.+)$/s.exec(value)?.[1];
  if (path !== undefined) return { kind: "file", path };
  throw new UsageError(`${option} is none, stdio, pty or file:PATH, not "${value}"`);
}

function addressFrom(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const address = /^(0x[\da-f]+|\d+)$/i.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(address)) return address;
  throw new UsageError(`${option} is an address, such as 0x100000, not "${value}"`);
}

function cpusOf(value: string): number {
  if (/^\d+$/.test(value) && Number(value) > 0) return Number(value);
  throw new UsageError(`--cpus is a whole number from 1, not "${value}"`);
}

function tripleFaultOf(value: string): "error" | "reset" {
  if (value === "error" || value === "reset") return value;
  throw new UsageError(`--triple-fault is error or reset, not "${value}"`);
}

function millisecondsOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = /^\d*\.?\d+$/.test(value) ? Math.ceil(Number(value) * 1000) : 0;
  if (milliseconds > 0 && milliseconds <= LONGEST_TIMEOUT) return milliseconds;
  throw new UsageError(
    `--timeout is a number of seconds above 0 and below ${LONGEST_TIMEOUT / 1000}, not "${value}"`,
  );
}
