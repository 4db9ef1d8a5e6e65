/**
 * What a VM offers to guests of Xen and Hyper-V, and to encrypted ones.
 *
 * @module
 */

import {
  bytesOf,
  checkInstance,
  checkInteger,
  checkNames,
  Errno,
  from,
  isView,
  KvmError,
  PAGE_SIZE,
  show,
  type StructInit,
  type StructOf,
  U32_MAX,
  withPointer,
} from "../../../ffi/mod.ts";
import {
  Abi,
  Cap,
  HypervEventfd,
  kvmHypervEventfd,
  kvmIrqRoutingXenEvtchn,
  kvmSevCmd,
  kvmXenHvmAttr,
  kvmXenHvmConfig,
  XenAttrType,
} from "../../../ffi/uapi/mod.ts";
import { KVM } from "../ioctls.ts";
import { sevData, type SevDataCommand } from "../sev.ts";
import { VmPolicy } from "./policy.ts";

/** An attribute of a Xen guest; `type` says which member of `u` counts. */
export type XenHvmAttr = StructOf<typeof kvmXenHvmAttr>;

/** How a Xen guest reaches its hypercall page. */
export interface XenHvmConfigOptions {
  /** `XenHvmConfig`, of those that `check(Cap.XEN_HVM)` answers. */
  readonly flags?: number | undefined;
  /** The MSR by which the guest installs the page, from `XenMsr.MIN` to `MAX`; 0 for none. */
  readonly msr?: number | undefined;
  /** The pages for a guest in 32-bit mode: up to 255, without `INTERCEPT_HCALL`. */
  readonly blob32?: Uint8Array | undefined;
  /** The pages for a guest in 64-bit mode. */
  readonly blob64?: Uint8Array | undefined;
}

const U16_MAX = 0xffff;
/** More than any command of an encrypted guest reads or writes: a list of 256 CPUID entries. */
const COMMAND_ROOM = 16 << 10;

/** The paravirtual part of {@linkcode Vm}. */
export abstract class VmParavirt extends VmPolicy {
  /** What the kernel reads when a Xen guest installs its hypercall page. */
  #xenBlobs: readonly Uint8Array<ArrayBuffer>[] = [];

  /**
   * Makes it a VM for Xen guests (KVM_XEN_HVM_CONFIG, KVM_CAP_XEN_HVM).
   *
   * @throws {KvmError} EOPNOTSUPP where the host has no Xen guests; EINVAL for blobs that are no whole
   * pages.
   */
  xenHvmConfig(options: XenHvmConfigOptions = {}): void {
    const operation = "make it a VM for Xen guests";
    const names = { flags: true, msr: true, blob32: true, blob64: true } as const;
    checkNames(operation, "What says how", options, names);
    const { flags = 0, msr = 0 } = options;
    checkInteger(operation, "The flags", flags, 0, U32_MAX);
    checkInteger(operation, "The MSR", msr, 0, U32_MAX);
    const blob32 = pages(operation, options.blob32);
    const blob64 = pages(operation, options.blob64);
    this.need(Cap.XEN_HVM, operation);
    const config = from(kvmXenHvmConfig, {
      flags,
      msr,
      blobSize32: blob32.length / PAGE_SIZE,
      blobSize64: blob64.length / PAGE_SIZE,
    });
    withPointer(config, "blobAddr32", blob32, () => {
      withPointer(config, "blobAddr64", blob64, () => {
        this.handle.set(KVM.KVM_XEN_HVM_CONFIG, config, operation);
      });
    });
    this.#xenBlobs = [blob32, blob64];
  }

  /**
   * An attribute of a Xen guest, one of `XenAttrType` (KVM_XEN_HVM_GET_ATTR).
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.XEN_HVM`; ENOENT for one that can't be read.
   */
  xenHvmGetAttr(type: number): XenHvmAttr {
    const operation = `read Xen attribute ${show(type)}`;
    checkInteger(operation, "An attribute", type, 0, U16_MAX);
    this.need(Cap.XEN_HVM, operation);
    return this.handle.get(KVM.KVM_XEN_HVM_GET_ATTR, from(kvmXenHvmAttr, { type }), operation);
  }

