import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { KvmError } from "../../../ffi/mod.ts";
import { Cap, MsrExitReason, PmuEvent, PmuMaskedEntry } from "../../../ffi/uapi/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { longMode, readException } from "../../../src/boot/mod.ts";
import {
  Kvm,
  type MsrAllowances,
  type MsrDenials,
  type PmuEventFilter,
  type Vm,
} from "../../../src/kvm/mod.ts";
import { compilePmuFilter } from "../../../src/kvm/pmu_filter.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, CELLS, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { rounds } from "../../support/rounds.ts";

const KERNEL_GS_BASE = 0xc000_0102;
const EFER = 0xc000_0080;
const LSTAR = 0xc000_0082;
const WRITTEN = 0x1234_5678_9abcn;

/** What becomes of the guest that reads EFER, writes KERNEL_GS_BASE and reads it back. */
function outcome(setup: (vm: Vm) => void): string {
  using machine = bare(2 << 20, setup);
  const { vcpu, memory } = machine;
  const boot = longMode(vcpu, memory, { code: guests.msr, idt: true });
  const exit = vcpu.run({ timeout: 5000 });
  if (exit.reason !== "hlt") return exit.reason;
  const exception = readException(memory, boot);
  if (exception !== undefined) return exception.name;
  assertEquals(memory.readU64(CELLS), WRITTEN);
  return "done";
}

Deno.test(needs("a denied MSR is a #GP, and all others are the guest's", "X86_MSR_FILTER"), () => {
  const filtered = (rules: MsrDenials | MsrAllowances) => outcome((vm) => vm.setMsrFilter(rules));
  assertEquals(filtered({}), "done");
  assertEquals(filtered({ deny: [KERNEL_GS_BASE] }), "#GP");
  assertEquals(filtered({ denyReads: [KERNEL_GS_BASE] }), "#GP");
  assertEquals(filtered({ denyWrites: [[KERNEL_GS_BASE, KERNEL_GS_BASE + 1]] }), "#GP");
  assertEquals(filtered({ denyWrites: [EFER] }), "done");
  assertEquals(filtered({ deny: [LSTAR, [0, 0x100], 0x4000_0000] }), "done");
  assertEquals(filtered({ denyReads: [EFER], denyWrites: [LSTAR] }), "#GP");
});

Deno.test(
  needs("reads and writes are filtered apart, however far their spans reach", "X86_MSR_FILTER"),
  () => {
    const filtered = (rules: MsrDenials | MsrAllowances) => outcome((vm) => vm.setMsrFilter(rules));
    // Together wider than one range of KVM's, and overlapping.
    const low: [number, number] = [KERNEL_GS_BASE - 0x2000, KERNEL_GS_BASE - 0x82];
    const high: [number, number] = [KERNEL_GS_BASE - 0x200, KERNEL_GS_BASE + 0x2000];
    assertEquals(filtered({ denyReads: [low], denyWrites: [high] }), "#GP");
    assertEquals(filtered({ denyReads: [low], denyWrites: [low] }), "#GP");
    const all: [number, number] = [EFER - 0x2000, KERNEL_GS_BASE + 0x10];
    assertEquals(filtered({ allowReads: [all], allowWrites: [high] }), "done");
  },
);

Deno.test(needs("what alone is allowed works, and all else is a #GP", "X86_MSR_FILTER"), () => {
  const filtered = (rules: MsrAllowances) => outcome((vm) => vm.setMsrFilter(rules));
  assertEquals(filtered({ allow: [EFER, KERNEL_GS_BASE] }), "done");
  assertEquals(filtered({ allow: [[EFER, KERNEL_GS_BASE]] }), "done");
  assertEquals(filtered({ allow: [EFER] }), "#GP");
  assertEquals(filtered({ allowReads: [EFER], allowWrites: [KERNEL_GS_BASE] }), "#GP");
  assertEquals(
    filtered({ allowReads: [EFER, KERNEL_GS_BASE], allowWrites: [KERNEL_GS_BASE] }),
    "done",
  );
});

