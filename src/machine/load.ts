/**
 * What is in memory before the first instruction: firmware tables and the kernel.
 *
 * @module
 */

import type { Cpuid } from "../kvm/mod.ts";
import { checkBytes, Errno, isName, KvmError, show } from "../../ffi/mod.ts";
import {
  type FirmwareDescription,
  type MemoryMap,
  writeAcpiTables,
  writeInterruptVectors,
  writeMpTable,
} from "../firmware/mod.ts";
import { SLP_TYP_S5 } from "../devices/mod.ts";
import { serialPlaces } from "./board.ts";
import { type LoadedKernel, loadKernel } from "../loader/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import type { FileSource, KernelOptions, MachineOptions } from "./options.ts";

/** A kernel's files, read; disposed of, those that were read here take no memory any more. */
export interface KernelFiles extends Disposable {
  /** The kernel. */
  readonly kernel: Uint8Array<ArrayBuffer>;
  /** The initial ramdisk. */
  readonly initrd: Uint8Array<ArrayBuffer> | undefined;
  /** Multiboot modules. */
  readonly modules: readonly {
    readonly image: Uint8Array<ArrayBuffer>;
    readonly commandLine?: string | undefined;
  }[];
}

/** Reads a kernel's files, those that are no bytes yet. */
export async function readFiles(
  options: KernelOptions & Pick<MachineOptions, "signal">,
): Promise<KernelFiles> {
  const { kernel, initrd, modules = [], signal } = options;
  const [kernelBytes, initrdBytes, ...images] = await Promise.all([
    readFile("kernel", kernel, signal),
    initrd === undefined ? undefined : readFile("initial ramdisk", initrd, signal),
    ...modules.map(({ image }) => readFile("module", image, signal)),
  ]);
  return {
    kernel: kernelBytes,
    initrd: initrdBytes,
    modules: modules.map(({ commandLine }, at) => ({ image: images[at]!, commandLine })),
    [Symbol.dispose]: () => {
      const sources = [kernel, initrd, ...modules.map(({ image }) => image)];
      for (const bytes of [kernelBytes, initrdBytes, ...images]) {
        // They may be tens of megabytes, and garbage collection may take its time.
        if (bytes !== undefined && !sources.includes(bytes)) bytes.buffer.transfer(0);
      }
    },
  };
}

async function readFile(
  what: string,
  source: FileSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) {
    checkBytes(`read the ${what}`, "It", source);
    return source;
  }
  if (typeof source !== "string" && !(source instanceof URL)) {
    const operation = `read the ${what} from ${show(source)}`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint: "It is a path, a URL or bytes" });
  }
  if (source === "") {
    const hint = "Give the path of a file";
    throw new KvmError({ operation: `read the ${what} from ""`, errno: Errno.ENOENT, hint });
  }
  const operation = `read the ${what} from ${source}`;
  try {
    const { isFile, isDirectory } = await Deno.stat(source);
    // A pipe or a device may have no end; of a directory the system says itself what it is.
    if (!isFile && !isDirectory) throw new TypeError("It is no regular file");
    return await Deno.readFile(source, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    const errno = error instanceof TypeError ? Errno.EINVAL : systemErrno(error);
    if (errno === undefined) throw error;
    const detail = errno === Errno.EINVAL ? `${error.message}. ` : "";
    throw new KvmError({ operation, errno, hint: `${detail}Give the path of a file` });
  }
}

/** The number that the system refused with, if it did: the runtime's classes have few of them. */
function systemErrno(error: Error): number | undefined {
  const { code } = error as { readonly code?: unknown };
  return isName(Errno, code) ? Errno[code] : undefined;
}

/** The machine that firmware tables describe. */
export interface Described {
  /** How many vCPUs; their APIC ids are 0 and on. */
  readonly cpus: number;
  /** What CPUID says of them. */
  readonly cpuid: Cpuid;
  /** How many serial ports. */
  readonly serialPorts: number;
  /** Whether there is fw_cfg. */
  readonly fwCfg: boolean;
}

/** Writes firmware tables and kernel, and says how the kernel is entered. */
export function loadMachine(
  memory: GuestMemory,
  map: MemoryMap,
  described: Described,
  files: KernelFiles,
  options: KernelOptions,
): LoadedKernel {
  const description = describe(described);
  const { rsdpAddress } = writeAcpiTables(memory, description);
  writeMpTable(memory, description);
  writeInterruptVectors(memory);
  const { protocol, commandLine, loadAddress, entry } = options;
  return loadKernel(memory, files.kernel, {
    protocol,
    commandLine,
    loadAddress,
    entry,
    initrd: files.initrd,
    modules: files.modules,
    memoryMap: map.e820,
    rsdp: rsdpAddress,
  });
}

function describe({ cpus, cpuid, serialPorts, fwCfg }: Described): FirmwareDescription {
  const leaf = cpuid.find(1);
  return {
    apicIds: Array.from({ length: cpus }, (_, id) => id),
    processor: { signature: leaf?.eax, features: leaf?.edx },
    serialPorts: serialPlaces.slice(0, serialPorts),
    i8042: {},
    rtc: {},
    fwCfg: fwCfg ? {} : undefined,
    pm: { sleepTypeS5: SLP_TYP_S5, timerBits: 32 },
  };
}
