/**
 * The kernel's statistics of a VM or a vCPU, from the file that describes itself (api.rst 4.133).
 *
 * @module
 */

import { bytesOf, create, Fd, pread, sizeOf } from "../../ffi/mod.ts";
import { kvmStatsDesc, kvmStatsHeader } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";
import { KvmObject } from "./object.ts";
import { descriptorOf, type Stat, type StatDescriptor, statOf } from "./stats_value.ts";

/**
 * The statistics of a VM or a vCPU: what they are, and what they are now. It is a file of its own,
 * which the VM's end does not close.
 *
 * @example Count the exits of a guest
 * ```ts
 * import { Cap, guests, Kvm, longMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 * if (vm.check(Cap.BINARY_STATS_FD)) {
 *   using stats = vcpu.getStatsFd();
 *   longMode(vcpu, memory, { code: guests.halt });
 *   vcpu.run();
 *   console.log(stats.read().exits?.value);
 * }
 * ```
 */
export class StatsFd extends KvmObject {
  /** Whose they are, as the kernel names it: `"kvm-1234/vcpu-0"`. */
  readonly id: string;
  /** What each is, by name. */
  readonly descriptors: ReadonlyMap<string, StatDescriptor>;
  readonly #dataOffset: number;
  readonly #values: BigUint64Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  private constructor(handle: Fd) {
    super(handle);
    const header = create(kvmStatsHeader);
    pread(handle, bytesOf(header), 0);
    const { nameSize, numDesc, idOffset, descOffset, dataOffset } = header;
    const id = new Uint8Array(nameSize);
    pread(handle, id, idOffset);
    this.id = text(id);
    const descriptors = new Map<string, StatDescriptor>();
    const stride = sizeOf(kvmStatsDesc, nameSize);
    let end = 0;
    for (let index = 0; index < numDesc; index++) {
      const desc = create(kvmStatsDesc, nameSize);
      pread(handle, bytesOf(desc), descOffset + index * stride);
      const descriptor = descriptorOf(desc, text(desc.name));
      descriptors.set(descriptor.name, descriptor);
      end = Math.max(end, descriptor.offset + descriptor.size);
    }
    this.descriptors = descriptors;
    this.#dataOffset = dataOffset;
    this.#values = new BigUint64Array(end);
    this.#bytes = new Uint8Array(this.#values.buffer);
    Object.freeze(this);
  }

  /** @internal Opens the statistics of the object behind a file descriptor. */
  static open(owner: Fd): StatsFd {
    const what = `${owner.what}'s statistics`;
    const number = owner.call(KVM.KVM_GET_STATS_FD, 0, `open the ${what}`);
    const handle = new Fd(number, what);
    try {
      return new StatsFd(handle);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** All of them as they are now, by the kernel's name. One system call. */
  read(): Readonly<Record<string, Stat>> {
    pread(this.handle, this.#bytes, this.#dataOffset);
    const stats: Record<string, Stat> = {};
    for (const [name, descriptor] of this.descriptors) {
      const { offset, size } = descriptor;
      stats[name] = statOf(descriptor, this.#values.subarray(offset, offset + size));
    }
    return stats;
  }

  /**
   * One of them as it is now, as the kernel's number without unit or scale: the cheapest way to
   * watch it. Of a histogram, the first bucket. Undefined where the kernel has none of that name.
   */
  readRaw(name: string): bigint | undefined {
    const offset = this.descriptors.get(name)?.offset;
    if (offset === undefined) return undefined;
    const at = offset * BigUint64Array.BYTES_PER_ELEMENT;
    pread(this.handle, this.#bytes.subarray(at, at + 8), this.#dataOffset + at);
    return this.#values[offset];
  }
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
