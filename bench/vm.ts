/**
 * The guests of the benchmarks, and a machine for one: a VM with a vCPU in real mode, made by the
 * same system calls as the C program's.
 *
 * @module
 */

import type { Kvm, Vcpu } from "../src/kvm/mod.ts";

const ENTRY = 0x1000;

/** 16-bit code, as short as a guest can be. */
export const code = {
  /** `again: inc ax; out 0xe0, ax; jmp again` */
  out: Uint8Array.of(0xff, 0xc0, 0xe7, 0xe0, 0xeb, 0xfa),
  /** `again: in ax, 0xe0; jmp again` */
  in: Uint8Array.of(0xe5, 0xe0, 0xeb, 0xfc),
  /** `mov bx, 0xffff; mov ds, bx; again: mov [0x10], ax; jmp again`: at 1 MiB, behind memory. */
  mmioWrite: Uint8Array.of(0xbb, 0xff, 0xff, 0x8e, 0xdb, 0xa3, 0x10, 0x00, 0xeb, 0xfb),
  /** `mov bx, 0xffff; mov ds, bx; again: mov ax, [0x10]; jmp again` */
  mmioRead: Uint8Array.of(0xbb, 0xff, 0xff, 0x8e, 0xdb, 0xa1, 0x10, 0x00, 0xeb, 0xfb),
  /** `hlt` */
  hlt: Uint8Array.of(0xf4),
};

/** Creates a machine; closing the stack closes it. */
export function createMachine(kvm: Kvm, guest: Uint8Array, stack: DisposableStack): Vcpu {
  const vm = stack.use(kvm.createVm());
  const memory = vm.addMemory({ size: 1 << 20 });
  memory.writeBytes(ENTRY, guest);
  const vcpu = stack.use(vm.createVcpu(0));
  vcpu.setSregs({ cs: { base: 0n, selector: 0 } });
  vcpu.setRegs({ rip: BigInt(ENTRY), rflags: 2n });
  return vcpu;
}
