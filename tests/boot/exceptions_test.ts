import { assert, assertEquals } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { PageFault, RFLAGS, Vector } from "../../src/arch/x86/mod.ts";
import { assemble, assembleFile } from "../../src/assemble/mod.ts";
import { longMode, type LongModeOptions, LongSelector, readException } from "../../src/boot/mod.ts";
import { stub } from "../../src/boot/stub_bytes.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { hasProgram, needing } from "../support/host.ts";
import { code } from "../support/instructions.ts";
import { needs } from "../support/needs.ts";
import { Machine } from "./support.ts";

const LEVELS = [0, 3] as const;

/** Starts code at 0x1000 with exceptions reported, runs it to its end and reads the report. */
function report(machine: Machine, image: Uint8Array, options: Partial<LongModeOptions> = {}) {
  const boot = longMode(machine.vcpu, machine.memory, { code: image, idt: true, ...options });
  const { reason } = machine.run();
  assertEquals(reason, "hlt");
  return { boot, exception: readException(machine.memory, boot) };
}

const divideByZero = code(
  ...[0x31, 0xc9], // xor ecx, ecx
  ...[0xf7, 0xf1], // div ecx
);

Deno.test("A guest that ends well leaves no exception", () => {
  using machine = new Machine();
  for (const cpl of LEVELS) {
    assertEquals(report(machine, guests.halt, { cpl }).exception, undefined);
    assertEquals(machine.vcpu.getRegs().rax, 42n);
  }
  const boot = longMode(machine.vcpu, machine.memory, { code: guests.halt });
  assertEquals([boot.exceptions, readException(machine.memory, boot)], [undefined, undefined]);
});

Deno.test("An exception is reported with its vector, where it happened, and at which level", () => {
  using machine = new Machine();
  for (const cpl of LEVELS) {
    const { boot, exception } = report(machine, divideByZero, { cpl });
    assertEquals([exception?.vector, exception?.name], [Vector.DE, "#DE"]);
    assertEquals([exception?.errorCode, exception?.cr2], [undefined, undefined]);
    assertEquals(exception?.rip, 0x1002n);
    assertEquals(exception?.rsp, BigInt(boot.stack));
    assertEquals(exception?.cs, cpl === 3 ? LongSelector.USER_CODE : LongSelector.CODE);
    assertEquals(exception?.ss, cpl === 3 ? LongSelector.USER_DATA : LongSelector.DATA);
  }
});

Deno.test("A report leaves the guest's other registers as they were", () => {
  using machine = new Machine();
  const registers = { rax: 1n, rdx: 2n, rsi: 3n, rbp: 4n, r8: 5n, r15: 6n };
  for (const cpl of LEVELS) {
    const { exception } = report(machine, code(0x0f, 0x0b), { cpl, registers }); // ud2
    assertEquals(exception?.name, "#UD");
    const { rax, rdx, rsi, rbp, r8, r15 } = machine.vcpu.getRegs();
    assertEquals({ rax, rdx, rsi, rbp, r8, r15 }, registers);
  }
});

Deno.test("A page fault is reported with the address and the error code", () => {
  using machine = new Machine();
  const address = 0x80_0000_1234n; // behind the first 512 GiB
  const image = code(0x89, 0x07); // mov [rdi], eax
  for (const cpl of LEVELS) {
    const { exception } = report(machine, image, { cpl, registers: { rdi: address } });
    assertEquals([exception?.name, exception?.cr2], ["#PF", address]);
    assertEquals(exception?.errorCode, PageFault.W | (cpl === 3 ? PageFault.U : 0));
  }
});

Deno.test("A general protection fault is reported with the selector that raised it", () => {
  using machine = new Machine();
  const image = code(
    ...[0xb8, 0x00, 0x01, 0x00, 0x00], // mov eax, 0x100: beyond the GDT
    ...[0x8e, 0xd8], // mov ds, ax
  );
  for (const cpl of LEVELS) {
    const { exception } = report(machine, image, { cpl });
    assertEquals([exception?.name, exception?.errorCode], ["#GP", 0x100]);
    assertEquals(exception?.rip, 0x1005n);
  }
});

