import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { create } from "../../../ffi/mod.ts";
import { Cap, kvmXsave, NestedState, OneReg, Sregs2Flag } from "../../../ffi/uapi/mod.ts";
import { CR4, EFER, encodeBreakpoints, MSR, XCR0, XsaveArea } from "../../../src/arch/x86/mod.ts";
import { pagedMode } from "../../../src/boot/mod.ts";
import { type Cpuid, x86RegKvm, x86RegMsr } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, type Machine, runUntil, startLong, supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { hasLegacyPaging } from "./probes.ts";

const cpuid: Cpuid = supportedCpuid();
const { components } = new XsaveArea(
  { region: new Uint32Array(1024), extra: new Uint32Array() },
  cpuid.entries,
);
const hasAvx = components.has("AVX");

/** Code at level 3, which runs natively everywhere, with AVX if there is any. */
function startVector(code: number[]): Machine {
  const machine = startLong(code, { cpl: 3 });
  const { vcpu } = machine;
  vcpu.setCpuid(cpuid);
  if (hasAvx) {
    vcpu.setSregs({ cr4: vcpu.getSregs().cr4 | CR4.OSXSAVE });
    vcpu.setXcrs({ xcrs: [{ value: XCR0.X87 | XCR0.SSE | XCR0.AVX }] });
  }
  return machine;
}

/** 16 or 32 bytes as a register's value. */
function valueAt({ memory }: Machine, address: number, length: number): bigint {
  return BigInt(`0x${memory.readBytes(address, length).reverse().toHex()}`);
}

const XMM = 0x0123_4567_89ab_cdef_0011_2233_4455_6677n;
const YMM = XMM << 128n | 0xfedc_ba98_7654_3210_8899_aabb_ccdd_eeffn;

Deno.test("an XMM register that was set is what a guest stores, and what it loads is read back", () => {
  using machine = startVector([
    ...[0x0f, 0x11, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00], // movups [0x3000], xmm0
    ...[0x0f, 0x10, 0x1c, 0x25, 0x20, 0x30, 0x00, 0x00], // movups xmm3, [0x3020]
    0xf4, // hlt
  ]);
  const { vcpu, memory } = machine;
  const xsave = vcpu.getXsave();
  new XsaveArea(xsave, cpuid.entries).write("xmm0", XMM);
  vcpu.setXsave(xsave);
  memory.writeBytes(0x3020, Uint8Array.from({ length: 16 }, (_, at) => at + 1));
  runUntil(vcpu, "hlt");
  assertEquals(valueAt(machine, 0x3000, 16), XMM);
  const after = new XsaveArea(vcpu.getXsave(xsave), cpuid.entries);
  assertEquals(after.read("xmm3"), 0x100f_0e0d_0c0b_0a09_0807_0605_0403_0201n);
  assertEquals(after.read("xmm0"), XMM);
});

Deno.test(needing("AVX", hasAvx, "a YMM register crosses over in both directions"), () => {
  using machine = startVector([
    ...[0xc5, 0xfc, 0x11, 0x0c, 0x25, 0x00, 0x30, 0x00, 0x00], // vmovups [0x3000], ymm1
    ...[0xc5, 0xfc, 0x10, 0x14, 0x25, 0x20, 0x30, 0x00, 0x00], // vmovups ymm2, [0x3020]
    0xf4, // hlt
  ]);
  const { vcpu, memory } = machine;
  const xsave = vcpu.getXsave();
  new XsaveArea(xsave, cpuid.entries).write("ymm1", YMM);
  vcpu.setXsave(xsave);
  memory.fill(0x3020, 32, 0x5a);
  runUntil(vcpu, "hlt");
  assertEquals(valueAt(machine, 0x3000, 32), YMM);
  const after = new XsaveArea(vcpu.getXsave(), cpuid.entries);
  assertEquals(after.read("ymm2"), BigInt("0x" + "5a".repeat(32)));
  assert((after.xstateBv & XCR0.AVX) !== 0n);
});

