/**
 * What a machine is made of.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import type { InternalErrorExit, Vcpu } from "../kvm/mod.ts";
import type { LoadOptions } from "../loader/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import type { Output } from "./output.ts";

/** A file: its path, or its bytes. */
export type FileSource = string | URL | Uint8Array<ArrayBuffer>;

/** A serial port's other end. */
export interface SerialOptions {
  /** Where what the guest sends goes; nowhere by default. */
  readonly output?: Output | undefined;
  /**
   * What the guest is sent; more can be sent with `machine.serial[0].send()`. It is cancelled when the
   * machine ends.
   */
  readonly input?: ReadableStream<Uint8Array> | undefined;
}

/** A vCPU that KVM can't run on. */
export interface InternalErrorEvent {
  /** It; its registers may be read and set, an exception injected. */
  readonly vcpu: Vcpu;
  /** What KVM says, the instruction's bytes among it. */
  readonly exit: InternalErrorExit;
  /** The guest's memory. */
  readonly memory: GuestMemory;
}

/** What to do about it: let the guest go on, or end the machine with an error. */
export type InternalErrorAnswer = "resume" | "stop";

/**
 * A vCPU after a triple fault. Its registers are those of the fault on Intel's processors; AMD's keep
 * none, and KVM has reset the vCPU by then.
 */
export interface TripleFaultEvent {
  /** It; its registers may be read. */
  readonly vcpu: Vcpu;
  /** The guest's memory. */
  readonly memory: GuestMemory;
}

/** What to do about it: end the machine with an error, or reset it, as a PC does. */
export type TripleFaultAnswer = "error" | "reset";

/** How the guest is started. */
export interface KernelOptions
  extends Pick<LoadOptions, "protocol" | "loadAddress" | "entry" | "commandLine"> {
  /** The kernel: a bzImage, an ELF or Multiboot image, or flat code. */
  readonly kernel: FileSource;
  /** The initial ramdisk. */
  readonly initrd?: FileSource | undefined;
  /** Modules, for Multiboot and PVH. */
  readonly modules?:
    | readonly { readonly image: FileSource; readonly commandLine?: string | undefined }[]
    | undefined;
}

/**
 * What a machine is made of. It is read once, when the machine is made: what changes here later is no
 * matter of its. Bytes are not copied, though, but for `fwCfg`'s; and paths are read again when the
 * machine is reset: what is in them then is what starts.
 */
export interface MachineOptions extends KernelOptions {
  /**
   * RAM: bytes, or a text such as `"256M"` or `"2G"`; a multiple of 4 KiB, and more than 1 MiB, whose
   * upper part is the firmware's. 256 MiB by default.
   */
  readonly memory?: number | string | undefined;
  /** How many vCPUs; 1 by default. */
  readonly cpus?: number | undefined;
  /** The CPU model, `"host"` by default: see `Cpuid.fromModel`. */
  readonly cpu?: string | undefined;
  /**
   * The first serial port: this process's own terminal, raw and with `Ctrl-A` as the way out, or
   * streams.
   */
  readonly console?: "inherit" | SerialOptions | undefined;
  /** COM2 to COM4. */
  readonly serial?: readonly SerialOptions[] | undefined;
  /** Where the bytes of ports 0xe9 and 0x402 go. */
  readonly debugcon?: Output | undefined;
  /** Files that the guest finds through fw_cfg, by name. */
  readonly fwCfg?: Readonly<Record<string, Uint8Array>> | undefined;
  /** What a reset does: start the machine anew (the default), or end it. */
  readonly onReset?: "reboot" | "stop" | undefined;
  /**
   * What a triple fault is: an error (the default), or a reset, as on a PC; or who looks at it and says
   * which of them.
   */
  readonly onTripleFault?:
    | TripleFaultAnswer
    | ((event: TripleFaultEvent) => TripleFaultAnswer | Promise<TripleFaultAnswer>)
    | undefined;
  /** What to do when KVM can't go on; without it, that is an error. */
  readonly onInternalError?:
    | ((event: InternalErrorEvent) => InternalErrorAnswer | Promise<InternalErrorAnswer>)
    | undefined;
  /** Called when the guest writes to the boot timer: milliseconds since the start, and what it wrote. */
  readonly onBootTimer?: ((milliseconds: number, point: number) => void) | undefined;
  /** Aborted, it ends the machine: `finished` rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const UNITS: Readonly<Record<string, number>> = {
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * Bytes from a text such as `"64K"`, `"256M"`, `"256MiB"`, `"1.5G"`.
 *
 * @throws {KvmError} EINVAL for what is no size.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:i?B)?|B)$/i.exec(text.trim());
  const bytes = match === null
    ? NaN
    : Number(match[1]) * (UNITS[match[2]?.toUpperCase() ?? ""] ?? 1);
  if (Number.isSafeInteger(bytes)) return bytes;
  const hint = bytes > Number.MAX_SAFE_INTEGER
    ? "It is too big: no processor has addresses for more than 4096T"
    : "A size is a number and a unit, such as 64K, 256M or 2G";
  throw new KvmError({ operation: `understand the size "${text}"`, errno: Errno.EINVAL, hint });
}