Deno.test("An exception is reported even if the guest's stack is nowhere", () => {
  using machine = new Machine();
  const image = code(
    ...[0x48, 0x89, 0xfc], // mov rsp, rdi
    ...[0x50], // push rax
  );
  for (const cpl of LEVELS) {
    const { exception } = report(machine, image, { cpl, registers: { rdi: 0x80_0000_0000n } });
    assertEquals([exception?.name, exception?.rip], ["#PF", 0x1003n]);
    assertEquals(exception?.rsp, 0x80_0000_0000n);
  }
});

Deno.test("A breakpoint at level 3 is reported with the address behind it", () => {
  using machine = new Machine();
  const { exception } = report(machine, code(0x90, 0xcc), { cpl: 3 }); // nop, int3
  assertEquals([exception?.name, exception?.rip], ["#BP", 0x1002n]);
});

Deno.test("At level 3, privileged instructions are general protection faults", () => {
  using machine = new Machine();
  for (
    const image of [
      code(0x0f, 0x20, 0xc0), // mov rax, cr0
      code(0x0f, 0x01, 0x10), // lgdt [rax]
      code(0x0f, 0x32), // rdmsr
      code(0x0f, 0x22, 0xd8), // mov cr3, rax
    ]
  ) {
    const { exception } = report(machine, image, { cpl: 3 });
    assertEquals([exception?.name, exception?.errorCode], ["#GP", 0]);
  }
});

Deno.test("At level 3, page tables and descriptors are out of reach", () => {
  using machine = new Machine();
  const image = code(
    ...[0x8b, 0x07], // mov eax, [rdi]
    ...[0x89, 0x07], // mov [rdi], eax
    ...[0xf4], // hlt
  );
  const boot = longMode(machine.vcpu, machine.memory, { code: image, cpl: 3 });
  const { gdt, pageTables, exceptions, stack, code: range } = boot;
  const { idt, tss, stub, systemStack } = exceptions!;
  for (const { guestPhysAddr } of [gdt, pageTables, idt, tss, stub, systemStack]) {
    const registers = { rdi: BigInt(guestPhysAddr) };
    const { exception } = report(machine, image, { cpl: 3, registers });
    assertEquals([exception?.name, exception?.cr2], ["#PF", registers.rdi]);
    assertEquals(exception?.errorCode, PageFault.P | PageFault.U);
  }
  for (const address of [range.guestPhysAddr, stack - 8, 0, 0x2000]) {
    const { exception } = report(machine, image, { cpl: 3, registers: { rdi: BigInt(address) } });
    assertEquals(exception, undefined);
  }
});

Deno.test("At level 3, IN and OUT of every width reach the host and leave registers right", () => {
  const cells = (cpl: 0 | 3) => {
    using machine = new Machine();
    longMode(machine.vcpu, machine.memory, { code: guests.ioWidths, cpl });
    const seen: [string, number, number, number][] = [];
    for (let io = machine.vcpu.run(); io.reason === "io"; io = machine.vcpu.run()) {
      if (io.direction === "in") io.value = 0x8765_4321;
      seen.push([io.direction, io.port, io.size, io.value]);
    }
    return { seen, cells: [...machine.memory.array(BigUint64Array, 0x2000, 6)] };
  };
  const level3 = cells(3);
  assertEquals(level3.seen.length, 12);
  assertEquals(level3, cells(0));
});

Deno.test("At level 3, HLT comes to the host, and the next run goes on behind it", () => {
  using machine = new Machine();
  const image = code(
    ...[0x40, 0x90], // rex nop
    ...[0xf4], // hlt
    ...[0xff, 0xc0], // inc eax
    ...[0xf4], // hlt
    ...[0xeb, 0xfb], // jmp to the inc
  );
  const boot = longMode(machine.vcpu, machine.memory, { code: image, cpl: 3 });
  for (let run = 0; run < 5; run++) {
    assertEquals(machine.run().reason, "hlt");
    assertEquals(machine.vcpu.getRegs().rax, BigInt(run));
  }
  assertEquals(readException(machine.memory, boot), undefined);
});

