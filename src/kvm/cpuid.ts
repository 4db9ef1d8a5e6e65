/**
 * CPUID leaves: what the host supports, and what a vCPU answers.
 *
 * @module
 */

import { bytesOf, create, Errno, type Fd } from "../../ffi/mod.ts";
import { CpuidFlag, kvmCpuid2 } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";

/** What CPUID answers for a leaf, or for a subleaf of one. */
export interface CpuidEntry {
  /** EAX when the guest calls CPUID: the leaf. */
  function: number;
  /** ECX when the guest calls CPUID: the subleaf, where `flags` says that it counts. */
  index: number;
  /** `CpuidFlag`. */
  flags: number;
  /** The answer's EAX. */
  eax: number;
  /** The answer's EBX. */
  ebx: number;
  /** The answer's ECX. */
  ecx: number;
  /** The answer's EDX. */
  edx: number;
}

/** A list of CPUID leaves, as plain objects to look at and to change. */
export class Cpuid {
  /** The leaves, in the kernel's order. */
  readonly entries: CpuidEntry[];

  /** A list of its own copies of the entries. */
  constructor(entries: Iterable<CpuidEntry> = []) {
    this.entries = Array.from(entries, (entry) => ({ ...entry }));
  }

  /** The entry for a leaf and, where it has subleaves, a subleaf; undefined if there is none. */
  find(leaf: number, subleaf = 0): CpuidEntry | undefined {
    return this.entries.find((entry) =>
      entry.function === leaf &&
      ((entry.flags & CpuidFlag.SIGNIFCANT_INDEX) === 0 || entry.index === subleaf)
    );
  }
}

/** One entry of the kernel's list as a plain object. */
function entryOf(entry: CpuidEntry): CpuidEntry {
  const { function: leaf, index, flags, eax, ebx, ecx, edx } = entry;
  return { function: leaf, index, flags, eax, ebx, ecx, edx };
}

/** How many leaves to make room for at first; the kernel says when that is too few. */
const ROOM = 128;
const MOST = 4096;

type CpuidIoctl =
  | typeof KVM.KVM_GET_SUPPORTED_CPUID
  | typeof KVM.KVM_GET_EMULATED_CPUID
  | typeof KVM.KVM_GET_CPUID2;

/** Calls an ioctl that fills a `struct kvm_cpuid2`, with as much room as it wants. */
export function readCpuid(fd: Fd, ioctl: CpuidIoctl): Cpuid {
  for (let room = ROOM;; room *= 2) {
    const list = create(kvmCpuid2, room);
    list.nent = room;
    const result = fd.trySetBytes(ioctl, bytesOf(list));
    if (result >= 0) {
      return new Cpuid(list.entries.slice(0, list.nent).map(entryOf));
    }
    if (result !== -Errno.E2BIG || room >= MOST) fd.fail(ioctl, -result, "read CPUID leaves");
  }
}

/** Gives a vCPU its leaves. */
export function writeCpuid(fd: Fd, { entries }: Cpuid): void {
  const operation = `set ${entries.length} CPUID leaves of ${fd.what}`;
  const list = create(kvmCpuid2, entries.length);
  list.nent = entries.length;
  entries.forEach((entry, index) => Object.assign(list.entries[index]!, entryOf(entry)));
  fd.set(KVM.KVM_SET_CPUID2, list, operation);
}