Deno.test("an x87 register that was set is what a guest pops", () => {
  using machine = startVector([
    ...[0xdb, 0x3c, 0x25, 0x00, 0x30, 0x00, 0x00], // fstp tword [0x3000]
    ...[0xdb, 0x2c, 0x25, 0x10, 0x30, 0x00, 0x00], // fld tword [0x3010]
    0xf4, // hlt
  ]);
  const { vcpu, memory } = machine;
  const pi = 0x4000_c90f_daa2_2168_c235n;
  const xsave = vcpu.getXsave();
  const area = new XsaveArea(xsave, cpuid.entries);
  area.write("ftw", 1n);
  area.write("st0", pi);
  vcpu.setXsave(xsave);
  memory.writeU64(0x3010, 0x8000_0000_0000_0000n);
  memory.writeU16(0x3018, 0x3fff); // 1.0
  runUntil(vcpu, "hlt");
  assertEquals(valueAt(machine, 0x3000, 10), pi);
  assertEquals(
    new XsaveArea(vcpu.getXsave(), cpuid.entries).read("st0"),
    0x3fff_8000_0000_0000_0000n,
  );
});

Deno.test("what setFpu sets before the first run is what a guest stores and getXsave shows", () => {
  // The kernel's call alone leaves XSTATE_BV as it is, and the registers would begin as zeroes.
  using machine = startVector([
    ...[0x0f, 0x11, 0x3c, 0x25, 0x00, 0x30, 0x00, 0x00], // movups [0x3000], xmm7
    ...[0xd9, 0x3c, 0x25, 0x10, 0x30, 0x00, 0x00], // fnstcw [0x3010]
    ...[0x0f, 0x57, 0xff], // xorps xmm7, xmm7
    0xf4, // hlt
  ]);
  const { vcpu, memory } = machine;
  const seven = BigInt("0x" + "07".repeat(16));
  vcpu.setFpu({ xmm: new Uint8Array(256).fill(7), fcw: 0x27f, mxcsr: 0x1fa0 });
  const area = new XsaveArea(vcpu.getXsave(), cpuid.entries);
  assertEquals([area.read("xmm15"), area.read("mxcsr"), area.read("fcw")], [
    seven,
    0x1fa0n,
    0x27fn,
  ]);
  runUntil(vcpu, "hlt");
  assertEquals(valueAt(machine, 0x3000, 16), seven);
  assertEquals(memory.readU16(0x3010), 0x27f);
  assertEquals([...vcpu.getFpu().xmm.subarray(112, 144)], [
    ...Array(16).fill(0),
    ...Array(16).fill(7),
  ]);
});

Deno.test("an XSAVE area is as large as KVM says, and a smaller one is refused", () => {
  using machine = bare();
  const { vcpu, vm } = machine;
  const xsave = vcpu.getXsave();
  const size = Math.max(4096, vm.check(Cap.XSAVE2));
  assertEquals(xsave.region.byteLength + xsave.extra.byteLength, size);
  const plain = { region: xsave.region, extra: xsave.extra };
  assertCode("EINVAL", () => vcpu.setXsave(plain), "a plain object");
  assertCode("EINVAL", () => vcpu.getXsave(plain));
  if (size > 4096) {
    assertCode("EINVAL", () => vcpu.setXsave(create(kvmXsave)), "the first 4096 bytes alone");
    assertCode("EINVAL", () => vcpu.getXsave(create(kvmXsave)));
  }
  const area = new XsaveArea(xsave, cpuid.entries);
  area.write("xmm0", 0n);
  area.write("mxcsr", 0xffff_ffffn);
  assertCode("EINVAL", () => vcpu.setXsave(xsave), "reserved bits of MXCSR");
});

/** What a guest reads with XGETBV after XCR0 was set. */
function seenXcr0(value: bigint): number {
  using machine = startVector([
    ...[0x31, 0xc9], // xor ecx, ecx
    ...[0x0f, 0x01, 0xd0], // xgetbv
    ...[0x89, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00], // mov [0x3000], eax
    0xf4, // hlt
  ]);
  machine.vcpu.setXcrs({ xcrs: [{ value }] });
  runUntil(machine.vcpu, "hlt");
  return machine.memory.readU32(0x3000);
}

