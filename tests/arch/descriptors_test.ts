import { assertEquals, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import {
  codeSegment32,
  codeSegment64,
  dataSegment,
  decodeDescriptor,
  decodeSystemDescriptor,
  encodeDescriptor,
  encodeSystemDescriptor,
  realModeSegment,
  type SegmentState,
  selector,
  SystemType,
  taskRegister,
  unusableSegment,
} from "../../src/arch/x86/mod.ts";

Deno.test("Flat segments have the descriptors that every boot loader's GDT has", () => {
  // The well-known values, with the accessed bit (bit 40) that a loaded register shows.
  assertEquals(encodeDescriptor(codeSegment32(8)), 0x00cf9b000000ffffn);
  assertEquals(encodeDescriptor(codeSegment64(8)), 0x00af9b000000ffffn);
  assertEquals(encodeDescriptor(dataSegment(0x10)), 0x00cf93000000ffffn);
  assertEquals(encodeDescriptor(codeSegment64(0x23, 3)), 0x00affb000000ffffn);
  assertEquals(encodeDescriptor(dataSegment(0x1b, 3)), 0x00cff3000000ffffn);
});

Deno.test("A descriptor's scattered base and limit come together again", () => {
  const segment = decodeDescriptor(0x12_4f_9b_345678_9abcn, 8);
  assertEquals(segment.base, 0x12345678n);
  assertEquals(segment.limit, 0xf9abc);
  assertEquals([segment.g, segment.db, segment.l, segment.avl], [0, 1, 0, 0]);
});

Deno.test("Every descriptor survives decoding and encoding", () => {
  let seed = 1n;
  for (let round = 0; round < 2000; round++) {
    seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
    const descriptor = seed | (1n << 47n); // present; absent is the null descriptor
    assertEquals(encodeDescriptor(decodeDescriptor(descriptor)), descriptor);
  }
});

Deno.test("A limit counts bytes whether the descriptor counts bytes or pages", () => {
  const bytes: SegmentState = { ...dataSegment(8), g: 0, limit: 0xfffff };
  assertEquals(encodeDescriptor(bytes) & 0xffffn, 0xffffn);
  assertEquals(decodeDescriptor(encodeDescriptor(bytes)).limit, 0xfffff);
  const pages: SegmentState = { ...dataSegment(8), limit: 0x1fff };
  assertEquals(encodeDescriptor(pages) & 0xffffn, 1n);
  assertEquals(decodeDescriptor(encodeDescriptor(pages)).limit, 0x1fff);
});

Deno.test("A limit that no descriptor can hold is refused", () => {
  for (
    const [g, limit] of [[0, 0x100000], [1, 0x1000], [1, 0x1_0000_0fff], [0, -1], [0, 0.5]] as const
  ) {
    const encode = () => encodeDescriptor({ ...dataSegment(8), g, limit });
    assertEquals(assertThrows(encode, KvmError).code, "EINVAL");
  }
});

Deno.test("A 64-bit TSS descriptor holds the upper half of its base in a second quadword", () => {
  const tss = taskRegister(0x28, 0x12_3456_789a, 103);
  const [low, high] = encodeSystemDescriptor(tss);
  assertEquals(low, 0x34_00_8b_56789a_0067n);
  assertEquals(high, 0x12n);
  assertEquals(decodeSystemDescriptor(low, high, 0x28), tss);
});

Deno.test("TR holds a busy TSS and LDTR nothing, as VT-x demands of a guest", () => {
  const tr = taskRegister(0, 0, 0xffff);
  assertEquals([tr.type, tr.s, tr.present, tr.unusable], [SystemType.TSS_BUSY, 0, 1, 0]);
  const ldt = unusableSegment(SystemType.LDT);
  assertEquals([ldt.type, ldt.present, ldt.unusable], [2, 0, 1]);
  assertEquals(encodeDescriptor(ldt), 0n);
});

Deno.test("A real-mode segment begins at 16 times its selector and has 64 KiB", () => {
  const segment = realModeSegment(0x1234, "code");
  assertEquals([segment.base, segment.limit, segment.type, segment.db], [0x12340n, 0xffff, 11, 0]);
  assertEquals(realModeSegment(0, "data").type, 3);
});

Deno.test("A selector is index, table and level", () => {
  assertEquals([selector(1), selector(3, 3), selector(2, 1, "ldt")], [0x08, 0x1b, 0x15]);
});
