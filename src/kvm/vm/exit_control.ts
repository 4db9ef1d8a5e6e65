/**
 * Which events of a guest come to user space, and how (api.rst 7).
 *
 * @module
 */

import { checkInteger, checkObject, Errno, isName, KvmError, U32_MAX } from "../../../ffi/mod.ts";
import { BusLockDetection, Cap, DisableExits, NotifyVmexit } from "../../../ffi/uapi/mod.ts";
import { VmCapabilities } from "./capabilities.ts";

/** Instructions that the guest may run without KVM noticing. */
export interface DisabledExits {
  /** MWAIT and MONITOR. */
  readonly mwait?: boolean | undefined;
  /** HLT: the host's processor halts. */
  readonly hlt?: boolean | undefined;
  /** PAUSE, by which KVM finds loops that spin. */
  readonly pause?: boolean | undefined;
  /** Reads of the C-state residency MSRs. */
  readonly cstate?: boolean | undefined;
  /** Reads of IA32_APERF and IA32_MPERF. */
  readonly aperfmperf?: boolean | undefined;
}

/** The part of {@linkcode Vm} that decides what exits. At any time, unless a method says otherwise. */
export abstract class VmExitControl extends VmCapabilities {
  /**
   * Lets the guest run instructions without an exit (KVM_CAP_X86_DISABLE_EXITS): for a vCPU that has
   * a host's processor to itself. Before the first vCPU, and for good; bits add up.
   *
   * @example
   * ```ts
   * import { Cap, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * if (vm.check(Cap.X86_DISABLE_EXITS)) vm.disableExits({ hlt: true, pause: true });
   * ```
   *
   * @throws {KvmError} EOPNOTSUPP for one that the host can't leave to the guest; EINVAL after the
   * first vCPU, where older kernels leave it without effect.
   */
  disableExits(instructions: DisabledExits): void {
    this.enableCap(Cap.X86_DISABLE_EXITS, disabledExits(instructions));
  }

  /**
   * Tells pending exceptions from injected ones in `getVcpuEvents`, with their payload: CR2 of a
   * #PF, DR6 of a #DB (KVM_CAP_EXCEPTION_PAYLOAD).
   */
  exceptionPayload(enable = true): void {
    this.enableCap(Cap.EXCEPTION_PAYLOAD, enable ? 1 : 0);
  }

  /**
   * Makes hypercalls `"hypercall"` exits (KVM_CAP_EXIT_HYPERCALL); replaces the last mask.
   *
   * @param mask A bit per hypercall's number, of those that `check(Cap.EXIT_HYPERCALL)` answers: bit
   * 12 is KVM_HC_MAP_GPA_RANGE.
   */
  exitHypercall(mask: number | bigint): void {
    this.enableCap(Cap.EXIT_HYPERCALL, mask);
  }

  /**
   * Makes accesses to MSRs `"x86Rdmsr"` and `"x86Wrmsr"` exits, instead of a #GP
   * (KVM_CAP_X86_USER_SPACE_MSR); replaces the last mask. What is written to the exit's `data` the
   * guest reads; an `error` of 1 gives it the #GP after all.
   *
   * @param reasons `MsrExitReason` bits: MSRs that KVM does not know, values that it refuses, those
   * that `setMsrFilter` denies.
   */
  userSpaceMsr(reasons: number): void {
    this.enableCap(Cap.X86_USER_SPACE_MSR, reasons);
  }

  /**
   * Makes a bus lock by the guest (an atomic access across cache lines) an `"x86BusLock"` exit, so
   * that it can be slowed down (KVM_CAP_X86_BUS_LOCK_EXIT). Before the first vCPU.
   *
   * @param mode `BusLockDetection`.
   */
  busLockExit(mode: number = BusLockDetection.EXIT): void {
    this.enableCap(Cap.X86_BUS_LOCK_EXIT, mode);
  }

  /**
   * Makes it a `"notify"` exit when the guest lets no interrupt through for too long
   * (KVM_CAP_X86_NOTIFY_VMEXIT). Before the first vCPU.
   *
   * @param window Cycles of the processor, beyond the least that it needs itself.
   * @param flags `NotifyVmexit`.
   */
  notifyVmexit(window: number, flags: number = NotifyVmexit.ENABLED | NotifyVmexit.USER): void {
    const operation = "set the notify window";
    checkInteger(operation, "The window in cycles", window, 0, U32_MAX);
    checkInteger(operation, "The flags", flags, 0, U32_MAX);
    this.enableCap(Cap.X86_NOTIFY_VMEXIT, BigInt(window) << 32n | BigInt(flags));
  }

  /** Puts a pending triple fault into `getVcpuEvents` (KVM_CAP_X86_TRIPLE_FAULT_EVENT). */
  tripleFaultEvent(enable = true): void {
    this.enableCap(Cap.X86_TRIPLE_FAULT_EVENT, enable ? 1 : 0);
  }

  /**
   * Makes an instruction that KVM's emulator does not know an `"internalError"` exit always, at
   * level 3 too, where it is a #UD for the guest otherwise (KVM_CAP_EXIT_ON_EMULATION_FAILURE).
   */
  exitOnEmulationFailure(enable = true): void {
    this.enableCap(Cap.EXIT_ON_EMULATION_FAILURE, enable ? 1 : 0);
  }
}

const disableable = {
  mwait: DisableExits.MWAIT,
  hlt: DisableExits.HLT,
  pause: DisableExits.PAUSE,
  cstate: DisableExits.CSTATE,
  aperfmperf: DisableExits.APERFMPERF,
} as const;

function disabledExits(instructions: DisabledExits): number {
  let mask = 0;
  checkObject("disable exits", "What says which", instructions);
  for (const [name, disabled] of Object.entries(instructions)) {
    if (!isName(disableable, name)) {
      const operation = `disable the exits of ${name}`;
      const hint = `It is one of ${Object.keys(disableable).join(", ")}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    if (disabled) mask |= disableable[name];
  }
  return mask;
}
