/**
 * The VM layer: memory, interrupts, vCPUs.
 *
 * @module
 */

import { checkInteger, Fd, show, U32_MAX } from "../../../ffi/mod.ts";
import { KVM } from "../ioctls.ts";
import type { VcpuShare } from "../thread/mod.ts";
import { Vcpu } from "../vcpu/mod.ts";
import { VmEventFds } from "./event_fds.ts";

/** How to create a VM. */
export interface CreateVmOptions {
  /** KVM_CREATE_VM's argument, `VmType`: 0 for an ordinary VM. */
  readonly type?: number | undefined;
}

/**
 * Where VT-x without "unrestricted guest" keeps what it needs to run real mode: three pages for a
 * task state segment, and one before them for an identity map, below the firmware's usual place
 * (api.rst 4.14, 4.41). Others ignore it.
 */
const IDENTITY_MAP_ADDRESS = 0xfffb_c000;
const TSS_ADDRESS = 0xfffb_d000;

/** A virtual machine: memory, interrupt controllers and vCPUs. */
export class Vm extends VmEventFds {
  readonly #vcpuMmapSize: number;
  readonly #queue = { draining: false };
  readonly #vcpus = new Map<number, Vcpu>();
  /** Descriptors of vCPUs that were closed while another thread ran them. */
  readonly #leaving: Fd[] = [];
  #shared = false;

  /** @internal VMs are made by `kvm.createVm`. */
  constructor(handle: Fd, vcpuMmapSize: number) {
    super(handle);
    this.#vcpuMmapSize = vcpuMmapSize;
    this.setIdentityMapAddress(IDENTITY_MAP_ADDRESS);
    this.setTssAddress(TSS_ADDRESS);
    Object.freeze(this);
  }

  /** The open vCPUs, in the order of their creation. */
  get vcpus(): readonly Vcpu[] {
    return [...this.#vcpus.values()];
  }

  /**
   * Creates a vCPU, in the state of a processor after reset (KVM_CREATE_VCPU).
   *
   * @param id From 0 to `kvm.maxVcpuId - 1`, each once in a VM.
   * @throws {KvmError} EEXIST for an id that is or was in use.
   */
  createVcpu(id: number): Vcpu {
    const operation = `create vCPU ${show(id)}`;
    id = checkInteger(operation, "A vCPU's id", id, 0, U32_MAX);
    const number = this.handle.call(KVM.KVM_CREATE_VCPU, id, operation);
    const handle = new Fd(number, `vCPU ${id}`);
    try {
      this.mapDirtyRing(handle);
      const vcpu = new Vcpu(handle, {
        id,
        mmapSize: this.#vcpuMmapSize,
        check: (cap) => this.check(cap),
        memory: this.memory,
        queue: this.#queue,
        onClose: () => {
          this.#vcpus.delete(id);
          if (handle.busy) this.#leaving.push(handle);
        },
      });
      this.#vcpus.set(id, vcpu);
      return vcpu;
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** Moves the page for VT-x's identity map (KVM_SET_IDENTITY_MAP_ADDR). Before the first vCPU. */
  setIdentityMapAddress(address: number): void {
    const operation = `set the identity map's address to ${show(address)}`;
    checkInteger(operation, "The address", address, 0, U32_MAX);
    const bytes = new Uint8Array(new BigUint64Array([BigInt(address)]).buffer);
    this.handle.setBytes(KVM.KVM_SET_IDENTITY_MAP_ADDR, bytes, operation);
  }

  /** Moves the three pages for VT-x's real-mode TSS (KVM_SET_TSS_ADDR). */
  setTssAddress(address: number): void {
    const operation = `set the TSS address to ${show(address)}`;
    checkInteger(operation, "The address", address, 0, U32_MAX);
    this.handle.call(KVM.KVM_SET_TSS_ADDR, address, operation);
  }

  /**
   * @internal For the thread that is to run a vCPU, which makes its own descriptors from these. They
   * stay open until disposed of, whatever is closed meanwhile: a number must not become another
   * file's on its way.
   */
  share(vcpu: Vcpu): { readonly share: VcpuShare } & Disposable {
    const own = vcpu.share(this.fd);
    using stack = new DisposableStack();
    const vcpuFd = stack.use(Fd.duplicate(own.vcpuFd, `vCPU ${own.id}`)).number;
    const vmFd = stack.use(Fd.duplicate(own.vmFd, "VM")).number;
    this.#shared = true;
    const open = stack.move();
    return { share: { ...own, vcpuFd, vmFd }, [Symbol.dispose]: () => open.dispose() };
  }

  /** Closes the vCPUs, then the VM and its memory: its views become empty. */
  override close(): void {
    if (this.closed) return;
    for (const vcpu of this.vcpus) vcpu.close();
    // Another thread may still be in KVM_RUN, or have descriptors of its own: they keep the kernel's
    // VM alive, and the guest must not go on in addresses that are somebody else's by then. The
    // kernel lets go of a slot only when no vCPU uses it any more.
    if (this.#shared || this.#leaving.some(({ busy }) => busy)) this.deleteRegions();
    super.close();
  }
}
