import { assert, assertEquals } from "@std/assert";
import { type CpuidLeaf, XCR0, XsaveArea } from "../../src/arch/x86/mod.ts";
import { assertCode } from "../support/codes.ts";

const leaf = (index: number, eax: number, ebx: number): CpuidLeaf => ({
  function: 0xd,
  index,
  eax,
  ebx,
});

/** A server processor of Intel's, and AMX beyond 4096 bytes; subleaf 8 is supervisor state. */
const intel = [
  leaf(0, 0x602e7, 2696),
  leaf(1, 0xf, 0),
  leaf(2, 256, 576),
  leaf(5, 64, 1088),
  leaf(6, 512, 1152),
  leaf(7, 1024, 1664),
  leaf(8, 128, 0),
  leaf(9, 8, 2688),
  leaf(17, 64, 2752),
  leaf(18, 8192, 2816),
];

function image(extra = 0) {
  return { region: new Uint32Array(1024), extra: new Uint32Array(extra) };
}

/** One buffer, as KVM's is. */
function largeImage() {
  const buffer = new ArrayBuffer(12288);
  return { region: new Uint32Array(buffer, 0, 1024), extra: new Uint32Array(buffer, 4096) };
}

Deno.test("CPUID tells which components an XSAVE area has, and where", () => {
  const area = new XsaveArea(image(), intel);
  const names = [...area.components.keys()];
  assertEquals(names, ["X87", "SSE", "AVX", "OPMASK", "ZMM_HI256", "HI16_ZMM", "PKRU", "TILECFG"]);
  assertEquals(area.components.get("PKRU"), { offset: 2688, size: 8 });
  assertEquals(area.component("AVX").byteOffset, 576);
  const large = new XsaveArea(largeImage(), intel);
  assertEquals(large.component("TILEDATA").length, 8192);
});

Deno.test("without leaf 0xD there are x87 and SSE alone", () => {
  const area = new XsaveArea(image(), [{ function: 1, index: 2, eax: 256, ebx: 576 }]);
  assertEquals([...area.components.keys()], ["X87", "SSE"]);
});

Deno.test("a vector register's bytes are spread over its components, lowest first", () => {
  const area = new XsaveArea(image(), intel);
  const value = 0x40n << 504n | 0x30n << 256n | 0x20n << 128n | 0x10n;
  area.write("zmm3", value);
  assertEquals(area.bytes[160 + 48], 0x10);
  assertEquals(area.bytes[576 + 48], 0x20);
  assertEquals(area.bytes[1152 + 96], 0x30);
  assertEquals(area.bytes[1152 + 96 + 31], 0x40);
  assertEquals(area.read("zmm3"), value);
  assertEquals(area.read("ymm3"), BigInt.asUintN(256, value));
  assertEquals(area.read("xmm3"), 0x10n);
  assertEquals(area.xstateBv, XCR0.SSE | XCR0.AVX | XCR0.ZMM_HI256);
});

Deno.test("the registers from 16 on lie whole in one component", () => {
  const area = new XsaveArea(image(), intel);
  area.write("zmm17", 2n ** 511n + 5n);
  assertEquals(area.xstateBv, XCR0.HI16_ZMM);
  assertEquals([area.bytes[1664 + 64], area.bytes[1664 + 127]], [5, 0x80]);
  area.write("xmm17", 6n);
  assertEquals(area.read("zmm17"), 2n ** 511n + 6n);
});

Deno.test("mask, x87 and protection-key registers are read as they were written", () => {
  const area = new XsaveArea(image(), intel);
  area.write("k7", 2n ** 63n + 1n);
  area.write("st5", 0x4000_c90f_daa2_2168_c235n);
  area.write("pkru", 0x5555_5554n);
  area.write("mxcsr", 0x1f80n);
  area.write("fip", 0x1234_5678_9abcn);
  assertEquals(area.bytes[1088 + 56], 1);
  assertEquals(area.bytes[32 + 80], 0x35);
  assertEquals(area.bytes.subarray(2688, 2692), Uint8Array.of(0x54, 0x55, 0x55, 0x55));
  assertEquals(area.read("k7"), 2n ** 63n + 1n);
  assertEquals(area.read("st5"), 0x4000_c90f_daa2_2168_c235n);
  assertEquals(area.read("fip"), 0x1234_5678_9abcn);
  assertEquals(area.read("mxcsr"), 0x1f80n);
  assertEquals(area.read("fcw"), 0x37fn, "the control word is FNINIT's once x87 state counts");
});

Deno.test("a component that does not count is in its initial state, whatever its bytes say", () => {
  const area = new XsaveArea(image(), intel);
  area.bytes.fill(0xee);
  area.xstateBv = XCR0.AVX;
  assertEquals(area.read("xmm0"), 0n);
  assertEquals(area.read("ymm0") >> 128n, BigInt("0x" + "ee".repeat(16)));
  assertEquals([area.read("fcw"), area.read("st0"), area.read("k0")], [0x37fn, 0n, 0n]);
  assertEquals(area.read("mxcsr"), 0xeeee_eeeen, "MXCSR always counts");
  area.write("xmm1", 1n);
  assertEquals([area.read("xmm0"), area.read("xmm1")], [0n, 1n], "what was garbage is initial");
  area.write("fsw", 0x3800n);
  assertEquals([area.read("fcw"), area.read("st0"), area.read("fsw")], [0x37fn, 0n, 0x3800n]);
  assertEquals(area.read("mxcsr"), 0xeeee_eeeen);
});

Deno.test("bits beyond a register's size are dropped", () => {
  const area = new XsaveArea(image(), intel);
  area.write("xmm0", -1n);
  area.write("st0", 2n ** 80n + 1n);
  assertEquals(area.read("xmm0"), 2n ** 128n - 1n);
  assertEquals(area.read("xmm1"), 0n);
  assertEquals(area.read("st0"), 1n);
});

Deno.test("a register that there is not, or not on this processor, is refused by name", () => {
  const area = new XsaveArea(image(), intel.slice(0, 3));
  for (const name of ["xmm32", "xmm01", "st8", "k8", "rax", "xmm", "constructor", "zmm-1"]) {
    assertCode("EINVAL", () => area.read(name as "xmm0"), name);
    assertCode("EINVAL", () => area.write(name as "xmm0", 0n), name);
  }
  for (const name of ["zmm0", "ymm16", "k0", "pkru"] as const) {
    assertCode("ENOENT", () => area.read(name), name);
    assertCode("ENOENT", () => area.write(name, 0n), name);
  }
  assertEquals(area.xstateBv, 0n, "a refused write leaves no trace");
  assert(assertCode("ENOENT", () => area.component("PKRU")).hint?.includes("X87, SSE, AVX"));
});
