/**
 * CPUID leaves: what the host supports, and what a vCPU answers.
 *
 * @module
 */

import {
  assign,
  bytesOf,
  checkInstance,
  checkList,
  checkObject,
  create,
  Errno,
  type Fd,
} from "../../ffi/mod.ts";
import { Cap, kvmCpuid2 } from "../../ffi/uapi/mod.ts";
import type { Topology } from "../arch/x86/mod.ts";
import { describeBaseline } from "./cpuid/baseline.ts";
import { differences } from "./cpuid/diff.ts";
import { CpuidFeatures } from "./cpuid/features.ts";
import { CpuidIdentity } from "./cpuid/identity.ts";
import { type CpuidEntry, CpuidLeaves, MOST_LEAVES } from "./cpuid/leaves.ts";
import { applyModel } from "./cpuid/model.ts";
import { adapt, type CpuidOptions } from "./cpuid/options.ts";
import { setTopology } from "./cpuid/topology.ts";
import { KVM } from "./ioctls.ts";

export { type CpuidEntry, CpuidFeatures, CpuidIdentity, CpuidLeaves, type CpuidOptions };

/** Who knows what a host's CPUID can be: `Kvm`. */
export interface CpuidSource {
  /** The leaves that the host and KVM support. */
  getSupportedCpuid(): Cpuid;
  /** The leaves of what KVM emulates beyond that. */
  getEmulatedCpuid(): Cpuid;
  /** What the host says to a capability. */
  check(cap: Cap): number;
}

/**
 * A list of CPUID leaves to look at and to change, then to give to vCPUs.
 *
 * @example
 * ```ts
 * import { Cpuid, Kvm } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu(0);
 *
 * const cpuid = Cpuid.host(kvm, { id: vcpu.id }).disable("x2apic").enable("hypervisor");
 * vcpu.setCpuid(cpuid);
 * console.log(cpuid.vendor, cpuid.has("sse2"), cpuid.diff(vcpu.getCpuid()));
 * ```
 */
export class Cpuid extends CpuidFeatures {
  /**
   * What a vCPU can have here: the leaves that KVM supports, with this vCPU's APIC id and place
   * (KVM_GET_SUPPORTED_CPUID). A VM without in-kernel APICs says so: `irqchip: false`.
   *
   * @throws {KvmError} EINVAL for an id that the topology does not have.
   */
  static host(kvm: CpuidSource, options: CpuidOptions = {}): Cpuid {
    // KVM lists the hypervisor's leaves, but not always the flag that tells guests to look there.
    return adapt(kvm.getSupportedCpuid().enable("hypervisor"), options);
  }

  /**
   * A processor that is the same on every host: what 64-bit code may take for granted (x86-64-v1),
   * and KVM's leaf without features. It says that it is Intel's, with 36 bits of physical addresses;
   * `vendor` and leaf 0x80000008 can be set.
   *
   * @throws {KvmError} EINVAL for an id that the topology does not have.
   */
  static baseline(options: CpuidOptions = {}): Cpuid {
    return adapt(describeBaseline(new Cpuid()), options);
  }

  /**
   * The processor that a CPU model describes: `"host,-avx512f,+x2apic"`; see `parseCpuModel`.
   * Features that need one that was turned off go with it. `+tsc-deadline` is there on older kernels,
   * too, whose `host` has it not: where KVM can't scale the TSC and has misjudged its rate, as an
   * emulated KVM does now and then, guests that use it stand still for half a minute.
   *
   * @example
   * ```ts
   * import { Cpuid, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * const cpuid = Cpuid.fromModel(kvm, "baseline,-pge,stepping=3");
   * console.log(cpuid.has("pge"), cpuid.signature.stepping); // false, 3
   * ```
   *
   * @throws {KvmError} EINVAL for a model that is not understood, ENOENT for an unknown feature,
   * EOPNOTSUPP for one to turn on that KVM does not support here.
   */
  static fromModel(kvm: CpuidSource, model: string, options: CpuidOptions = {}): Cpuid {
    const start = (base: "host" | "baseline") =>
      base === "host" ? Cpuid.host(kvm, options) : Cpuid.baseline(options);
    const supported = kvm.getSupportedCpuid();
    // Older kernels leave it to who knows whether there will be in-kernel APICs (api.rst 4.46).
    if (kvm.check(Cap.TSC_DEADLINE_TIMER) > 0) supported.enable("tsc_deadline_timer");
    return applyModel(model, start, [supported, kvm.getEmulatedCpuid()], options);
  }

