/**
 * Refuses options that can't be, or that the protocol has no place for.
 *
 * @module
 */

import { checkNames, Errno, KvmError, type Names, show } from "../../ffi/mod.ts";
import { GuestMemory } from "../memory/mod.ts";
import { isProtocol, protocols } from "./detect.ts";
import type { KernelModule, LoadOptions, Protocol } from "./options.ts";

/** Entries that Linux's zero page has room for (x86/zero-page.rst). */
const E820_MAX = 128;

const OPTIONS: Names<LoadOptions> = {
  memoryMap: true,
  protocol: true,
  commandLine: true,
  initrd: true,
  modules: true,
  rsdp: true,
  loadAddress: true,
  entry: true,
  loaderName: true,
};
const MODULE: Names<KernelModule> = { image: true, commandLine: true };

/** Options that an image asks in vain for where its protocol has no place for them. */
type Optional = "commandLine" | "initrd" | "modules" | "loadAddress" | "entry";

const taken: Readonly<Record<Protocol, readonly Optional[]>> = {
  linux: ["commandLine", "initrd", "loadAddress"],
  elf: ["commandLine", "initrd", "loadAddress", "entry"],
  pvh: ["commandLine", "initrd", "modules"],
  multiboot: ["commandLine", "initrd", "modules"],
  flat16: ["loadAddress", "entry"],
  flat32: ["loadAddress", "entry"],
  flat64: ["loadAddress", "entry"],
};

/** Throws unless there is memory, and image and options are of their types. */
export function checkOptions(
  operation: string,
  memory: GuestMemory,
  image: Uint8Array,
  options: LoadOptions,
): void {
  const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
  if (!(memory instanceof GuestMemory)) throw invalid("The memory is all of a VM's: vm.memory");
  // Where there is none, or none any more, memory itself says which.
  if (memory.slots.length === 0) memory.readU8(0);
  if (!(image instanceof Uint8Array)) throw invalid("The image is a Uint8Array");
  checkNames(operation, "What goes with it", options, OPTIONS);
  const { protocol, commandLine, initrd, modules, rsdp, loadAddress, entry, loaderName } = options;
  if (protocol !== undefined && !isProtocol(protocol)) {
    throw invalid(`protocol is ${protocols.join(", ")}, not ${show(protocol)}`);
  }
  const text = (what: string, value: unknown) => {
    if (value === undefined || typeof value === "string" && !value.includes("\0")) return;
    throw invalid(`${what} is a string without a zero character, not ${show(value)}`);
  };
  const bytes = (what: string, value: unknown) => {
    if (value instanceof Uint8Array && value.length > 0) return;
    throw invalid(`${what} is a Uint8Array with one byte at least: leave it out if there is none`);
  };
  const address = (what: string, value: unknown) => {
    if (value === undefined || Number.isSafeInteger(value) && Number(value) >= 0) return;
    throw invalid(`${what} is an address, a whole number from 0, not ${show(value)}`);
  };
  text("commandLine", commandLine);
  text("loaderName", loaderName);
  if (initrd !== undefined) bytes("initrd", initrd);
  if (modules !== undefined && !Array.isArray(modules)) {
    throw invalid("modules is a list of { image, commandLine }");
  }
  for (const [index, module] of modules?.entries() ?? []) {
    checkNames(operation, `Module ${index}`, module, MODULE);
    bytes(`The image of module ${index}`, module.image);
    text(`The command line of module ${index}`, module.commandLine);
  }
  address("rsdp", rsdp);
  address("loadAddress", loadAddress);
  address("entry", entry);
  checkMemoryMap(operation, options.memoryMap);
}

/** Throws if there is an option that the protocol has no place for. */
export function checkTaken(operation: string, protocol: Protocol, options: LoadOptions): void {
  const { commandLine, initrd, modules, loadAddress, entry } = options;
  const given: Readonly<Record<Optional, boolean>> = {
    commandLine: (commandLine ?? "") !== "",
    initrd: initrd !== undefined,
    modules: modules !== undefined && modules.length > 0,
    loadAddress: loadAddress !== undefined,
    entry: entry !== undefined,
  };
  for (const [name, present] of Object.entries(given)) {
    if (!present || taken[protocol].includes(name as Optional)) continue;
    const hint = `An image that is started as "${protocol}" has no ${name}: leave it out`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
}

function checkMemoryMap(operation: string, memoryMap: LoadOptions["memoryMap"]): void {
  const error = (errno: number, hint: string) => new KvmError({ operation, errno, hint });
  if (!Array.isArray(memoryMap)) {
    throw error(Errno.EINVAL, "memoryMap is a list of { start, size, type }, as memoryMap() gives");
  }
  if (memoryMap.length > E820_MAX) {
    const hint = `The memory map has ${memoryMap.length} entries, and kernels take ${E820_MAX} ` +
      `at most: join neighbours`;
    throw error(Errno.E2BIG, hint);
  }
  memoryMap.forEach((entry: Partial<Record<string, unknown>> | null, index) => {
    const { start, size, type } = entry ?? {};
    const right = [start, size, type].every((value) =>
      Number.isSafeInteger(value) && Number(value) >= 0
    ) && Number.isSafeInteger(Number(start) + Number(size)) && Number(type) <= 0xffff_ffff;
    if (right) return;
    const hint = `Entry ${index} of the memory map is start ${show(start)}, size ${show(size)}, ` +
      `type ${show(type)}: all are whole numbers`;
    throw error(Errno.EINVAL, hint);
  });
}
