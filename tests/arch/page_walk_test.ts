import { assertEquals } from "@std/assert";
import { Errno, KvmError } from "../../ffi/mod.ts";
import {
  CR0,
  CR4,
  EFER,
  IdentityMap,
  pageDirectory32,
  PageEntry,
  pagingMode,
  type PagingState,
  type PhysicalMemory,
  walkPages,
} from "../../src/arch/x86/mod.ts";
import { assertCode } from "../support/codes.ts";

const { P, RW, US, A, D, PS, G, NX } = PageEntry;

/** 64 KiB of memory from address 0. */
class Memory implements PhysicalMemory {
  readonly #view = new DataView(new ArrayBuffer(0x10000));
  readonly bytes = new Uint8Array(this.#view.buffer);

  readU32(address: number): number {
    return this.#view.getUint32(this.#checked(address, 4), true);
  }

  readU64(address: number): bigint {
    return this.#view.getBigUint64(this.#checked(address, 8), true);
  }

  set(table: number, index: number, entry: bigint): void {
    this.#view.setBigUint64(table + 8 * index, entry, true);
  }

  set32(table: number, index: number, entry: bigint): void {
    this.#view.setUint32(table + 4 * index, Number(entry), true);
  }

  #checked(address: number, length: number): number {
    if (address + length <= this.bytes.length) return address;
    throw new KvmError({ operation: "read", errno: Errno.EFAULT });
  }
}

const long: PagingState = {
  cr0: CR0.PE | CR0.PG,
  cr3: 0x1000n,
  cr4: CR4.PAE | CR4.PGE,
  efer: EFER.LME | EFER.LMA | EFER.NXE,
};
const pae: PagingState = { ...long, efer: EFER.NXE };
const legacy: PagingState = { ...long, cr4: CR4.PSE, efer: 0n };

/** Tables for one 4 KiB page at linear address 0: PML4 at 0x1000, then 0x2000, 0x3000, 0x4000. */
function fourTables(rights = RW | US): Memory {
  const memory = new Memory();
  memory.set(0x1000, 0, 0x2000n | P | rights);
  memory.set(0x2000, 0, 0x3000n | P | rights);
  memory.set(0x3000, 0, 0x4000n | P | rights);
  memory.set(0x4000, 0, 0xabc000n | P | rights);
  return memory;
}

Deno.test("CR0, CR4 and EFER decide how addresses are translated", () => {
  assertEquals(pagingMode({ ...long, cr0: CR0.PE }), "none");
  assertEquals(pagingMode(legacy), "32-bit");
  assertEquals(pagingMode(pae), "PAE");
  assertEquals(pagingMode(long), "4-level");
  assertEquals(pagingMode({ ...long, cr4: CR4.PAE | CR4.LA57 }), "5-level");
});

Deno.test("without paging an address is its own", () => {
  const walk = walkPages(new Memory(), { ...long, cr0: CR0.PE }, 0xdead_beefn);
  assertEquals([walk.physAddr, walk.pageSize, walk.steps.length], [0xdead_beef, 0, 0]);
});

Deno.test("a walk of four levels tells every entry on the way", () => {
  const walk = walkPages(fourTables(), long, 0x123n);
  assertEquals([walk.physAddr, walk.pageSize, walk.fault], [0xabc123, 4096, undefined]);
  assertEquals(walk.steps.map(({ level, address }) => [level, address]), [
    [4, 0x1000],
    [3, 0x2000],
    [2, 0x3000],
    [1, 0x4000],
  ]);
  assertEquals(walk.steps[3]!.entry, 0xabc000n | P | RW | US);
});

Deno.test("rights are those that every level gives", () => {
  for (let level = 0; level < 4; level++) {
    const memory = fourTables();
    const clear = (bit: bigint) => {
      const at = 0x1000 * (level + 1);
      memory.set(at, 0, memory.readU64(at) & ~bit);
    };
    clear(RW);
    let walk = walkPages(memory, long, 0n);
    assertEquals([walk.writable, walk.user, walk.executable], [false, true, true]);
    clear(US);
    walk = walkPages(memory, long, 0n);
    assertEquals([walk.writable, walk.user, walk.executable], [false, false, true]);
    memory.set(0x1000 * (level + 1), 0, memory.readU64(0x1000 * (level + 1)) | NX);
    assertEquals(walkPages(memory, long, 0n).executable, false);
  }
});