/** kvm_pvm leaves the host's own in place for level 3, and interprets no XGETBV at level 0. */
const hasOwnXcr0 = hasAvx && seenXcr0(XCR0.X87) === Number(XCR0.X87);

Deno.test(
  needing("AVX, and an XCR0 of the guest's own", hasOwnXcr0, "XCR0 is what a guest reads"),
  () => {
    assertEquals(seenXcr0(XCR0.X87 | XCR0.SSE), 3);
    assertEquals(seenXcr0(XCR0.X87 | XCR0.SSE | XCR0.AVX), 7);
  },
);

Deno.test(needing("AVX", hasAvx, "XCR0 is read back as it was set, and keeps x87"), () => {
  using machine = startVector([0xf4]);
  const { vcpu } = machine;
  vcpu.setXcrs({ xcrs: [{ value: XCR0.X87 | XCR0.SSE }] });
  const xcrs = vcpu.getXcrs();
  assertEquals([xcrs.nrXcrs, xcrs.xcrs[0]!.xcr, xcrs.xcrs[0]!.value], [1, 0, 3n]);
  assertCode("EINVAL", () => vcpu.setXcrs({ xcrs: [{ value: XCR0.SSE }] }), "without x87");
  assertCode("EINVAL", () => vcpu.setXcrs({ xcrs: [{ value: XCR0.X87 | XCR0.AVX }] }));
});

Deno.test("debug registers that were set are what a guest reads, and the other way round", () => {
  using machine = startLong([
    ...[0x0f, 0x21, 0xc0], // mov rax, dr0
    ...[0x0f, 0x21, 0xfb], // mov rbx, dr7
    ...[0xba, 0x34, 0x12, 0x00, 0x00], // mov edx, 0x1234
    ...[0x0f, 0x23, 0xca], // mov dr1, rdx
    0xf4, // hlt
  ]);
  const { vcpu } = machine;
  const { db, dr7 } = encodeBreakpoints([{ type: "write", address: 0x8000n, length: 8 }]);
  vcpu.setDebugregs({ db, dr7 });
  runUntil(vcpu, "hlt");
  const { rax, rbx } = vcpu.getRegs();
  assertEquals([rax, rbx], [0x8000n, dr7]);
  assertEquals([...vcpu.getDebugregs().db], [0x8000n, 0x1234n, 0n, 0n]);
  assertCode("EINVAL", () => vcpu.setDebugregs({ dr7: 2n ** 32n }));
  assertCode("EINVAL", () => vcpu.setDebugregs({ flags: 1n }));
});

Deno.test(needs("SREGS2 shows and sets what SREGS does", "SREGS2"), () => {
  using machine = startLong([0xf4]);
  const { vcpu } = machine;
  const sregs = vcpu.getSregs();
  const sregs2 = vcpu.getSregs2();
  assertEquals(sregs2.cs, sregs.cs);
  assertEquals(sregs2.gdt, sregs.gdt);
  assertEquals([sregs2.cr0, sregs2.cr3, sregs2.cr4], [sregs.cr0, sregs.cr3, sregs.cr4]);
  vcpu.setSregs2({ cr2: 0x1234n, fs: { base: 0x5000n } });
  assertEquals([vcpu.getSregs().cr2, vcpu.getSregs().fs.base], [0x1234n, 0x5000n]);
  assertCode("EINVAL", () => vcpu.setSregs2({ flags: 2n }), "an unknown flag");
  assertCode("EINVAL", () => vcpu.setSregs2({ flags: Sregs2Flag.PDPTRS_VALID }), "not PAE");
  runUntil(vcpu, "hlt");
});

