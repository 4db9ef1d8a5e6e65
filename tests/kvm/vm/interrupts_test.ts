import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Cap, Irqchip, kvmIrqchip, MpState, XenHvmConfig } from "../../../ffi/uapi/mod.ts";
import { create } from "../../../ffi/mod.ts";
import { realMode } from "../../../src/boot/mod.ts";
import {
  decodeRedirection,
  defaultGsiRoutes,
  DeliveryMode,
  Kvm,
  msiMessage,
  type Vm,
} from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, startReal } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { redirect, startLines, take, vectorOf, waits } from "./lines.ts";

Deno.test(
  needs("each line of the two PICs is its own vector in the guest", "IRQCHIP"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    for (const line of [0, 1, 5, 7, 8, 12, 15]) {
      vm.setIrqLine(line, true);
      assertEquals(take(vcpu), [0x20 + line]);
      vm.setIrqLine(line, false);
    }
  },
);

Deno.test(
  needs("a raised line is delivered once, and a second time it is coalesced", "IRQ_INJECT_STATUS"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    assertEquals(vm.irqLineStatus(5, true), "delivered");
    vm.irqLineStatus(5, false);
    assertEquals(vm.irqLineStatus(5, true), "coalesced");
    vm.irqLineStatus(5, false);
    assertEquals(take(vcpu), [0x25]);
    vm.setIrqLine(1, true);
    assertEquals(take(vcpu), [0x21], "the coalesced one came, too");
    assertEquals(vm.irqLineStatus(5, true), "delivered");
    assertEquals(take(vcpu), [0x25]);
  },
);

Deno.test(
  needs("a masked line is ignored, and the guest sees nothing of it", "IRQ_INJECT_STATUS"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    const master = vm.getIrqchip(Irqchip.PIC_MASTER);
    master.chip.pic.imr = 1 << 5;
    vm.setIrqchip(master);
    assertEquals(vm.irqLineStatus(5, true), "ignored");
    // Of lower priority than line 5: it would come second.
    assertEquals(vm.irqLineStatus(6, true), "delivered");
    assertEquals(take(vcpu), [0x26]);
  },
);

Deno.test(
  needs("a PIC's state shows the interrupt that the guest is handling", "IRQCHIP"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    const state = create(kvmIrqchip);
    const pic = () => vm.getIrqchip(Irqchip.PIC_MASTER, state).chip.pic;
    vm.setIrqLine(3, true);
    assertEquals([pic().irr, pic().isr, pic().irqBase], [1 << 3, 0, 0x20]);
    assertEquals(vectorOf(vcpu), 0x23);
    assertEquals([pic().irr, pic().isr], [0, 1 << 3]);
    waits(vcpu);
    assertEquals(pic().isr, 0);
  },
);

Deno.test(
  needs("a redirection entry that the host sets is the vector that the guest sees", "IRQCHIP"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    const entry = () => decodeRedirection(vm.getIrqchip(Irqchip.IOAPIC).chip.ioapic.redirtbl[20]!);
    assertEquals(entry().mask, 1);
    redirect(vm, 20, { vector: 0x34, trigMode: 1 });
    assertEquals([entry().mask, entry().vector, entry().remoteIrr], [0, 0x34, 0]);
    vm.setIrqLine(20, true);
    assertEquals(vectorOf(vcpu), 0x34);
    assertEquals(entry().remoteIrr, 1);
    // Still raised: it comes again when the guest is done with it.
    assertEquals(vectorOf(vcpu), 0x34);
    vm.setIrqLine(20, false);
    // KVM may have it in store once more. A message of lower priority comes after that.
    vm.signalMsi(msiMessage({ vector: 0x30 }));
    const vectors = [vectorOf(vcpu)];
    if (vectors[0] === 0x34) vectors.push(vectorOf(vcpu));
    assertEquals(vectors.at(-1), 0x30);
    waits(vcpu);
    assertEquals(entry().remoteIrr, 0);
  },
);

Deno.test(
  needs(
    "a message is delivered, unless the APIC it addresses is disabled or not there",
    "SIGNAL_MSI",
  ),
  () => {
    using early = bare(1 << 20, (vm) => vm.createIrqchip());
    assertEquals(early.vm.signalMsi(msiMessage({ vector: 0x31 })), "blocked");
    using machine = startLines();
    const { vm, vcpu } = machine;
    assertEquals(vm.signalMsi(msiMessage({ vector: 0x31 })), "delivered");
    assertEquals(take(vcpu), [0x31]);
    assertEquals(vm.signalMsi(msiMessage({ vector: 0x31, destId: 9 })), "blocked");
    const lowest = { vector: 0x32, deliveryMode: DeliveryMode.LOWEST_PRIORITY, destId: 0xff };
    assertEquals(vm.signalMsi(msiMessage(lowest)), "delivered");
    assertEquals(take(vcpu), [0x32]);
  },
);