Deno.test("accessed is said of a page if all levels were used, dirty and global by the page's own entry", () => {
  const memory = fourTables(RW | A);
  assertEquals(walkPages(memory, long, 0n).accessed, true);
  memory.set(0x2000, 0, memory.readU64(0x2000) & ~A | D | G);
  let walk = walkPages(memory, long, 0n);
  assertEquals([walk.accessed, walk.dirty, walk.global], [false, false, false]);
  memory.set(0x4000, 0, memory.readU64(0x4000) | D | G);
  walk = walkPages(memory, long, 0n);
  assertEquals([walk.dirty, walk.global], [true, true]);
  assertEquals(walkPages(memory, { ...long, cr4: CR4.PAE }, 0n).global, false);
});

Deno.test("large pages of 2 MiB and 1 GiB end the walk early", () => {
  const memory = fourTables();
  memory.set(0x3000, 1, 0x4060_0000n | P | PS);
  memory.set(0x2000, 1, 0xc000_0000n | P | PS);
  const large = walkPages(memory, long, 0x20_1234n);
  assertEquals([large.physAddr, large.pageSize, large.steps.length], [0x4060_1234, 2 ** 21, 3]);
  const huge = walkPages(memory, long, 0x4000_1234n);
  assertEquals([huge.physAddr, huge.pageSize, huge.steps.length], [0xc000_1234, 2 ** 30, 2]);
  assertEquals(walkPages(memory, { ...long, gbPages: false }, 0x4000_0000n).fault, "reserved");
});

Deno.test("the upper half of the addresses has the upper half of the first table", () => {
  const memory = fourTables();
  memory.set(0x1000, 511, 0x2000n | P);
  assertEquals(walkPages(memory, long, 0xffff_ff80_0000_0042n).physAddr, 0xabc042);
  assertEquals(walkPages(memory, long, 0xff80_0000_0042n).fault, "notCanonical");
  assertEquals(walkPages(memory, long, 0x8000_0000_0000n).fault, "notCanonical");
});

Deno.test("a fifth level comes before the four", () => {
  const memory = fourTables();
  memory.set(0x5000, 511, 0x1000n | P | RW | US);
  const state = { ...long, cr3: 0x5000n, cr4: CR4.PAE | CR4.LA57 };
  const walk = walkPages(memory, state, 0xffff_0000_0000_0005n);
  assertEquals([walk.physAddr, walk.steps[0]!.level], [0xabc005, 5]);
  assertEquals(walkPages(memory, state, 2n ** 56n).fault, "notCanonical");
  assertEquals(walkPages(memory, state, 2n ** 55n).fault, "notPresent");
});

Deno.test("PAE paging begins with four pointers, which have no rights", () => {
  const memory = fourTables();
  memory.set(0x1020, 1, 0x3000n | P);
  const state = { ...pae, cr3: 0x1020n };
  const walk = walkPages(memory, state, 0x4000_0042n);
  assertEquals([walk.physAddr, walk.mode, walk.writable], [0xabc042, "PAE", true]);
  assertEquals(walkPages(memory, state, 2n ** 32n).fault, "notCanonical");
  for (const bit of [RW, US, A, D, PS, G, NX]) {
    memory.set(0x1020, 1, 0x3000n | P | bit);
    assertEquals(walkPages(memory, state, 0x4000_0000n).fault, "reserved");
  }
});

Deno.test("PAE's pointers that the processor keeps count more than those in memory", () => {
  const state = { ...pae, pdptrs: [0x3000n | P, 0n, 0n, 0n] };
  const walk = walkPages(fourTables(), state, 0n);
  assertEquals([walk.physAddr, walk.steps[0]!.address], [0xabc000, undefined]);
  assertEquals(walkPages(fourTables(), state, 0x4000_0000n).fault, "notPresent");
});

