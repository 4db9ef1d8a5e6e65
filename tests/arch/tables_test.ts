import { assert, assertEquals } from "@std/assert";
import {
  CR0,
  CR4,
  decodeGate,
  EFER,
  encodeGate,
  encodeTss,
  hasErrorCode,
  interruptGate,
  MSR,
  NMI_VECTOR,
  RFLAGS,
  SystemType,
  Vector,
  vectorName,
  XCR0,
} from "../../src/arch/x86/mod.ts";

/** The value of a set of flags of which each has its bit, by bit number. */
function bits(...numbers: number[]): bigint {
  return numbers.reduce((all, bit) => all | (1n << BigInt(bit)), 0n);
}

Deno.test("Control register bits are where the manuals have them", () => {
  assertEquals(CR4.OSFXSR, 0x200n);
  assertEquals(CR4.OSXMMEXCPT, 0x400n);
  assertEquals(CR4.PAE | CR4.PSE, 0x30n);
  assertEquals(CR4.SMEP | CR4.SMAP, 0x300000n);
  assertEquals(CR4.OSXSAVE, 0x40000n);
  assertEquals(CR0.PG | CR0.PE, 0x80000001n);
  assertEquals(CR0.ET | CR0.CD | CR0.NW, 0x60000010n); // CR0 after a reset
  assertEquals(EFER.LME | EFER.LMA | EFER.SCE | EFER.NXE, 0xd01n);
  assertEquals(XCR0.X87 | XCR0.SSE | XCR0.AVX, 7n);
  assertEquals(RFLAGS.IOPL, bits(12, 13));
  assertEquals(RFLAGS.FIXED | RFLAGS.IF, 0x202n);
});

Deno.test("No two flags of a register share a bit", () => {
  for (const flags of [CR0, CR4, EFER, RFLAGS, XCR0]) {
    let all = 0n;
    for (const [name, flag] of Object.entries<bigint>(flags)) {
      assert((all & flag) === 0n && flag !== 0n, name);
      all |= flag;
    }
  }
});

Deno.test("No two MSRs share a number", () => {
  const numbers = Object.values(MSR);
  assertEquals(new Set(numbers).size, numbers.length);
  assertEquals([MSR.EFER, MSR.LSTAR, MSR.KERNEL_GS_BASE], [0xc0000080, 0xc0000082, 0xc0000102]);
});

Deno.test("Ten exceptions push an error code", () => {
  const vectors = Array.from({ length: 256 }, (_, vector) => vector).filter(hasErrorCode);
  assertEquals(vectors, [8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
});

Deno.test("Vectors go by the manuals' names", () => {
  const names = [Vector.DE, NMI_VECTOR, Vector.GP, Vector.PF, Vector.XM].map(vectorName);
  assertEquals(names, ["#DE", "NMI", "#GP", "#PF", "#XM"]);
  assertEquals(vectorName(0x80), "vector 128");
});

Deno.test("A gate's scattered offset comes together again", () => {
  const gate = interruptGate(0x1234_5678_9abc, 8, 1, 3);
  const [low, high] = encodeGate(gate);
  assertEquals([low, high], [0x5678_ee01_0008_9abcn, 0x1234n]);
  assertEquals(decodeGate(low, high), gate);
  assertEquals(gate.type, SystemType.INTERRUPT_GATE);
});

Deno.test("A TSS holds its stacks at unaligned offsets and ends where its I/O map would begin", () => {
  const tss = encodeTss({ rsp0: 0x1000, ist: [0x2000, 0x3000] });
  const view = new DataView(tss.buffer);
  assertEquals(tss.length, 104);
  assertEquals(view.getBigUint64(4, true), 0x1000n);
  assertEquals(view.getBigUint64(36, true), 0x2000n);
  assertEquals(view.getBigUint64(44, true), 0x3000n);
  assertEquals(view.getUint16(102, true), 104);
});
