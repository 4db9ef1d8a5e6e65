/**
 * Boot protocols: takes a kernel's image apart, puts it into guest memory with everything that it
 * expects there, and says how a vCPU enters it.
 *
 * | protocol             | image                   | entered in          | finds                      |
 * | -------------------- | ----------------------- | ------------------- | -------------------------- |
 * | `linux`              | bzImage                 | long mode, or 32-bit | zero page at RSI          |
 * | `elf`                | ELF64, ELF32            | long mode, 32-bit   | zero page at RSI           |
 * | `pvh`                | ELF with a Xen note     | 32-bit              | `hvm_start_info` at EBX    |
 * | `multiboot`          | ELF, or any with header | 32-bit              | Multiboot info at EBX      |
 * | `flat16`             | bytes                   | real mode           | 0x80 in DL                 |
 * | `flat32`, `flat64`   | bytes                   | 32-bit, long mode   |                            |
 *
 * Images are not trusted. Everything is checked, and room found for everything, before a byte is
 * written; what can't be is a `KvmError`: ENOEXEC for an image that is malformed, ENOMEM or E2BIG
 * for what doesn't fit, EINVAL for an option.
 *
 * @example Load and start
 * ```ts
 * import { Kvm } from "@deno-kvm/kvm";
 * import { memoryMap } from "@deno-kvm/kvm/firmware";
 * import { enterKernel, loadKernel } from "@deno-kvm/kvm/loader";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const { slots, e820 } = memoryMap(2 << 20);
 * for (const slot of slots) vm.addMemory(slot);
 * using vcpu = vm.createVcpu(0);
 *
 * const image = Uint8Array.of(0xb0, 0x2a, 0xf4); // mov al, 42; hlt
 * const { entry } = loadKernel(vm.memory, image, { protocol: "flat64", memoryMap: e820 });
 * enterKernel(vcpu, entry);
 * console.log(vcpu.run().reason, vcpu.getRegs().rax); // "hlt" 42n
 * ```
 *
 * @module
 */

export { detectProtocol, isBootSector } from "./detect.ts";
export { enterKernel } from "./entry.ts";
export { FLAT_ADDRESS } from "./flat.ts";
export { loadKernel } from "./load.ts";
export type {
  EntryPoint,
  EntrySregs,
  KernelModule,
  LoadedKernel,
  LoadedRegion,
  LoadOptions,
  Protocol,
  TableRegister,
} from "./options.ts";
// What these speak of: other doors' names, the same here as there.
export type {
  FieldInit,
  FieldOf,
  ScalarArrays,
  Scalars,
  StructInit,
  StructOf,
  Table,
} from "../../ffi/mod.ts";
export type { kvmRegs, kvmSregs, MpState } from "../../ffi/uapi/mod.ts";
export type { SegmentState } from "../arch/x86/mod.ts";
export type { BootVcpu, GeneralRegisters } from "../boot/mod.ts";
export type { E820Entry, E820Type, E820TypeNumber } from "../firmware/mod.ts";
export type {
  GuestMemory,
  MemoryAccess,
  MemorySlot,
  Place,
  Range,
  TypedArrayConstructor,
} from "../memory/mod.ts";
