/**
 * 32-bit protected mode with paging (SDM volume 3, "32-Bit Paging").
 *
 * @module
 */

import { Errno, KvmError, type StructOf } from "../../ffi/mod.ts";
import type { kvmSregs } from "../../ffi/uapi/mod.ts";
import { CR0, CR4, pageDirectory32, TABLE_BYTES } from "../arch/x86/mod.ts";
import type { GuestMemory, MemorySlot, Range } from "../memory/mod.ts";
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

/** What {@linkcode pagedMode} asks of a vCPU; `Vcpu` has it. */
export interface PagedModeVcpu extends BootVcpu {
  /** KVM_GET_SREGS. */
  getSregs(): Pick<StructOf<typeof kvmSregs>, "cr0">;
}

/** What {@linkcode pagedMode} has put where. */
export interface PagedModeBoot extends FlatBoot {
  /** The page directory; CR3. */
  readonly pageTables: Range;
}

/**
 * Starts code in 32-bit protected mode with paging: flat segments, no IDT, interrupts disabled.
 * Pages of 4 MiB map all 4 GiB to themselves, open to level 3.
 *
 * Needs memory for the code, 4 KiB of page directory, 24 bytes of GDT and 1 KiB of stack; 8 KiB in
 * all will do.
 *
 * @example
 * ```ts
 * import { guests, Kvm, KvmError, pagedMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 64 << 10 });
 * using vcpu = vm.createVcpu(0);
 * try {
 *   pagedMode(vcpu, memory, { code: guests.helloPaged });
 *   console.log(vcpu.run().reason); // "io"
 * } catch (error) {
 *   if (!(error instanceof KvmError && error.code === "EOPNOTSUPP")) throw error;
 *   console.log(error.hint);
 * }
 * ```
 *
 * @throws {KvmError} EINVAL for an option that can't be, an entry outside the code or a stack outside
 * memory; EFAULT or E2BIG for code outside memory or above 4 GiB; ENOMEM without room for page
 * directory, GDT and stack; EOPNOTSUPP where KVM has paging in long mode only.
 */
export function pagedMode(
  vcpu: PagedModeVcpu,
  memory: MemorySlot | GuestMemory,
  options: BootOptions,
): PagedModeBoot {
  const operation = "start the guest in protected mode with paging";
  const { boot, places } = planFlat(operation, memory, options, [
    { what: "the page directory", size: TABLE_BYTES, align: TABLE_BYTES },
  ]);
  const pageTables = places[0]!;
  leave(vcpu);
  writeFlat(memory, options, boot);
  memory.writeBytes(pageTables.guestPhysAddr, pageDirectory32());
  enter(vcpu, options.registers, {
    rip: boot.entry,
    rsp: boot.stack,
    rflags: 0n,
    sregs: {
      ...flatSregs(boot),
      cr0: PROTECTED_CR0 | CR0.PG,
      cr3: BigInt(pageTables.guestPhysAddr),
      cr4: PROTECTED_CR4 | CR4.PSE,
    },
  });
  // Some backends take KVM_SET_SREGS and leave PG out; the guest would only shut down.
  if ((vcpu.getSregs().cr0 & CR0.PG) === 0n) {
    const hint = "This host's KVM has paging in long mode only: use longMode or protectedMode";
    throw new KvmError({ operation, call: "KVM_SET_SREGS", errno: Errno.EOPNOTSUPP, hint });
  }
  return { ...boot, pageTables };
}
