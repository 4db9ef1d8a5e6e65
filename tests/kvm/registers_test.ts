import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { kvmRegs, MpState } from "../../ffi/uapi/mod.ts";
import { bytesOf, plain } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { CR0, CR4 } from "../../src/arch/x86/mod.ts";
import type { Regs, Sregs } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare, CELLS, runUntil, startLong, startReal } from "../support/machine.ts";
import { needs } from "../support/needs.ts";

const names = Object.keys(kvmRegs) as (keyof Regs)[];

Deno.test('a new vCPU is in the state after reset (SDM volume 3, "Processor State After Reset")', () => {
  using machine = bare();
  const regs = machine.vcpu.getRegs();
  const { cs, cr0, efer, idt } = machine.vcpu.getSregs();
  assertEquals([regs.rip, regs.rflags], [0xfff0n, 2n]);
  assertEquals([cs.selector, cs.base, cs.limit], [0xf000, 0xffff_0000n, 0xffff]);
  assertEquals([cr0 & (CR0.PE | CR0.PG), efer, idt.limit], [0n, 0n, 0xffff]);
});

Deno.test("general registers come back as they were set, all 64 bits of each", () => {
  using machine = bare();
  const { vcpu } = machine;
  const values = names.map((
    name,
    n,
  ): [keyof Regs, bigint] => [name, 0xf1e2_d3c4_b5a6_9700n + BigInt(n)]);
  const regs = { ...Object.fromEntries(values), rflags: 0x246n } as Regs;
  vcpu.setRegs(regs);
  assertEquals(plain(vcpu.getRegs()), { ...regs });
});

Deno.test("registers that are not given keep their values", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setRegs({ rax: 1n, rbx: 2n, r15: 3n });
  vcpu.setRegs({ rbx: 5n, rcx: undefined });
  const { rax, rbx, rcx, r15, rip } = vcpu.getRegs();
  assertEquals([rax, rbx, rcx, r15, rip], [1n, 5n, 0n, 3n, 0xfff0n]);
  vcpu.setRegs({});
  assertEquals(vcpu.getRegs().rbx, 5n);
});

Deno.test("a view that is given is filled, and a view of one vCPU can be set on another", () => {
  using one = bare();
  using other = bare();
  one.vcpu.setRegs({ rax: 7n });
  const view = one.vcpu.getRegs();
  assertStrictEquals(other.vcpu.getRegs(view), view);
  assertEquals(view.rax, 0n);
  other.vcpu.setRegs(one.vcpu.getRegs(view));
  assertEquals(other.vcpu.getRegs().rax, 7n);
  view.rax = 8n;
  one.vcpu.setRegs(view);
  assertEquals([one.vcpu.getRegs().rax, other.vcpu.getRegs().rax], [8n, 7n]);
});

Deno.test("registers can be read into guest memory and set from there", () => {
  using machine = startLong(guests.halt);
  const { vcpu, memory } = machine;
  const view = memory.struct(kvmRegs, 0x3000);
  vcpu.setRegs({ r12: 0x1122n });
  vcpu.getRegs(view);
  assertEquals(memory.readU64(0x3000 + 12 * 8), 0x1122n);
  memory.writeU64(0x3000 + 13 * 8, 0x3344n);
  vcpu.setRegs(view);
  assertEquals(vcpu.getRegs().r13, 0x3344n);
});

Deno.test("what is no register, or no bigint, is refused and sets nothing", () => {
  using machine = bare();
  const { vcpu } = machine;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [
    { rax: 5 },
    { eax: 5n },
    { rbx: 9n, rax: null },
    null,
    vcpu.getSregs(),
  ];
  for (const value of wrong) assertCode("EINVAL", () => vcpu.setRegs(value));
  assertCode("EINVAL", () => vcpu.setSregs({ cr5: 0n } as unknown as Sregs));
  assertCode("EINVAL", () => vcpu.setSregs(vcpu.getRegs() as unknown as Sregs));
  assertEquals([vcpu.getRegs().rax, vcpu.getRegs().rbx], [0n, 0n]);
});

Deno.test("special registers come back as they were set, hidden parts of segments included", () => {
  using machine = bare();
  const { vcpu } = machine;
  const fs = { ...plain(vcpu.getSregs().fs), base: 0x1234_5000n, limit: 0xfff, selector: 0x18 };
  vcpu.setSregs({ fs, cr2: 0xdead_beefn, gdt: { base: 0x4000n, limit: 0x7f } });
  const sregs = vcpu.getSregs();
  assertEquals([sregs.fs.base, sregs.fs.limit, sregs.fs.selector], [0x1234_5000n, 0xfff, 0x18]);
  assertEquals([sregs.cr2, sregs.gdt.base, sregs.gdt.limit], [0xdead_beefn, 0x4000n, 0x7f]);
});

Deno.test("special registers that are not given keep their values, within a segment as well", () => {
  using machine = bare();
  const { vcpu } = machine;
  const before = plain(vcpu.getSregs());
  vcpu.setSregs({ gs: { base: 0x5000n } });
  const after = plain(vcpu.getSregs());
  assertEquals(after, { ...before, gs: { ...before.gs, base: 0x5000n } });
  vcpu.setSregs(vcpu.getSregs());
  assertEquals(plain(vcpu.getSregs()), after);
});

Deno.test("a combination that no processor allows is EINVAL, and changes nothing", () => {
  using machine = startLong(guests.halt);
  const { vcpu } = machine;
  const before = bytesOf(vcpu.getSregs()).slice();
  const { cr0, cr4 } = vcpu.getSregs();
  for (
    const wrong of [
      { cr4: cr4 & ~CR4.PAE }, // long mode without PAE
      { cr0: cr0 & ~CR0.PE }, // paging without protection
      { cr4: cr4 | 1n << 40n },
    ]
  ) {
    assertCode("EINVAL", () => vcpu.setSregs(wrong), Deno.inspect(wrong));
    assertEquals(bytesOf(vcpu.getSregs()), before);
  }
  runUntil(vcpu, "hlt");
});

