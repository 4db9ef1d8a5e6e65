import { assert, assertEquals } from "@std/assert";
import { define, encode } from "../../ffi/mod.ts";
import { KVM } from "../../src/kvm/ioctls.ts";

Deno.test("a request number holds direction, size, KVM's type and the number", () => {
  assertEquals(encode({ nr: 0x80, dir: "none", on: "vcpu" }), 0xae80);
  assertEquals(encode({ nr: 0x01, dir: "w", arg: "u32", on: "vm" }), 0x4004_ae01);
  assertEquals(encode({ nr: 0x02, dir: "r", arg: "s64", on: "vm" }), 0x8008_ae02);
  assertEquals(encode({ nr: 0x03, dir: "rw", arg: { a: "u8", b: "u32" }, on: "vm" }), 0xc008_ae03);
});

Deno.test("a number given by value and a flexible array add nothing to the size", () => {
  assertEquals(encode({ nr: 0x41, dir: "none", arg: "u32", pass: "int", on: "vm" }), 0xae41);
  assertEquals(encode({ nr: 4, dir: "w", arg: { n: "u32", all: "u64[]" }, on: "vm" }), 0x4008_ae04);
});

Deno.test("request numbers are those that strace shows", () => {
  const known = {
    KVM_GET_API_VERSION: 0xae00,
    KVM_CREATE_VM: 0xae01,
    KVM_CHECK_EXTENSION: 0xae03,
    KVM_GET_VCPU_MMAP_SIZE: 0xae04,
    KVM_GET_SUPPORTED_CPUID: 0xc008_ae05,
    KVM_CREATE_VCPU: 0xae41,
    KVM_SET_USER_MEMORY_REGION: 0x4020_ae46,
    KVM_SET_TSS_ADDR: 0xae47,
    KVM_SET_IDENTITY_MAP_ADDR: 0x4008_ae48,
    KVM_CREATE_IRQCHIP: 0xae60,
    KVM_IRQ_LINE: 0x4008_ae61,
    KVM_GET_IRQCHIP: 0xc208_ae62,
    KVM_SET_IRQCHIP: 0x8208_ae63,
    KVM_CREATE_PIT2: 0x4040_ae77,
    KVM_RUN: 0xae80,
    KVM_GET_REGS: 0x8090_ae81,
    KVM_SET_REGS: 0x4090_ae82,
    KVM_GET_SREGS: 0x8138_ae83,
    KVM_SET_SREGS: 0x4138_ae84,
    KVM_GET_MSRS: 0xc008_ae88,
    KVM_SET_MSRS: 0x4008_ae89,
    KVM_GET_FPU: 0x81a0_ae8c,
    KVM_SET_FPU: 0x41a0_ae8d,
    KVM_SET_CPUID2: 0x4008_ae90,
    KVM_GET_MP_STATE: 0x8004_ae98,
    KVM_SET_MP_STATE: 0x4004_ae99,
    KVM_GET_PIT2: 0x8070_ae9f,
    KVM_SET_PIT2: 0x4070_aea0,
  } as const;
  for (const [name, request] of Object.entries(known)) {
    const ioctl = KVM[name as keyof typeof known];
    assertEquals(ioctl.request.toString(16), request.toString(16), name);
    assertEquals(ioctl.name, name);
  }
});

Deno.test("a request number is an unsigned 32-bit number, the same each time", () => {
  const { KVM_GET_IRQCHIP } = define({ KVM_GET_IRQCHIP: KVM.KVM_GET_IRQCHIP.spec });
  assert(KVM_GET_IRQCHIP.request > 0x7fff_ffff);
  assertEquals(KVM_GET_IRQCHIP.request, KVM_GET_IRQCHIP.request);
});