Deno.test("At level 3, an MMIO access comes to the host", () => {
  using machine = new Machine();
  const image = code(0x8b, 0x07, 0xf4); // mov eax, [rdi]; hlt
  const registers = { rdi: 0xd000_0000n };
  longMode(machine.vcpu, machine.memory, { code: image, cpl: 3, registers });
  const exit = machine.vcpu.run();
  assert(exit.reason === "mmio" && !exit.isWrite);
  exit.value = 0x1234;
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 0x1234n);
});

Deno.test("A million rounds at level 3 compute what level 0 would", () => {
  using machine = new Machine();
  const image = code(
    ...[0x48, 0x0f, 0xaf, 0xc3], // imul rax, rbx
    ...[0x48, 0x01, 0xd0], // add rax, rdx
    ...[0x48, 0xff, 0xc9], // dec rcx
    ...[0x75, 0xf4], // jnz to the imul
    ...[0xf4], // hlt
  );
  const registers = { rbx: 6364136223846793005n, rdx: 1442695040888963407n, rcx: 1_000_000n };
  const { exception } = report(machine, image, { cpl: 3, registers });
  let expected = 0n;
  for (let round = 0; round < 1_000_000; round++) {
    expected = BigInt.asUintN(64, expected * registers.rbx + registers.rdx);
  }
  assertEquals([exception, machine.vcpu.getRegs().rax], [undefined, expected]);
});

Deno.test("With idt false, level 3 has no handlers: HLT there ends in shutdown", () => {
  using machine = new Machine();
  const boot = longMode(machine.vcpu, machine.memory, { code: code(0xf4), cpl: 3, idt: false });
  assertEquals([boot.exceptions, machine.run().reason], [undefined, "shutdown"]);
});

Deno.test("The guest's own handler takes its vector and returns; the others are reported", () => {
  using machine = new Machine();
  const image = code(
    ...[0x0f, 0x0b], // ud2
    ...[0xff, 0xc0], // inc eax
    ...[0xf7, 0xf1], // div ecx, by zero
    // 0x1006, the handler of #UD:
    ...[0x48, 0x83, 0x04, 0x24, 0x02], // add qword [rsp], 2
    ...[0x83, 0xc0, 0x28], // add eax, 40
    ...[0x48, 0xcf], // iretq
  );
  for (const cpl of LEVELS) {
    const idt = { handlers: { [Vector.UD]: 0x1006 } };
    const { exception } = report(machine, image, { cpl, idt, registers: { rax: 1n } });
    assertEquals([exception?.name, exception?.rip], ["#DE", 0x1004n]);
    assertEquals(machine.vcpu.getRegs().rax, 42n);
  }
});

Deno.test("The IDT has as many gates as the highest handler needs", () => {
  using machine = new Machine();
  const { boot } = report(machine, guests.halt, { idt: { handlers: { 0x80: 0x1000 } } });
  assertEquals(boot.exceptions?.idt.size, 0x81 * 16);
  assertEquals(machine.vcpu.getSregs().idt.limit, 0x81 * 16 - 1);
});

Deno.test("Given a port, a report is announced there with the vector, before the HLT", () => {
  using machine = new Machine();
  for (const cpl of LEVELS) {
    const registers = { rax: 7n, rdx: 8n };
    const options = { code: divideByZero, cpl, idt: { port: 0xf4 }, registers };
    const boot = longMode(machine.vcpu, machine.memory, options);
    const exit = machine.vcpu.run();
    assert(exit.reason === "io");
    assertEquals([exit.port, exit.size, exit.value], [0xf4, 1, Vector.DE]);
    assertEquals(readException(machine.memory, boot)?.rip, 0x1002n);
    assertEquals(machine.run().reason, "hlt");
    const { rax, rdx } = machine.vcpu.getRegs();
    assertEquals({ rax, rdx }, registers);
  }
});