Deno.test("the guest has the segments that were set", () => {
  // mov ax, [gs:0]; mov [CELLS], ax; hlt
  using machine = startReal([0x65, 0xa1, 0x00, 0x00, 0xa3, 0x00, 0x20, 0xf4]);
  machine.memory.writeU16(0x8_1230, 0xbeef);
  machine.vcpu.setSregs({ gs: { base: 0x8_1230n, selector: 0x8123 } });
  runUntil(machine.vcpu, "hlt");
  assertEquals(machine.memory.readU16(CELLS), 0xbeef);
});

Deno.test("floating-point registers come back as they were set, and the rest is kept", () => {
  using machine = bare();
  const { vcpu } = machine;
  const before = plain(vcpu.getFpu());
  assertEquals(before.fcw, 0x37f);
  vcpu.setFpu({ fcw: 0x27f });
  assertEquals(plain(vcpu.getFpu()), { ...before, fcw: 0x27f });
  const fpu = vcpu.getFpu();
  assert(fpu.xmm !== undefined);
  bytesOf(fpu).set([1, 2, 3, 4], bytesOf(fpu).length - 32);
  vcpu.setFpu(fpu);
  assertEquals(plain(vcpu.getFpu()), plain(fpu));
  assertEquals(vcpu.getFpu(fpu) === fpu, true);
});

Deno.test("registers seen after an exit are the guest's, and can be changed before it goes on", () => {
  using machine = startLong(guests.ports);
  const { vcpu, memory } = machine;
  const value = () => {
    const exit = runUntil(vcpu, "io");
    return exit.value;
  };
  assertEquals([value(), value()], [1, 2]);
  assertEquals(vcpu.getRegs().rax, 2n);
  vcpu.setRegs({ rax: 99n });
  assertEquals(value(), 100);
  assertEquals(memory.readU32(CELLS), 0);
});

Deno.test(needs("a vCPU's state of running can be read and set", "IRQCHIP", "MP_STATE"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm, vcpu } = machine;
  using second = vm.createVcpu(1);
  assertEquals([vcpu.getMpState(), second.getMpState()], [MpState.RUNNABLE, MpState.UNINITIALIZED]);
  second.setMpState(MpState.RUNNABLE);
  assertEquals(second.getMpState(), MpState.RUNNABLE);
  vcpu.setMpState(MpState.HALTED);
  assertEquals(vcpu.getMpState(), MpState.HALTED);
});

Deno.test("without an irqchip a vCPU is always runnable, and anything else is EINVAL", () => {
  using machine = bare();
  const { vcpu } = machine;
  assertEquals(vcpu.getMpState(), MpState.RUNNABLE);
  vcpu.setMpState(MpState.RUNNABLE);
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [MpState.UNINITIALIZED, MpState.HALTED, 77, -1, 2 ** 32];
  for (const state of wrong) assertCode("EINVAL", () => vcpu.setMpState(state), String(state));
});

Deno.test("a state that is no number is EINVAL, and not taken for runnable", () => {
  using machine = bare();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [NaN, 0.5, "halted", undefined, null, {}];
  for (const state of wrong) {
    assertCode("EINVAL", () => machine.vcpu.setMpState(state), String(state));
  }
});

Deno.test("plain copies of registers set them again, as they are and after a clone", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setRegs({ rbx: 7n, rip: 0x1234n });
  const [regs, sregs, fpu] = [plain(vcpu.getRegs()), plain(vcpu.getSregs()), plain(vcpu.getFpu())];
  const change = () => {
    vcpu.setRegs({ rbx: 0x1234n, rip: 0n });
    vcpu.setSregs({ cs: { selector: 8, base: 0x80n } });
    vcpu.setFpu({ xmm: [1] });
  };
  for (const copy of [<T>(value: T) => value, structuredClone]) {
    change();
    vcpu.setRegs({ ...copy(regs), rcx: 9n });
    vcpu.setSregs(copy(sregs));
    vcpu.setFpu(copy(fpu));
    assertEquals(plain(vcpu.getRegs()), { ...regs, rcx: 9n });
    assertEquals(plain(vcpu.getSregs()), sregs);
    assertEquals(plain(vcpu.getFpu()), fpu);
  }
});

Deno.test("a copy that has none of a view's fields is refused, and says what copies them", () => {
  using machine = bare();
  const { vcpu } = machine;
  const regs = vcpu.getRegs();
  const sregs = vcpu.getSregs();
  const copies: (() => void)[] = [
    () => vcpu.setRegs({ ...regs }),
    () => vcpu.setRegs({ ...regs, rax: 5n }),
    () => vcpu.setRegs(Object.assign({}, regs)),
    () => vcpu.setSregs({ ...sregs }),
    () => vcpu.setSregs({ cs: { ...sregs.cs } }),
  ];
  for (const [index, copy] of copies.entries()) {
    const error = assertCode("EINVAL", copy, `no. ${index}`);
    assertStringIncludes(error.hint!, "plain(view)");
  }
  assertEquals(vcpu.getRegs(), regs);
});

Deno.test("two reads of the same registers compare equal, and different ones do not", () => {
  using machine = bare();
  const { vcpu } = machine;
  assertEquals(vcpu.getSregs(), vcpu.getSregs());
  const before = vcpu.getRegs();
  vcpu.setRegs({ rax: 1n });
  assertNotEquals(vcpu.getRegs(), before);
});