Deno.test(needs("a message that is none is refused", "SIGNAL_MSI"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const message = msiMessage({ vector: 0x31 });
  for (const field of ["addressLo", "addressHi", "data"] as const) {
    for (const value of [-1, 0.5, 2 ** 32, NaN]) {
      assertCode("EINVAL", () => machine.vm.signalMsi({ ...message, [field]: value }), field);
    }
  }
  using none = bare();
  assertCode("EINVAL", () => none.vm.signalMsi(message));
  machine.vm.close();
  assertCode("EBADF", () => machine.vm.signalMsi(message));
});

Deno.test(
  needs("a line that is routed to a message comes as its vector", "IRQ_ROUTING"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    const msi = msiMessage({ vector: 0x33 });
    vm.setGsiRouting([...defaultGsiRoutes(), { gsi: 100, msi }]);
    vm.setIrqLine(100, true);
    assertEquals(take(vcpu), [0x33]);
    vm.setIrqLine(5, true);
    assertEquals(take(vcpu), [0x25], "the default routes still lead to the PICs");
  },
);

Deno.test(
  needs("a line can lead to another pin, to two of them, or nowhere", "IRQ_ROUTING"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    redirect(vm, 21, { vector: 0x36 });
    vm.setGsiRouting([
      { gsi: 4, irqchip: { irqchip: Irqchip.PIC_SLAVE, pin: 3 } },
      { gsi: 4, irqchip: { irqchip: Irqchip.IOAPIC, pin: 21 } },
    ]);
    vm.setIrqLine(5, true);
    vm.setIrqLine(4, true);
    assertEquals(take(vcpu, 2).toSorted(), [0x2b, 0x36]);
    vm.setGsiRouting([]);
    vm.setIrqLine(4, false);
    vm.setIrqLine(4, true);
    vm.signalMsi(msiMessage({ vector: 0x30 }));
    assertEquals(take(vcpu), [0x30]);
  },
);

/** The MSRs of Hyper-V's synthetic interrupt controller (TLFS, chapter 11). */
const HV_X64_MSR_SCONTROL = 0x4000_0080;
const HV_X64_MSR_SINT0 = 0x4000_0090;

Deno.test(
  needs("a line that is routed to a synthetic interrupt source comes", "HYPERV_SYNIC"),
  () => {
    using machine = startLines();
    const { vm, vcpu } = machine;
    vcpu.enableCap(Cap.HYPERV_SYNIC);
    vcpu.setMsrs([[HV_X64_MSR_SCONTROL, 1n], [HV_X64_MSR_SINT0 + 2, 0x37n]]);
    vm.setGsiRouting([...defaultGsiRoutes(), { gsi: 30, hvSint: { vcpu: 0, sint: 2 } }]);
    vm.setIrqLine(30, true);
    assertEquals(take(vcpu), [0x37]);
    vm.setIrqLine(5, true);
    assertEquals(take(vcpu), [0x25]);
  },
);

Deno.test(
  needs("a line can be routed to an event channel of a VM that is Xen's", "XEN_HVM"),
  () => {
    using machine = bare(1 << 20, (vm) => vm.createIrqchip());
    const { vm } = machine;
    const route = { gsi: 30, xenEvtchn: { port: 7, vcpu: 0 } };
    if ((vm.check(Cap.XEN_HVM) & XenHvmConfig.EVTCHN_2LEVEL) !== 0) vm.setGsiRouting([route]);
    else assertCode("EINVAL", () => vm.setGsiRouting([route]));
  },
);

Deno.test("routes that can't be are refused", () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm } = machine;
  const msi = msiMessage({ vector: 0x31 });
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [
    { gsi: -1, msi },
    { gsi: 1.5, msi },
    { gsi: 2 ** 31, msi },
    { gsi: 1 },
    { gsi: 1, irqchip: { irqchip: 3, pin: 0 } },
    { gsi: 1, irqchip: { irqchip: Irqchip.PIC_MASTER, pin: 8 } },
    { gsi: 1, irqchip: { irqchip: Irqchip.IOAPIC, pin: 24 } },
    { gsi: 1, msi: { ...msi, data: -1 } },
    { gsi: 1, hvSint: { vcpu: 0, sint: 16 } },
    { gsi: 1, xenEvtchn: { port: -1, vcpu: 0 } },
  ];
  for (const route of wrong) {
    assertCode("EINVAL", () => vm.setGsiRouting([route]), Deno.inspect(route));
  }
  assertCode("EINVAL", () => vm.setGsiRouting(new Array(5000).fill({ gsi: 1, msi })));
  using none = bare();
  assertCode("EINVAL", () => none.vm.setGsiRouting(defaultGsiRoutes()));
});

Deno.test("the default routes lead 16 lines to the PICs and 24 to the I/O APIC", () => {
  const routes = defaultGsiRoutes();
  assertEquals(routes.length, 40);
  const [slave] = routes.filter((route) =>
    route.gsi === 13 && "irqchip" in route && route.irqchip.irqchip === Irqchip.PIC_SLAVE
  );
  assertEquals(slave, { gsi: 13, irqchip: { irqchip: Irqchip.PIC_SLAVE, pin: 5 } });
});

