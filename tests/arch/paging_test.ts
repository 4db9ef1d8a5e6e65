import { assert, assertEquals } from "@std/assert";
import { IdentityMap, pageDirectory32, PageEntry } from "../../src/arch/x86/mod.ts";

const { P, RW, US, PS } = PageEntry;
const GIB = 2 ** 30;
const BASE = 0x7654_3000;

/** What an address is mapped to, by the walk that the processor makes. */
function walk(
  tables: Uint8Array<ArrayBuffer>,
  address: number,
): { to: number; size: number; user: boolean } | undefined {
  const entries = new BigUint64Array(tables.buffer);
  let table = 0;
  let user = true;
  for (let level = 4; level >= 1; level--) {
    const span = 2 ** (12 + 9 * (level - 1));
    const entry = entries[table / 8 + (Math.floor(address / span) % 512)]!;
    if ((entry & P) === 0n) return undefined;
    user &&= (entry & US) !== 0n;
    const target = Number(entry & 0x000f_ffff_ffff_f000n);
    if (level === 1 || (entry & PS) !== 0n) {
      return { to: target + (address % span), size: span, user };
    }
    table = target - BASE;
    assert(table >= 0 && table < tables.length, "a table outside the block");
  }
  return undefined;
}

Deno.test("Every mapped address is mapped to itself, and no other is mapped", () => {
  const map = new IdentityMap("2M");
  map.add(0, 4 * GIB, RW | US);
  map.add(700 * GIB, 701 * GIB, RW | US);
  const tables = map.encode(BASE);
  assertEquals(tables.length, map.size);
  for (
    const address of [0, 0x1234, 0x20_0000, 3 * GIB + 5, 4 * GIB - 1, 700 * GIB, 701 * GIB - 1]
  ) {
    assertEquals(walk(tables, address), { to: address, size: 2 ** 21, user: true });
  }
  for (const address of [4 * GIB, 512 * GIB, 699 * GIB, 701 * GIB, 2 ** 47 - 1]) {
    assertEquals(walk(tables, address), undefined);
  }
});

Deno.test("4 GiB take six tables with 2 MiB pages and two with 1 GiB pages", () => {
  for (const [pageSize, tables] of [["2M", 6], ["1G", 2]] as const) {
    const map = new IdentityMap(pageSize);
    map.add(0, 4 * GIB, RW);
    assertEquals(map.size, tables * 4096);
  }
  const small = new IdentityMap("4K");
  small.add(0, 2 ** 24, RW);
  assertEquals(small.size, (3 + 8) * 4096);
});

Deno.test("A change within a large page splits it and leaves its neighbours alone", () => {
  for (const [pageSize, more] of [["2M", 1], ["1G", 2]] as const) {
    const map = new IdentityMap(pageSize);
    map.add(0, 4 * GIB, RW | US);
    const before = map.size;
    map.add(0x5000, 0x8000, RW);
    assertEquals(map.size, before + more * 4096);
    const tables = map.encode(BASE);
    for (const address of [0x4fff, 0x8000, 0x1f_ffff, 0x20_0000, GIB]) {
      const entry = walk(tables, address);
      assertEquals([entry?.to, entry?.user], [address, true]);
    }
    for (const address of [0x5000, 0x7fff]) {
      assertEquals(walk(tables, address), { to: address, size: 4096, user: false });
    }
    map.add(0x5000, 0x8000, RW | US);
    assertEquals(walk(map.encode(BASE), 0x5000), { to: 0x5000, size: 4096, user: true });
  }
});

Deno.test("A range that covers whole pages changes them without a new table", () => {
  const map = new IdentityMap("2M");
  map.add(0, GIB, RW | US);
  const before = map.size;
  map.add(2 ** 21, 2 ** 22, RW);
  assertEquals(map.size, before);
  assertEquals(walk(map.encode(BASE), 2 ** 21)?.user, false);
  assertEquals(walk(map.encode(BASE), 2 ** 22)?.user, true);
});

Deno.test("A 32-bit page directory maps 4 GiB to themselves in 4 MiB pages", () => {
  const entries = new Uint32Array(pageDirectory32().buffer);
  assertEquals(entries.length, 1024);
  assertEquals([entries[0], entries[1], entries[1023]], [0x87, 0x40_0087, 0xffc0_0087]);
});
