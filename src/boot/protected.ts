/**
 * 32-bit protected mode without paging (SDM volume 3, "Switching to Protected Mode").
 *
 * @module
 */

import type { GuestMemory, MemorySlot } from "../memory/mod.ts";
import { type BootVcpu, enter, leave } from "./enter.ts";
import {
  type FlatBoot,
  flatSregs,
  planFlat,
  PROTECTED_CR0,
  PROTECTED_CR4,
  writeFlat,
} from "./flat.ts";
import type { BootOptions } from "./options.ts";

/**
 * Starts code in 32-bit protected mode: flat segments, no paging, no IDT, interrupts disabled.
 *
 * Needs memory for the code, 24 bytes of GDT and 1 KiB of stack; 4 KiB in all will do.
 *
 * @example
 * ```ts
 * import { guests, Kvm, protectedMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 64 << 10 });
 * using vcpu = vm.createVcpu(0);
 * protectedMode(vcpu, memory, { code: guests.helloProtected });
 * console.log(vcpu.run().reason); // "io"
 * ```
 *
 * @throws {KvmError} EINVAL for an option that can't be, an entry outside the code or a stack outside
 * memory; EFAULT or E2BIG for code outside memory or above 4 GiB; ENOMEM without room for GDT and
 * stack.
 */
export function protectedMode(
  vcpu: BootVcpu,
  memory: MemorySlot | GuestMemory,
  options: BootOptions,
): FlatBoot {
  const operation = "start the guest in protected mode";
  const { boot } = planFlat(operation, memory, options);
  leave(vcpu);
  writeFlat(memory, options, boot);
  enter(vcpu, options.registers, {
    rip: boot.entry,
    rsp: boot.stack,
    rflags: 0n,
    sregs: { ...flatSregs(boot), cr0: PROTECTED_CR0, cr3: 0n, cr4: PROTECTED_CR4 },
  });
  return boot;
}