Deno.test("32-bit paging has two levels, of which the first can map 4 MiB above 4 GiB, too", () => {
  const memory = new Memory();
  memory.set32(0x1000, 0, 0x2000n | P | RW | US | A);
  memory.set32(0x2000, 3, 0x5_6000n | P | US | A | D);
  const small = walkPages(memory, legacy, 0x3042n);
  assertEquals([small.physAddr, small.pageSize], [0x56042, 4096]);
  assertEquals(
    [small.writable, small.user, small.executable, small.accessed, small.dirty],
    [false, true, true, true, true],
  );
  memory.set32(0x1000, 1, 0x80_0000n | 5n << 13n | P | PS);
  const large = walkPages(memory, legacy, 0x40_1234n);
  assertEquals([large.physAddr, large.pageSize], [5 * 2 ** 32 + 0x80_1234, 2 ** 22]);
  assertEquals(walkPages(memory, { ...legacy, physAddrBits: 34 }, 0x40_0000n).fault, "reserved");
  memory.set32(0x1000, 1, 0x2000n | P | PS);
  assertEquals(walkPages(memory, { ...legacy, cr4: 0n }, 0x40_3000n).physAddr, 0x56000);
});

Deno.test("entries that are absent, have reserved bits or lie outside memory end the walk there", () => {
  const cases: [number, bigint, Partial<PagingState>, string][] = [
    [0x3000, 0x4000n, {}, "notPresent"],
    [0x3000, 0x4000n | P | 1n << 51n, { physAddrBits: 48 }, "reserved"],
    [0x3000, 0x4000n | P | NX, { efer: EFER.LMA }, "reserved"],
    [0x3000, 0x4000n | P | PS | 1n << 13n, {}, "reserved"],
    [0x1000, 0x2000n | P | PS, {}, "reserved"],
    [0x3000, 0xffff_0000n | P, {}, "noMemory"],
  ];
  for (const [table, entry, state, fault] of cases) {
    const memory = fourTables();
    memory.set(table, 0, entry);
    const walk = walkPages(memory, { ...long, ...state }, 0n);
    assertEquals([walk.fault, walk.physAddr, walk.pageSize], [fault, undefined, 0]);
    assertEquals([walk.writable, walk.user, walk.executable], [false, false, false]);
    const last = walk.steps.at(-1)!;
    assertEquals(last.address, fault === "noMemory" ? 0xffff_0000 : table);
    assertEquals(last.entry, fault === "noMemory" ? undefined : entry);
  }
});

Deno.test("the tables that this library builds lead where they should", () => {
  const map = new IdentityMap("2M");
  map.add(0, 0x1000, RW);
  map.add(0x1000, 2 ** 30, RW | US);
  const memory = new Memory();
  memory.bytes.set(map.encode(0x1000), 0x1000);
  for (const [address, user, pageSize] of [[0x12, false, 4096], [0x3fff_ffff, true, 2 ** 21]]) {
    const walk = walkPages(memory, long, BigInt(address as number));
    assertEquals([walk.physAddr, walk.user, walk.pageSize], [address, user, pageSize]);
  }
  memory.bytes.set(pageDirectory32(), 0x1000);
  assertEquals(walkPages(memory, legacy, 0xffff_fffen).physAddr, 0xffff_fffe);
});

Deno.test("an address that is no bigint of 64 bits is refused, and a reader's bug is not hidden", () => {
  assertCode("EINVAL", () => walkPages(new Memory(), long, 5 as unknown as bigint));
  assertCode("EINVAL", () => walkPages(new Memory(), long, -1n));
  assertCode("EINVAL", () => walkPages(new Memory(), long, 2n ** 64n));
  const closed: PhysicalMemory = {
    readU32: () => 0,
    readU64: () => {
      throw new KvmError({ operation: "read", errno: Errno.EBADF });
    },
  };
  assertCode("EBADF", () => walkPages(closed, long, 0n));
});
