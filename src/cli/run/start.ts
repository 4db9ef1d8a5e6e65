/**
 * Makes the machine that a command line describes, and stays with it to its end.
 *
 * @module
 */

import { Errno, KvmError } from "../../../ffi/mod.ts";
import { AssembleError } from "../../assemble/mod.ts";
import { detectProtocol } from "../../loader/mod.ts";
import { GuestCrash, Machine, type MachineEnd } from "../../machine/mod.ts";
import { Failure } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { Consoles } from "./consoles.ts";
import { readWhole, systemReason } from "./files.ts";
import { kernelOf } from "./kernel.ts";
import type { RunOptions } from "./options.ts";
import { OutputFiles } from "./output_files.ts";
import { RunStatus } from "./status.ts";

/**
 * Runs a machine; the status of the process.
 *
 * @throws {Failure} with the status of what went wrong, where that is no failure of the machine.
 */
export async function runMachine(options: RunOptions, err: Terminal): Promise<number> {
  const note = (text: string) => err.write(`${err.paint("dim", `kvm: ${text}`)}\n`);
  const timeout = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout);
  try {
    return await stay(options, note, timeout);
  } catch (error) {
    if (timeout?.aborted && error === timeout.reason) {
      const message = `The guest had not ended after ${options.timeout! / 1000} s (--timeout)`;
      throw new Failure(message, RunStatus.TIMEOUT);
    }
    if (error instanceof GuestCrash) throw new Failure(error.message, RunStatus.CRASH);
    if (error instanceof AssembleError) {
      throw new Failure(`${options.kernel}: ${error.message}`, RunStatus.FAILED);
    }
    if (error instanceof KvmError && error.errno === Errno.ENOEXEC) {
      throw new Failure(await describeImage(options, error), RunStatus.FAILED, error);
    }
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    throw new Failure(`Cannot pass on what the guest says or hears: ${reason}`, RunStatus.FAILED);
  }
}

async function stay(
  options: RunOptions,
  note: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const fwCfg = await Promise.all(
    options.fwCfg.map(async ([name, path]) => [name, await readWhole(path, signal)] as const),
  );
  const kernel = await kernelOf(options, signal);
  using files = await OutputFiles.beside(inputsOf(options), signal);
  // The terminal comes back last: before it does, everything has been written.
  using consoles: Consoles = await Consoles.open(
    options.serial,
    options.debugcon,
    files,
    () => machine,
    (port, path) => note(`${port} is ${path}`),
  );
  const [console, ...serial] = consoles.serial;
  await using machine: Machine = await Machine.create({
    ...kernel,
    initrd: options.initrd,
    commandLine: options.append,
    modules: options.modules,
    memory: options.memory,
    cpus: options.cpus,
    cpu: options.cpu,
    fwCfg: fwCfg.length > 0 ? Object.fromEntries(fwCfg) : undefined,
    console,
    serial,
    debugcon: consoles.debugcon,
    onReset: options.onReset,
    onTripleFault: options.onTripleFault,
    onBootTimer: options.bootTimer
      ? (milliseconds, point) => note(`boot timer: ${milliseconds.toFixed(1)} ms, point ${point}`)
      : undefined,
    signal,
  });
  await files.begin();
  if (consoles.hasKeys && !options.quiet) note("Ctrl-A x ends the machine, Ctrl-A h shows more");
  const { finished } = machine;
  try {
    await machine.resume();
  } catch (error) {
    // It has ended before it began: finished says why.
    if (!(error instanceof KvmError && error.errno === Errno.EPIPE)) throw error;
  }
  const end = await finished;
  await consoles.drain(signal, () => {
    if (!options.quiet) note("the guest has ended; not all that it wrote has been taken yet");
  });
  return statusOf(end);
}

/** The files that a machine is made from. */
function inputsOf({ kernel, initrd, modules, fwCfg }: RunOptions): string[] {
  const others = [...modules.map(({ image }) => image), ...fwCfg.map(([, path]) => path)];
  return initrd === undefined ? [kernel, ...others] : [kernel, initrd, ...others];
}

/** What is wrong with the kernel's image, in words of the command line. */
async function describeImage({ kernel, protocol }: RunOptions, error: KvmError): Promise<string> {
  const image = await readWhole(kernel, undefined);
  if (image.length === 0) return `Cannot load ${kernel}: it is empty`;
  const isNamed = kernel.endsWith(".asm") || protocol !== undefined;
  if (isNamed || isKnown(image)) return `${kernel}: ${error.message}`;
  return `Cannot tell how to load ${kernel}: it is no bzImage, no ELF file, no boot sector, and ` +
    "has no Multiboot header; other code needs --protocol flat16, flat32 or flat64";
}

function isKnown(image: Uint8Array): boolean {
  try {
    return detectProtocol(image) !== undefined;
  } catch (error) {
    if (error instanceof KvmError) return false;
    throw error;
  }
}

function statusOf(end: MachineEnd): number {
  return end.reason === "debugExit" ? end.code & 0xff : 0;
}