Deno.test(
  needs("a filtered MSR is the host's to answer", "X86_MSR_FILTER", "X86_USER_SPACE_MSR"),
  () => {
    using machine = bare(2 << 20, (vm) => {
      vm.userSpaceMsr(MsrExitReason.FILTER);
      vm.setMsrFilter({ deny: [KERNEL_GS_BASE], denyReads: [EFER] });
    });
    const { vcpu, memory } = machine;
    longMode(vcpu, memory, { code: guests.msr });
    const efer = runUntil(vcpu, "x86Rdmsr");
    assertEquals([efer.index, efer.msrReason], [EFER, MsrExitReason.FILTER]);
    efer.data = 0x500n;
    const write = runUntil(vcpu, "x86Wrmsr");
    assertEquals([write.index, write.data], [KERNEL_GS_BASE, WRITTEN]);
    runUntil(vcpu, "x86Rdmsr").data = 0xfeed_face_cafen;
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU64(CELLS), 0xfeed_face_cafen);
    assertEquals(memory.readU64(CELLS + 8), 0x500n);
    // The host is not bound by it: what the guest wrote has not reached the register.
    assertEquals(vcpu.getMsr(KERNEL_GS_BASE), 0n);
  },
);

Deno.test(
  needs("a filter takes the last one's place while the guest runs", "X86_MSR_FILTER"),
  () => {
    using machine = bare(2 << 20, (vm) => vm.setMsrFilter({ deny: [KERNEL_GS_BASE] }));
    const { vm, vcpu, memory } = machine;
    const start = () => {
      const boot = longMode(vcpu, memory, { code: guests.msr, idt: true });
      runUntil(vcpu, "hlt");
      return readException(memory, boot)?.name;
    };
    assertEquals(start(), "#GP");
    vm.setMsrFilter({ deny: [] });
    assertEquals(start(), undefined);
    vm.setMsrFilter({ deny: [[0, 30_000], KERNEL_GS_BASE] });
    assertEquals(start(), "#GP", "with ranges that take several bitmaps");
  },
);

Deno.test(
  needs("MSRs may be listed over and over, and in ranges that overlap", "X86_MSR_FILTER"),
  () => {
    using machine = bare(2 << 20);
    const { vm, vcpu, memory } = machine;
    const boot = longMode(vcpu, memory, { code: guests.msr, idt: true });
    const many = new Array<number>(rounds(150_000)).fill(KERNEL_GS_BASE);
    vm.setMsrFilter({ deny: many, denyReads: [[KERNEL_GS_BASE - 9, KERNEL_GS_BASE + 9], ...many] });
    runUntil(vcpu, "hlt");
    assertEquals(readException(memory, boot)?.name, "#GP");
    const tooMany = new Array<number>(300_000).fill(KERNEL_GS_BASE);
    assertCode("E2BIG", () => vm.setMsrFilter({ deny: tooMany }));
  },
);

Deno.test("a filter that can't be never reaches the kernel", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (
    const rules of [
      { deny: [-1] },
      { deny: [1.5] },
      { deny: [2 ** 32] },
      { deny: [[5, 4]] },
      { deny: [[0, 2 ** 32 - 1]] },
      { deny: [1], allow: [2] },
      { forbid: [1] },
    ] as MsrDenials[]
  ) assertCode("EINVAL", () => vm.setMsrFilter(rules), Deno.inspect(rules));
  const scattered = Array.from({ length: 17 }, (_, index) => index * 0x10000);
  const error = assertCode("E2BIG", () => vm.setMsrFilter({ deny: scattered }));
  assertStringIncludes(error.message, "17 ranges");
  if (vm.check(Cap.X86_MSR_FILTER) === 0) {
    assertCode("EOPNOTSUPP", () => vm.setMsrFilter({}));
    return;
  }
  vm.setMsrFilter({ deny: scattered.slice(1) });
  // The kernel takes no filter that denies everything without a range.
  assertCode("EINVAL", () => vm.setMsrFilter({ allow: [] }));
});

Deno.test(
  needs("filters of performance events are taken, and guests run", "PMU_EVENT_FILTER"),
  () => {
    using machine = bare(2 << 20);
    const { vm, vcpu, memory } = machine;
    vm.setPmuEventFilter({
      action: "deny",
      events: [{ select: 0xc0 }, { select: 0x2e, unitMask: 0x41 }],
    });
    vm.setPmuEventFilter({ action: "allow", fixedCounterBitmap: 7 });
    if (vm.check(Cap.PMU_EVENT_MASKED_EVENTS) > 0) {
      const events = [{ select: 0xd0, mask: 0 }, { select: 0xd0, unitMask: 1, exclude: true }];
      vm.setPmuEventFilter({ action: "allow", events });
    }
    longMode(vcpu, memory, { code: guests.halt });
    runUntil(vcpu, "hlt");
    const many = Array.from({ length: 301 }, (_, select) => ({ select }));
    assertCode("E2BIG", () => vm.setPmuEventFilter({ action: "deny", events: many }));
    vm.setPmuEventFilter({ action: "deny", events: many.slice(1) });
  },
);