/**
 * The MSR that says which processor booted, and its bit (SDM volume 3, "Local APIC Status and
 * Location").
 */
const IA32_APIC_BASE = 0x1b;
const BSP = 1 << 8;
/** mov ecx, IA32_APIC_BASE; rdmsr; out 0xf4, eax; in real mode. */
const readApicBase = [0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0x66, 0xe7, 0xf4];

Deno.test(
  needs("the bootstrap processor is the one that was named", "IRQCHIP", "SET_BOOT_CPU_ID"),
  () => {
    for (const boot of [0, 1]) {
      using kvm = Kvm.open();
      using vm = kvm.createVm();
      vm.createIrqchip();
      vm.setBootCpuId(boot);
      const memory = vm.addMemory({ size: 1 << 16 });
      const vcpus = [vm.createVcpu(0), vm.createVcpu(1)];
      const states = vcpus.map((vcpu) => vcpu.getMpState());
      const { RUNNABLE, UNINITIALIZED } = MpState;
      assertEquals(states, boot === 0 ? [RUNNABLE, UNINITIALIZED] : [UNINITIALIZED, RUNNABLE]);
      for (const vcpu of vcpus) {
        realMode(vcpu, memory, { code: Uint8Array.from(readApicBase) });
        using _limit = vcpu.interruptAfter(5000);
        const exit = vcpu.run();
        assert(exit.reason === "io", Deno.inspect(exit));
        const isBoot = (exit.value & BSP) !== 0;
        assertEquals(isBoot, vcpu.id === boot, `vCPU ${vcpu.id}: ${exit.value.toString(16)}`);
        assertEquals(BigInt(exit.value), vcpu.getMsr(IA32_APIC_BASE));
      }
      assertCode("EBUSY", () => vm.setBootCpuId(1 - boot));
    }
  },
);

Deno.test(needs("a boot processor that can't be is refused", "SET_BOOT_CPU_ID"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (const id of [-1, 0.5, NaN, 2 ** 32]) assertCode("EINVAL", () => vm.setBootCpuId(id));
});

const TICK = 10;
/** What a tick takes in the timer's own clock of 1193182 Hz. */
const PERIOD = 11932;

/**
 * Real mode: the timer at 100 Hz is vector 8; out 0xf5, and from then on every tick is reported to
 * 0xf4 and acknowledged.
 */
const ticks = [
  ...[0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21], // ICW1, ICW2: IRQ 0 is vector 8
  ...[0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21], // ICW3, ICW4
  ...[0xb0, 0xfe, 0xe6, 0x21], // all but IRQ 0 masked
  ...[0xb0, 0x34, 0xe6, 0x43], // channel 0, both bytes, mode 2
  ...[0xb0, PERIOD & 0xff, 0xe6, 0x40, 0xb0, PERIOD >> 8, 0xe6, 0x40],
  ...[0xc7, 0x06, 0x20, 0x00, 0x33, 0x10], // mov word [8 * 4], handler
  ...[0xc7, 0x06, 0x22, 0x00, 0x00, 0x00], // mov word [8 * 4 + 2], 0
  ...[0xe6, 0xf5, 0xfb], // out 0xf5, al; sti
  ...[0xf4, 0xeb, 0xfd, 0x90], // hlt; jmp to it; nop
  ...[0xe6, 0xf4, 0xb0, 0x20, 0xe6, 0x20, 0xcf], // handler: out 0xf4, al; end of interrupt; iret
];

/** Milliseconds that ten ticks take to arrive after the guest has missed twenty. */
async function tenTicks(pitReinject: boolean): Promise<number> {
  using machine = startReal(ticks, undefined, (vm: Vm) => {
    vm.createIrqchip();
    vm.createPit2();
    vm.reinjectControl(pitReinject);
  });
  const { vcpu } = machine;
  using _limit = vcpu.interruptAfter(10_000);
  const next = (port: number) => {
    const exit = vcpu.run();
    assert(exit.reason === "io" && exit.port === port, Deno.inspect(exit));
  };
  next(0xf5);
  await new Promise((resolve) => setTimeout(resolve, 20 * TICK));
  const start = performance.now();
  for (let count = 0; count < 10; count++) next(0xf4);
  return performance.now() - start;
}

Deno.test(
  needs("lost ticks of the timer come late, or never", "PIT2", "REINJECT_CONTROL"),
  async () => {
    // A busy machine can make even these late; but not every time.
    const late: number[] = [];
    while (late.length < 5 && !(late.at(-1)! < 7 * TICK)) late.push(await tenTicks(true));
    assertLess(late.at(-1)!, 7 * TICK, `${late}`);
    // The first is one that was missed; the second may be due at once.
    assertGreater(await tenTicks(false), 7 * TICK);
  },
);

Deno.test(needs("without the timer its ticks can't be controlled", "REINJECT_CONTROL"), () => {
  using machine = bare();
  assertCode("ENXIO", () => machine.vm.reinjectControl(true));
});