Deno.test(
  needing(
    "KVM's SREGS2 and paging outside long mode",
    supportsSregs2() && hasLegacyPaging(),
    "SREGS2 keeps the PDPTRs that PAE paging began with",
  ),
  () => {
    using machine = bare();
    const { vcpu, memory } = machine;
    pagedMode(vcpu, memory, { code: Uint8Array.of(0xf4) });
    memory.writeU64(0x8000, 0x9001n);
    memory.writeU64(0x9000, 0x0083n); // the first 2 MiB
    vcpu.setSregs({ cr3: 0x8000n, cr4: vcpu.getSregs().cr4 | CR4.PAE });
    const { flags, pdptrs } = vcpu.getSregs2();
    assertEquals(flags, Sregs2Flag.PDPTRS_VALID);
    assertEquals([...pdptrs], [0x9001n, 0n, 0n, 0n]);
    // What is kept counts, and not what memory has become meanwhile.
    memory.writeU64(0x8000, 0n);
    vcpu.setSregs2({ flags, pdptrs: [0x9001n, 0n, 0n, 0n] });
    assertEquals([vcpu.walk(0x1000n).physAddr, vcpu.translate(0x1000n)], [0x1000, 0x1000]);
    // With nested paging AMD's processors read them anew (APM volume 2, 15.25.10).
    memory.writeU64(0x8000, 0x9001n);
    runUntil(vcpu, "hlt");
  },
);

function supportsSregs2(): boolean {
  using machine = bare();
  return machine.vm.check(Cap.SREGS2) > 0;
}

Deno.test(needs("registers are got and set one at a time by their id", "ONE_REG"), () => {
  using machine = bare();
  const { vcpu } = machine;
  const id = x86RegMsr(MSR.KERNEL_GS_BASE);
  vcpu.setOneReg(id, 0x1234_5678n);
  assertEquals(vcpu.getMsr(MSR.KERNEL_GS_BASE), 0x1234_5678n);
  vcpu.setMsr(MSR.KERNEL_GS_BASE, 0xffff_8000_0000_0000n);
  assertEquals(vcpu.getOneReg(id), 0xffff_8000_0000_0000n);
  // Which are in the list depends on the processor: those that no other call reaches.
  for (const known of vcpu.getRegList()) assertEquals(typeof vcpu.getOneReg(known), "bigint");
});

Deno.test("a register's id and its value are checked, and made from an MSR's number", () => {
  using machine = bare();
  const { vcpu } = machine;
  assertEquals(x86RegMsr(0x10), 0x2030_0002_0000_0010n);
  assertEquals(x86RegKvm(OneReg.GUEST_SSP), 0x2030_0003_0000_0000n);
  assertCode("EINVAL", () => x86RegMsr(-1));
  assertCode("EINVAL", () => vcpu.getOneReg(-1n));
  assertCode("EINVAL", () => vcpu.getOneReg(0x10 as unknown as bigint));
  assertCode("EINVAL", () => vcpu.setOneReg(x86RegMsr(0x10), 2n ** 64n));
});

Deno.test(
  needs("a nested hypervisor's state is read, and set on another vCPU", "NESTED_STATE"),
  () => {
    using machine = bare();
    using other = bare();
    for (const { vcpu } of [machine, other]) {
      vcpu.setCpuid(cpuid);
      vcpu.setSregs({ efer: EFER.SVME });
    }
    const state = machine.vcpu.getNestedState();
    assert(state.size >= 128 && state.size <= machine.vm.check(Cap.NESTED_STATE));
    assert(state.format === NestedState.FORMAT_VMX || state.format === NestedState.FORMAT_SVM);
    other.vcpu.setNestedState(state);
    assertEquals(other.vcpu.getNestedState(), state);
    state.size = 2 ** 20;
    assertCode("EINVAL", () => other.vcpu.setNestedState(state), "more than there is");
    state.size = 5;
    assertCode("EINVAL", () => other.vcpu.setNestedState(state), "less than the header");
  },
);

Deno.test("a host without nested virtualization says so", () => {
  using machine = bare();
  const { vcpu, vm } = machine;
  if (vm.check(Cap.NESTED_STATE) > 0) return assertNotEquals(vcpu.getNestedState().size, 0);
  const error = assertCode("EOPNOTSUPP", () => vcpu.getNestedState());
  assert(error.hint?.includes("NESTED_STATE"));
});
