import { assert, assertEquals } from "@std/assert";
import { Cap, SyncRegs } from "../../../ffi/uapi/mod.ts";
import { CR0, MSR, Vector } from "../../../src/arch/x86/mod.ts";
import { readException } from "../../../src/boot/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

/** At 0x1000: inc eax; out 0x80, al; and again. */
const count = [0xff, 0xc0, 0xe6, 0x80, 0xeb, 0xfa];

Deno.test(needs("enabled registers are on the page after each exit", "SYNC_REGS"), () => {
  using machine = startLong(count, { registers: { rax: 10n } });
  const { vcpu } = machine;
  const { syncRegs } = vcpu;
  assertEquals(syncRegs.supported, BigInt(machine.vm.check(Cap.SYNC_REGS)));
  assertEquals(syncRegs.enabled, 0n);
  syncRegs.enable(SyncRegs.REGS | SyncRegs.SREGS);
  assertEquals(syncRegs.enabled, 3n);
  const { regs, sregs } = syncRegs;
  for (let rax = 11n; rax < 14n; rax++) {
    runUntil(vcpu, "io");
    assertEquals(regs.rax, rax);
    assertEquals(regs, vcpu.getRegs());
  }
  assertEquals(sregs, vcpu.getSregs());
});

Deno.test(needs("what is written and marked is what the guest goes on with", "SYNC_REGS"), () => {
  using machine = startLong(count);
  const { vcpu } = machine;
  const { syncRegs } = vcpu;
  syncRegs.enable(SyncRegs.REGS);
  runUntil(vcpu, "io");
  syncRegs.regs.rax = 41n;
  syncRegs.markDirty(SyncRegs.REGS);
  assertEquals(runUntil(vcpu, "io").value, 42);
  // The mark is gone with the run: what is written now has no effect.
  syncRegs.regs.rax = 99n;
  assertEquals(runUntil(vcpu, "io").value, 43);
  assertEquals(syncRegs.regs.rax, 43n);
});

Deno.test(needs("special registers and events go the same way", "SYNC_REGS"), () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  const boot = longMode(vcpu, memory, { code: Uint8Array.from(count), idt: true });
  const { syncRegs } = vcpu;
  syncRegs.enable(SyncRegs.SREGS | SyncRegs.EVENTS);
  runUntil(vcpu, "io");
  assert((syncRegs.sregs.cr0 & CR0.PG) !== 0n);
  syncRegs.sregs.cr2 = 0x7654_3000n;
  Object.assign(syncRegs.events.exception, {
    injected: 1,
    nr: Vector.PF,
    hasErrorCode: 1,
    errorCode: 4,
  });
  syncRegs.markDirty(SyncRegs.SREGS);
  syncRegs.markDirty(SyncRegs.EVENTS);
  runUntil(vcpu, "hlt");
  const exception = readException(memory, boot);
  assertEquals([exception?.name, exception?.errorCode, exception?.cr2], ["#PF", 4, 0x7654_3000n]);
});

Deno.test(needs("disabled registers stay on the page as they were", "SYNC_REGS"), () => {
  using machine = startLong(count);
  const { vcpu } = machine;
  const { syncRegs } = vcpu;
  syncRegs.enable(SyncRegs.REGS);
  runUntil(vcpu, "io");
  syncRegs.enable(0n);
  runUntil(vcpu, "io");
  assertEquals([syncRegs.regs.rax, vcpu.getRegs().rax], [1n, 2n]);
});

Deno.test("registers that no page carries are refused", () => {
  using machine = bare();
  const { syncRegs } = machine.vcpu;
  for (const registers of [8n, -1n, 1 as unknown as bigint]) {
    assertCode("EINVAL", () => syncRegs.enable(registers));
    assertCode("EINVAL", () => syncRegs.markDirty(registers));
  }
  const lacking = ~syncRegs.supported & SyncRegs.VALID_FIELDS;
  if (lacking !== 0n) assertCode("EOPNOTSUPP", () => syncRegs.enable(lacking));
});

Deno.test("after the vCPU is closed its registers on the page are an error and no crash", () => {
  using machine = bare();
  const { vcpu } = machine;
  const { syncRegs } = vcpu;
  const { regs } = syncRegs;
  vcpu.close();
  for (const read of [() => syncRegs.regs, () => syncRegs.sregs, () => syncRegs.enabled]) {
    assertCode("EBADF", read);
  }
  assertCode("EBADF", () => regs.rax = 1n);
});

Deno.test("the run page tells task priority and APIC base, and takes the priority", () => {
  using machine = startLong([
    ...[0xe6, 0x80], // out 0x80, al
    ...[0x44, 0x0f, 0x20, 0xc0], // mov rax, cr8
    ...[0xe6, 0x80], // out 0x80, al
    ...[0xb8, 0x07, 0x00, 0x00, 0x00], // mov eax, 7
    ...[0x44, 0x0f, 0x22, 0xc0], // mov cr8, rax
    ...[0xe6, 0x80], // out 0x80, al
  ]);
  const { vcpu } = machine;
  runUntil(vcpu, "io");
  assertEquals([vcpu.cr8, vcpu.apicBase], [0n, vcpu.getMsr(MSR.APIC_BASE)]);
  vcpu.cr8 = 5n;
  runUntil(vcpu, "io");
  assertEquals(vcpu.getRegs().rax, 5n);
  const exit = vcpu.run();
  // Where the task priority is the host's affair, its lowering by the guest is an exit.
  if (exit.reason === "setTpr") runUntil(vcpu, "io");
  assertEquals(vcpu.cr8, 7n);
  assertEquals(vcpu.flags, 0);
  for (const value of [16n, -1n, 3 as unknown as bigint]) {
    assertCode("EINVAL", () => vcpu.cr8 = value);
  }
});