  /** A copy, to change without changing this one. */
  clone(): Cpuid {
    return new Cpuid(this.entries);
  }

  /**
   * Makes the leaves say that this is the processor with APIC id `id` in a machine of this topology.
   * A vCPU's APIC id is the id it was created with: `apicIdOf` computes them.
   *
   * @throws {KvmError} EINVAL for an id that the topology does not have.
   */
  setTopology(id: number, topology: Topology = {}): this {
    checkObject("place a processor", "The topology", topology);
    setTopology(this, id, topology);
    return this;
  }

  /**
   * What differs from here to another list, a line each: `"-x2apic"`, `"+avx"`, and for what is no
   * named feature `"0x1 ebx: 0x00000800 -> 0x01000800"`. Empty if they answer alike.
   */
  diff(other: Cpuid): string[] {
    checkInstance("compare CPUID leaves", "What to compare with", other, CpuidFeatures);
    return differences(this, other);
  }
}

/** One entry of the kernel's list as a plain object. */
function entryOf(entry: CpuidEntry): CpuidEntry {
  const { function: leaf, index, flags, eax, ebx, ecx, edx } = entry;
  return { function: leaf, index, flags, eax, ebx, ecx, edx };
}

function isFilled(entry: CpuidEntry): boolean {
  return Object.values(entry).some((value) => value !== 0);
}

/** How many leaves to make room for at first; the kernel says when that is too few. */
const ROOM = 128;

type CpuidIoctl =
  | typeof KVM.KVM_GET_SUPPORTED_CPUID
  | typeof KVM.KVM_GET_EMULATED_CPUID
  | typeof KVM.KVM_GET_SUPPORTED_HV_CPUID
  | typeof KVM.KVM_GET_CPUID2;

/** Calls an ioctl that fills a `struct kvm_cpuid2`, with as much room as it wants. */
export function readCpuid(fd: Fd, ioctl: CpuidIoctl): Cpuid {
  for (let room = ROOM;; room *= 2) {
    const list = create(kvmCpuid2, room);
    list.nent = room;
    const result = fd.trySetBytes(ioctl, bytesOf(list));
    if (result >= 0) {
      const entries = list.entries.slice(0, list.nent).map(entryOf);
      // Before Linux 6.4 KVM_GET_CPUID2 leaves nent alone; what it has not filled is zero.
      return new Cpuid(entries.slice(0, 1 + entries.findLastIndex(isFilled)));
    }
    if (result !== -Errno.E2BIG || room >= MOST_LEAVES) {
      fd.fail(ioctl, -result, "read CPUID leaves");
    }
  }
}

/** Gives a vCPU its leaves. */
export function writeCpuid(fd: Fd, cpuid: Cpuid): void {
  checkObject("set CPUID leaves", "What to set", cpuid);
  const { entries } = cpuid;
  checkList("set CPUID leaves", "entries", entries, MOST_LEAVES);
  const operation = `set ${entries.length} CPUID leaves of ${fd.what}`;
  const list = create(kvmCpuid2, entries.length);
  list.nent = entries.length;
  list.entries.forEach((place, index) => {
    const entry = entries[index]!;
    checkObject(operation, "An entry", entry);
    assign(place, entryOf(entry));
  });
  fd.set(KVM.KVM_SET_CPUID2, list, operation);
}
