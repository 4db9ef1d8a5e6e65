/**
 * What a debugger needs of a vCPU: breakpoints, single steps, and where addresses lead.
 *
 * @module
 */

import {
  checkNames,
  create,
  Errno,
  type Fd,
  from,
  KvmError,
  type Names,
  show,
} from "../../../ffi/mod.ts";
import {
  Cap,
  GuestDebug,
  kvmGuestDebug,
  kvmTranslation,
  Sregs2Flag,
} from "../../../ffi/uapi/mod.ts";
import {
  encodeBreakpoints,
  type HardwareBreakpoint,
  type PageWalk,
  pagingMode,
  type PagingState,
  walkPages,
} from "../../arch/x86/mod.ts";
import type { GuestMemory } from "../../memory/mod.ts";
import type { Cpuid } from "../cpuid.ts";
import { KVM } from "../ioctls.ts";
import { VcpuTime } from "./time.ts";

/** What stops a guest with a `"debug"` exit. */
export interface GuestDebugOptions {
  /** Every instruction. */
  readonly singleStep?: boolean | undefined;
  /** Up to four breakpoints in debug registers; the guest's own are out of use meanwhile. */
  readonly breakpoints?: readonly HardwareBreakpoint[] | undefined;
  /** INT3, that the debugger has put in place of an instruction's first byte. */
  readonly softwareBreakpoints?: boolean | undefined;
  /** While stepping, interrupts are held off (Linux 6.x; see `Cap.SET_GUEST_DEBUG2`). */
  readonly blockIrq?: boolean | undefined;
  /** An exception for the guest to take on the next entry: #DB or #BP. */
  readonly inject?: "db" | "bp" | undefined;
}

const OPTIONS: Names<GuestDebugOptions> = {
  singleStep: true,
  breakpoints: true,
  softwareBreakpoints: true,
  blockIrq: true,
  inject: true,
};

/** Bits of a physical address while CPUID does not tell (the kernel's cpuid_query_maxphyaddr). */
const UNTOLD_PHYS_ADDR_BITS = 36;
const GB_PAGES = 1 << 26;

/** The debugging part of {@linkcode Vcpu}. */
export abstract class VcpuDebug extends VcpuTime {
  readonly #memory: GuestMemory;

  /** @internal `check` and `memory` are the VM's. */
  constructor(handle: Fd, check: (cap: Cap) => number, memory: GuestMemory) {
    super(handle, check);
    this.#memory = memory;
  }

  /**
   * Sets what stops the guest, instead of what was set before; without an argument, nothing does
   * (KVM_SET_GUEST_DEBUG). Set registers first: a change of RFLAGS would end single steps on some
   * hosts.
   *
   * The `"debug"` exit tells what it was: `exception` is the vector, `pc` the instruction's address,
   * and `decodeDr6(exit.dr6)` the breakpoint or the single step.
   *
   * With kvm_pvm, HLT is one more step at level 0, and no `"hlt"` exit; at level 3, the guest takes
   * each step's #DB itself. So step up to an address, or a number of times, and not until `"hlt"`.
   *
   * @example
   * ```ts
   * import { Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 64 << 10 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: Uint8Array.of(0x90, 0x90, 0xf4) }); // nop; nop; hlt
   * vcpu.setGuestDebug({ singleStep: true });
   * const exit = vcpu.run();
   * if (exit.reason === "debug") console.log(exit.pc); // 4097n
   * ```
   *
   * @throws {KvmError} EINVAL for breakpoints that can't be, EBUSY to inject while another exception
   * is about to be delivered.
   */
  setGuestDebug(options: GuestDebugOptions = {}): void {
    const operation = `set what stops ${this.handle.what}`;
    checkNames(operation, "What stops it", options, OPTIONS);
    const { singleStep, breakpoints = [], softwareBreakpoints, blockIrq, inject } = options;
    if (inject !== undefined && inject !== "db" && inject !== "bp") {
      throw new KvmError({ operation, errno: Errno.EINVAL, hint: 'inject is "db" or "bp"' });
    }
    const stops = (singleStep ? GuestDebug.SINGLESTEP : 0) |
      (breakpoints.length > 0 ? GuestDebug.USE_HW_BP : 0) |
      (softwareBreakpoints ? GuestDebug.USE_SW_BP : 0) |
      (blockIrq ? GuestDebug.BLOCKIRQ : 0);
    const injected = inject === undefined
      ? 0
      : inject === "db"
      ? GuestDebug.INJECT_DB
      : GuestDebug.INJECT_BP;
    const { db, dr7 } = encodeBreakpoints(breakpoints);
    const debug = from(kvmGuestDebug, {
      control: (stops === 0 ? 0 : GuestDebug.ENABLE | stops) | injected,
      arch: { debugreg: [...db, 0n, 0n, 0n, dr7] },
    });
    this.handle.set(KVM.KVM_SET_GUEST_DEBUG, debug, operation);
  }

  /**
   * The guest-physical address that a linear address has now, or undefined (KVM_TRANSLATE). The
   * kernel walks the guest's page tables as level 0's read would: it sets accessed bits in them. It
   * does not check that the address is canonical. {@linkcode walk} tells more, and changes nothing.
   */
  translate(linearAddress: bigint): number | undefined {
    const operation = `translate an address of ${this.handle.what}`;
    checkAddress(operation, linearAddress);
    const translation = create(kvmTranslation);
    translation.linearAddress = linearAddress;
    this.handle.set(KVM.KVM_TRANSLATE, translation, operation);
    return translation.valid === 0 ? undefined : Number(translation.physicalAddress);
  }

  /**
   * Walks the guest's page tables for a linear address: where it leads, the page's size and rights,
   * and each entry on the way. For many addresses, call `walkPages` with {@linkcode pagingState}.
   *
   * @example
   * ```ts
   * import { guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.halt });
   * const { physAddr, pageSize, writable } = vcpu.walk(0x1000n);
   * console.log(physAddr, pageSize, writable); // 4096 2097152 true
   * console.log(vcpu.walk(0x80_0000_0000n).fault); // "notPresent"
   * ```
   */
  walk(linearAddress: bigint): PageWalk {
    checkAddress(`walk the page tables of ${this.handle.what}`, linearAddress);
    return walkPages(this.#memory, this.pagingState(), linearAddress);
  }

  /**
   * What decides how the vCPU translates addresses: control registers, the PDPTRs where KVM tells
   * them, and of CPUID the bits of a physical address and whether there are pages of 1 GiB.
   */
  pagingState(): PagingState {
    const { cr0, cr3, cr4, efer } = this.getSregs();
    const state = { cr0, cr3, cr4, efer, ...limitsOf(this.getCpuid()) };
    if (pagingMode(state) !== "PAE" || this.check(Cap.SREGS2) === 0) return state;
    const { flags, pdptrs } = this.getSregs2();
    return (flags & Sregs2Flag.PDPTRS_VALID) === 0n ? state : { ...state, pdptrs };
  }
}

function limitsOf(cpuid: Cpuid): Pick<PagingState, "physAddrBits" | "gbPages"> {
  const sizes = cpuid.find(0x8000_0008);
  const features = cpuid.find(0x8000_0001);
  return {
    physAddrBits: sizes === undefined ? UNTOLD_PHYS_ADDR_BITS : sizes.eax & 0xff,
    gbPages: ((features?.edx ?? 0) & GB_PAGES) !== 0,
  };
}

function checkAddress(operation: string, address: bigint): void {
  if (typeof address === "bigint" && BigInt.asUintN(64, address) === address) return;
  const hint = `A linear address is a bigint from 0 to 2^64 - 1, not ${show(address)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
