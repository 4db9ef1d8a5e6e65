/**
 * Loads a kernel: plans everything, then writes.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import { checkOptions, checkTaken } from "./check.ts";
import { detectProtocol } from "./detect.ts";
import { planElf } from "./elf/mod.ts";
import { planFlat16, planFlat32, planFlat64 } from "./flat.ts";
import { planLinux } from "./linux/mod.ts";
import { planMultiboot } from "./multiboot/mod.ts";
import type { EntryPoint, LoadedKernel, LoadOptions, Protocol } from "./options.ts";
import { Plan } from "./plan.ts";
import { planPvh } from "./pvh.ts";
import { ImageReader } from "./reader.ts";

type Planner = (plan: Plan, reader: ImageReader, options: LoadOptions) => EntryPoint;

const planners: Readonly<Record<Protocol, Planner>> = {
  linux: planLinux,
  elf: planElf,
  pvh: planPvh,
  multiboot: planMultiboot,
  flat16: planFlat16,
  flat32: planFlat32,
  flat64: planFlat64,
};

/** A kernel that was planned, and the plan to be carried out. */
export interface PlannedKernel extends LoadedKernel {
  /** What is written. */
  readonly plan: Plan;
}

/** Checks everything and finds room for everything; writes nothing. */
export function planKernel(
  memory: GuestMemory,
  image: Uint8Array,
  options: LoadOptions,
): PlannedKernel {
  checkOptions("load the kernel", memory, image, options);
  const protocol = options.protocol ?? detectProtocol(image);
  const operation = `load the kernel as "${protocol}"`;
  checkTaken(operation, protocol, options);
  if (image.length === 0) {
    throw new KvmError({ operation, errno: Errno.ENOEXEC, hint: "The image is empty" });
  }
  const plan = new Plan(operation, memory, options);
  const entry = planners[protocol](plan, new ImageReader(operation, image), options);
  return { protocol, regions: plan.regions, entry, plan };
}

/**
 * Loads a kernel into guest memory with all that its boot protocol wants: parameters, command line,
 * initial ramdisk, modules, and the tables that the processor begins with.
 *
 * Where is what, is told by `regions`; where not by the image or the protocol, it is where
 * `@deno-kvm/kvm/firmware` says. Nothing is written if anything is wrong. What was in memory before
 * stays there, between the regions.
 *
 * The image is trusted with nothing: sizes, offsets and addresses are checked to the last bit. It may
 * be as large as memory; it is copied once.
 *
 * @throws {KvmError} ENOEXEC for an image that is malformed or of no known format, ENOMEM for what
 * doesn't fit into the machine's RAM or lies where something else is, E2BIG for a command line or
 * lists that are too long, EINVAL for an option that can't be, or that the protocol has no place for.
 *
 * @example A Linux kernel with its initial ramdisk
 * ```ts
 * import type { Vm } from "@deno-kvm/kvm";
 * import type { E820Entry } from "@deno-kvm/kvm/firmware";
 * import { loadKernel } from "@deno-kvm/kvm/loader";
 *
 * function load(vm: Vm, memoryMap: readonly E820Entry[]) {
 *   return loadKernel(vm.memory, Deno.readFileSync("vmlinuz"), {
 *     memoryMap,
 *     commandLine: "console=ttyS0",
 *     initrd: Deno.readFileSync("initrd.img"),
 *   });
 * }
 * ```
 */
export function loadKernel(
  memory: GuestMemory,
  image: Uint8Array,
  options: LoadOptions,
): LoadedKernel {
  const { plan, ...loaded } = planKernel(memory, image, options);
  plan.carryOut(memory);
  return loaded;
}
