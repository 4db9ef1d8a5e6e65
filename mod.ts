/**
 * Linux KVM from TypeScript: virtual machines in the three layers that the kernel has.
 *
 * {@linkcode Kvm} is /dev/kvm, {@linkcode Vm} a machine with its memory, {@linkcode Vcpu} a
 * processor; `vcpu.run()` returns one typed exit after another. {@linkcode realMode},
 * {@linkcode protectedMode}, {@linkcode pagedMode} and {@linkcode longMode} bring a processor into
 * its mode, and {@linkcode guests} are small programs to run there.
 *
 * Everything here needs `--allow-ffi` alone, and x86-64 Linux.
 *
 * @example
 * ```ts
 * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 *
 * longMode(vcpu, memory, { code: guests.hello });
 * run: for (;;) {
 *   const exit = vcpu.run();
 *   switch (exit.reason) {
 *     case "io":
 *       if (exit.direction === "out") Deno.stdout.writeSync(exit.data);
 *       break;
 *     case "hlt":
 *       break run;
 *     default:
 *       throw new Error(`unexpected exit: ${exit.reason}`);
 *   }
 * }
 * ```
 *
 * @module
 */

export { Errno, errnoName, KvmError, type KvmErrorInit, plain } from "./ffi/mod.ts";
export type {
  FieldInit,
  FieldOf,
  HugePages,
  ScalarArrays,
  Scalars,
  StructInit,
  StructOf,
  Table,
} from "./ffi/mod.ts";
export * from "./ffi/uapi/mod.ts";
export { type GuestInfo, guestInfo, type GuestMode, type Guests, guests } from "./guests/mod.ts";
export * from "./src/arch/x86/mod.ts";
export * from "./src/boot/mod.ts";
export * from "./src/kvm/mod.ts";
export {
  formatRange,
  GuestMemory,
  MemoryAccess,
  MemorySlot,
  type Place,
  type Range,
  type TypedArrayConstructor,
} from "./src/memory/mod.ts";