  /**
   * Sets an attribute of a Xen guest (KVM_XEN_HVM_SET_ATTR). The shared-info page is given by its
   * guest frame, `XenAttrType.SHARED_INFO`, and never by host address.
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.XEN_HVM`; ENOENT for an unknown one.
   */
  xenHvmSetAttr(attr: XenHvmAttr | StructInit<typeof kvmXenHvmAttr>): void {
    const all = isView(kvmXenHvmAttr, attr) ? attr : from(kvmXenHvmAttr, attr);
    const operation = `set Xen attribute ${all.type}`;
    if (all.type === XenAttrType.SHARED_INFO_HVA) {
      // The kernel would write there for as long as the VM lives, whatever has become of the memory.
      const hint = "Give the guest frame instead of a host address: XenAttrType.SHARED_INFO";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    this.need(Cap.XEN_HVM, operation);
    this.handle.set(KVM.KVM_XEN_HVM_SET_ATTR, all, operation);
  }

  /**
   * Raises a Xen guest's event channel (KVM_XEN_HVM_EVTCHN_SEND).
   *
   * @param port The channel; `vcpu` the vCPU's id.
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.XEN_HVM`.
   */
  xenHvmEvtchnSend(event: StructInit<typeof kvmIrqRoutingXenEvtchn>): void {
    const struct = from(kvmIrqRoutingXenEvtchn, event);
    const operation = `raise Xen event channel ${struct.port}`;
    this.need(Cap.XEN_HVM, operation);
    this.handle.set(KVM.KVM_XEN_HVM_EVTCHN_SEND, struct, operation);
  }

  /**
   * Has a Hyper-V guest's HvSignalEvent of a connection signal an eventfd, instead of a `"hyperv"` exit
   * (KVM_HYPERV_EVENTFD, KVM_CAP_HYPERV_EVENTFD).
   *
   * @param event The eventfd, which the kernel holds from now on; undefined ends it.
   * @throws {KvmError} EEXIST if the connection has one, ENOENT if it has none.
   */
  hypervEventfd(connId: number, event: { readonly fd: number } | undefined): void {
    const operation = `connect Hyper-V connection ${show(connId)}`;
    checkInteger(operation, "A connection id", connId, 0, Abi.HYPERV_CONN_ID_MASK);
    this.need(Cap.HYPERV_EVENTFD, operation);
    const flags = event === undefined ? HypervEventfd.DEASSIGN : 0;
    const init = from(kvmHypervEventfd, { connId, fd: event?.fd ?? -1, flags });
    this.handle.set(KVM.KVM_HYPERV_EVENTFD, init, operation);
  }

  /**
   * A command for an encrypted VM, of `SevCommand` or `TdxCommand` (KVM_MEMORY_ENCRYPT_OP).
   *
   * @param data The command's own struct, which gets the answer. Host addresses within are read and
   * written by the kernel: those of guest memory are `memory.hostAddress`'s.
   * @param options `flags` of a TDX command; `sevFd`, an open /dev/sev, for SEV commands that want it.
   * @returns The firmware's or TDX module's status: 0 for success.
   * @throws {KvmError} ENOTTY unless the VM is encrypted; EIO names the firmware's error.
   */
  memoryEncryptOp(
    id: number,
    data?: Uint8Array,
    options: { readonly flags?: number | undefined; readonly sevFd?: number | undefined } = {},
  ): number {
    const operation = `make the VM execute encryption command ${show(id)}`;
    checkNames(operation, "What goes with it", options, { flags: true, sevFd: true });
    const { flags = 0, sevFd = 0 } = options;
    checkInteger(operation, "A command", id, 0, U32_MAX);
    checkInteger(operation, "Flags", flags, 0, U32_MAX);
    checkInteger(operation, "The file descriptor", sevFd, 0, U32_MAX);
    if (data !== undefined) {
      checkInstance(operation, "The struct", data, Uint8Array);
      checkInteger(operation, "The bytes of the struct", data.length, 0, COMMAND_ROOM);
    }
    const command = from(kvmSevCmd, { id, pad0: flags, sevFd });
    const call = () => this.handle.trySetBytes(KVM.KVM_MEMORY_ENCRYPT_OP, bytesOf(command));
    let result: number;
    if (data === undefined) {
      result = call();
    } else {
      // The kernel knows how large the command's struct is; whoever calls may not.
      const room = new Uint8Array(new ArrayBuffer(COMMAND_ROOM));
      room.set(data);
      result = withPointer(command, "data", room, call);
      data.set(room.subarray(0, data.length));
    }
    if (result === -Errno.EIO) {
      const hint = `The firmware refused with error ${command.error}`;
      throw new KvmError({ operation, call: "KVM_MEMORY_ENCRYPT_OP", errno: Errno.EIO, hint });
    }
    if (result < 0) this.handle.fail(KVM.KVM_MEMORY_ENCRYPT_OP, -result, operation);
    return command.error;
  }

  /**
   * A SEV command with its struct, by field (KVM_MEMORY_ENCRYPT_OP); the struct with its answer.
   *
   * @example
   * ```ts
   * import { Cap, Kvm, SevCommand, VmType } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * if (kvm.check(Cap.VM_TYPES) & (1 << VmType.SEV)) {
   *   using vm = kvm.createVm({ type: VmType.SEV });
   *   vm.sevCommand(SevCommand.INIT2, {});
   *   const { handle } = vm.sevCommand(SevCommand.LAUNCH_START, { policy: 1 });
   *   console.log(handle);
   * }
   * ```
   *
   * @param sevFd An open /dev/sev, for the commands that want it.
   */
  sevCommand<K extends SevDataCommand>(
    id: K,
    data: StructInit<(typeof sevData)[K]>,
    sevFd = 0,
  ): StructOf<(typeof sevData)[K]> {
    if (typeof id !== "number" || !Object.hasOwn(sevData, id)) {
      const operation = `make the VM execute SEV command ${show(id)}`;
      const hint = "No struct of such a command is known: use memoryEncryptOp";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    const struct = from(sevData[id], data);
    this.memoryEncryptOp(id, bytesOf(struct), { sevFd });
    return struct;
  }
}

/** A copy of whole pages, which nobody else changes. */
function pages(operation: string, blob: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  checkInstance(operation, "A blob", blob, Uint8Array);
  const count = blob.length / PAGE_SIZE;
  checkInteger(operation, "A blob's length in pages", count, 0, 0xff);
  const copy = new Uint8Array(new ArrayBuffer(blob.length));
  copy.set(blob);
  return copy;
}