/** At level 3: sets the PIC up, waits for three ticks of the PIT and writes their count to 0xf4. */
const ticks = `
        %macro output 2
        mov     al, %2
        out     %1, al
        %endmacro
        output  0x20, 0x11              ; the PIC: vectors from 0x20 on, IRQ 0 alone
        output  0x21, 0x20
        output  0x21, 4
        output  0x21, 1
        output  0x21, 0xfe
        output  0x43, 0x34              ; the PIT: 100 Hz
        output  0x40, 11932 & 0xff
        output  0x40, 11932 >> 8
idle:   hlt
        cmp     dword [count], 3
        jb      idle
        mov     eax, [count]
        out     0xf4, al
        jmp     $
        align   16
        times   0x80 - ($ - $$) nop     ; the handler is at 0x1080
        push    rax
        inc     dword [count]
        output  0x20, 0x20
        pop     rax
        iretq
count   equ     0x2000`;

const pit = needs("At level 3, HLT with interrupts enabled waits for one", "IRQCHIP", "PIT2");

Deno.test({
  ...needing("nasm", hasProgram("nasm") && !pit.ignore, pit.name),
  fn() {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.createIrqchip();
    vm.createPit2();
    const memory = vm.addMemory({ size: 1 << 16 });
    using vcpu = vm.createVcpu(0);
    const registers = { rflags: RFLAGS.IF };
    const idt = { handlers: { 0x20: 0x1080 } };
    longMode(vcpu, memory, { code: assemble(ticks), cpl: 3, idt, registers });
    using _limit = vcpu.interruptAfter(5000);
    const exit = vcpu.run();
    assert(exit.reason === "io", exit.reason);
    assertEquals([exit.port, exit.value >= 3], [0xf4, true]);
  },
});

Deno.test(needs("With an in-kernel irqchip, the port tells of an exception", "IRQCHIP"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.createIrqchip();
  const memory = vm.addMemory({ size: 1 << 16 });
  using vcpu = vm.createVcpu(0);
  const boot = longMode(vcpu, memory, { code: code(0x0f, 0x0b), idt: { port: 0xf4 } }); // ud2
  assertEquals(vcpu.run().reason, "io");
  assertEquals(readException(memory, boot)?.name, "#UD");
});

Deno.test("What is no memory, and no start's, has no exception to read", () => {
  using machine = new Machine();
  const { boot } = report(machine, divideByZero);
  const { memory } = machine;
  for (const wrong of [undefined, null, {}, "memory", new Uint8Array(4096)] as never[]) {
    assertCode("EINVAL", () => readException(wrong, boot), Deno.inspect(wrong));
  }
  for (const wrong of [undefined, null, 5, "boot", Symbol("boot")] as never[]) {
    assertCode("EINVAL", () => readException(memory, wrong), Deno.inspect(wrong));
  }
  for (const exceptions of [null, 5, {}, { record: NaN }, { record: -8 }, { record: 64n }]) {
    const wrong = { exceptions } as never;
    assertCode("EINVAL", () => readException(memory, wrong), Deno.inspect(wrong));
  }
  const elsewhere = { ...boot.exceptions!, record: 2 ** 40 };
  assertCode("EFAULT", () => readException(memory, { exceptions: elsewhere }));
  assertEquals(readException(memory, boot)?.name, "#DE");
});

Deno.test("A new start takes the old report away", () => {
  using machine = new Machine();
  assertEquals(report(machine, divideByZero).exception?.name, "#DE");
  assertEquals(report(machine, guests.halt).exception, undefined);
});

Deno.test(
  needing("nasm", hasProgram("nasm"), "The embedded handlers are what NASM makes of the source"),
  () => {
    const source = new URL("../../src/boot/stub.asm", import.meta.url);
    assertEquals(Uint8Array.fromBase64(stub), assembleFile(source));
  },
);