/** Instructions retired, at every level: Intel's and AMD's number for the event is the same. */
const RETIRED = { select: 0xc0 };
const COUNT_ALL = BigInt(RETIRED.select | 1 << 16 | 1 << 17 | 1 << 22);

/** What a guest's counter of instructions comes to in a loop; 0 where it has none. */
function counted(filter?: PmuEventFilter): bigint {
  using kvm = Kvm.open();
  const cpuid = kvm.getSupportedCpuid();
  const amd = cpuid.vendor === "AuthenticAMD";
  const [select, counter] = amd ? [0xc001_0000, 0xc001_0004] : [0x186, 0xc1];
  // mov ecx, 10000; loop $; hlt
  using machine = startLong([0xb9, 0x10, 0x27, 0x00, 0x00, 0xe2, 0xfe, 0xf4]);
  const { vm, vcpu } = machine;
  if (filter !== undefined) vm.setPmuEventFilter(filter);
  vcpu.setCpuid(cpuid);
  try {
    vcpu.setMsr(select, COUNT_ALL);
    // Intel's second version has a switch for all of them.
    if (((cpuid.find(0xa)?.eax ?? 0) & 0xff) >= 2) vcpu.setMsr(0x38f, 1n);
    runUntil(vcpu, "hlt");
    return vcpu.getMsr(counter);
  } catch (error) {
    if (error instanceof KvmError && error.code === "EINVAL") return 0n;
    throw error;
  }
}

function filtersCounters(): boolean {
  return !needs("", "PMU_EVENT_FILTER").ignore && counted() > 0n;
}

Deno.test(needing("a PMU that counts", filtersCounters(), "a denied event is not counted"), () => {
  assertGreater(counted(), 10_000n);
  assertEquals(counted({ action: "deny", events: [RETIRED] }), 0n);
  assertGreater(counted({ action: "deny", events: [{ select: 0x3c }] }), 10_000n);
  assertEquals(counted({ action: "allow", events: [{ select: 0x3c }] }), 0n);
  assertGreater(counted({ action: "allow", events: [RETIRED] }), 10_000n);
});

Deno.test("events are encoded as the kernel's macros do", () => {
  const plain = compilePmuFilter({
    action: "deny",
    events: [{ select: 0x3c }, { select: 0x2e, unitMask: 0x41 }, { select: 0x1c2 }],
    fixedCounterBitmap: 3,
  });
  assertEquals([...plain.events], [0x3cn, 0x412en, 0x1_0000_00c2n]);
  assertEquals([plain.action, plain.nevents, plain.fixedCounterBitmap], [PmuEvent.DENY, 3, 3]);
  assertEquals(plain.flags, 0);
  const masked = compilePmuFilter({
    action: "allow",
    events: [{ select: 0xd0, unitMask: 0x80, mask: 0xf0 }, { select: 0xd0, exclude: true }],
  });
  assertEquals(masked.flags, PmuEvent.FLAG_MASKED_EVENTS);
  assertEquals([...masked.events], [
    0xd0n | 0x8000n | 0xf0n << PmuMaskedEntry.UMASK_MASK_SHIFT,
    0xd0n | PmuMaskedEntry.EXCLUDE | 0xffn << PmuMaskedEntry.UMASK_MASK_SHIFT,
  ]);
  for (
    const event of [
      { select: -1 },
      { select: 0x1000 },
      { select: 1, unitMask: 256 },
      { select: 1, unitMask: 3, mask: 1 },
    ]
  ) assertCode("EINVAL", () => compilePmuFilter({ action: "deny", events: [event] }));
  assertCode("EINVAL", () => compilePmuFilter({ action: "refuse" as "deny" }));
  assert(compilePmuFilter({ action: "deny" }).nevents === 0);
});
