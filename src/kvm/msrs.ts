/**
 * Model-specific registers, read and written in batches.
 *
 * @module
 */

import {
  bytesOf,
  checkInteger,
  checkList,
  checkU64,
  create,
  Errno,
  type Fd,
  KvmError,
  U32_MAX,
} from "../../ffi/mod.ts";
import { kvmMsrList, kvmMsrs } from "../../ffi/uapi/mod.ts";
import { msrName } from "../arch/x86/mod.ts";
import { KVM } from "./ioctls.ts";

/** More than all MSRs that any processor has. */
const LONGEST_LIST = 65_536;

/** The kernel takes fewer than 256 MSRs in a call (MAX_IO_MSRS). */
const MOST = 255;

type IndexListIoctl =
  | typeof KVM.KVM_GET_MSR_INDEX_LIST
  | typeof KVM.KVM_GET_MSR_FEATURE_INDEX_LIST;

/** Calls an ioctl that fills a `struct kvm_msr_list`. */
export function readIndexList(fd: Fd, ioctl: IndexListIoctl): Uint32Array<ArrayBuffer> {
  const count = create(kvmMsrList);
  const result = fd.trySetBytes(ioctl, bytesOf(count));
  if (result < 0 && result !== -Errno.E2BIG) fd.fail(ioctl, -result, "list the MSRs");
  const list = create(kvmMsrList, count.nmsrs);
  list.nmsrs = count.nmsrs;
  fd.set(ioctl, list, "list the MSRs");
  return list.indices.slice(0, list.nmsrs);
}

/** Reads MSRs of a vCPU, or feature MSRs of the system, in the order asked for. */
export function readMsrs(fd: Fd, indices: ArrayLike<number>): bigint[] {
  const operation = "read MSRs";
  checkList(operation, "What to read", indices);
  checkInteger(operation, "The number of MSRs", indices.length, 0, LONGEST_LIST);
  const values: bigint[] = [];
  for (let from = 0; from < indices.length; from += MOST) {
    const count = Math.min(MOST, indices.length - from);
    const msrs = create(kvmMsrs, count);
    msrs.nmsrs = count;
    msrs.entries.forEach((entry, at) => {
      const index = indices[from + at]!;
      checkInteger(operation, "An MSR", index, 0, U32_MAX);
      entry.index = index;
    });
    const done = fd.set(KVM.KVM_GET_MSRS, msrs, operation);
    if (done < count) throw refused("read", indices[from + done]!);
    for (const { data } of msrs.entries) values.push(data);
  }
  return values;
}

/** Writes MSRs of a vCPU, in order. Those before one that is refused have been written. */
export function writeMsrs(fd: Fd, values: readonly (readonly [number, bigint])[]): void {
  const operation = "write MSRs";
  checkList(operation, "What to write", values);
  for (let from = 0; from < values.length; from += MOST) {
    const part = values.slice(from, from + MOST);
    const msrs = create(kvmMsrs, part.length);
    msrs.nmsrs = part.length;
    msrs.entries.forEach((entry, at) => {
      checkList(operation, "An MSR and its value", part[at]!);
      const [index, data] = part[at]!;
      checkInteger(operation, "An MSR", index, 0, U32_MAX);
      checkU64(operation, `The value of ${called(index)}`, data);
      Object.assign(entry, { index, data });
    });
    const done = fd.set(KVM.KVM_SET_MSRS, msrs, operation);
    if (done < part.length) throw refused("write", part[done]![0]);
  }
}

function refused(verb: string, index: number): KvmError {
  return new KvmError({
    operation: `${verb} MSR ${called(index)}`,
    errno: Errno.EINVAL,
    hint: "The vCPU has no such MSR, or not this value: see kvm.getMsrIndexList() and its CPUID",
  });
}

/** "EFER (0xc0000080)", or the number alone. */
function called(index: number): string {
  const number = `0x${index.toString(16)}`;
  const name = msrName(index);
  return name === number ? number : `${name} (${number})`;
}
