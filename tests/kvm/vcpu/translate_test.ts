import { assert, assertEquals } from "@std/assert";
import {
  CR0,
  CR4,
  EFER,
  PageEntry,
  type PagingMode,
  walkPages,
} from "../../../src/arch/x86/mod.ts";
import { longMode, pagedMode } from "../../../src/boot/mod.ts";
import { Kvm, type Vcpu } from "../../../src/kvm/mod.ts";
import type { MemorySlot } from "../../../src/memory/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, type Machine, startLong } from "../../support/machine.ts";
import { rounds } from "../../support/rounds.ts";
import { hasLa57, hasLegacyPaging } from "./probes.ts";

const { P, RW, US, A, D, PS, G, NX } = PageEntry;
const TABLES = 0x10000;
const TABLE_COUNT = 24;
const ROUNDS = rounds(2000);

/** Numbers that look random and are the same each time. */
class Chance {
  #state = 0x9e37_79b9_7f4a_7c15n;

  bits(count: number): bigint {
    this.#state = BigInt.asUintN(64, this.#state * 6364136223846793005n + 1442695040888963407n);
    return this.#state >> BigInt(64 - count);
  }

  below(limit: number): number {
    return Number(this.bits(32)) % limit;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
}

/** An entry of a table: mostly another table or a page, sometimes one with something wrong. */
function randomEntry(chance: Chance, level: number, mode: PagingMode): bigint {
  const table = BigInt(TABLES + 0x1000 * chance.below(TABLE_COUNT));
  let entry = table | chance.bits(12) & ~(P | PS | G);
  if (!chance.oneIn(12)) entry |= P;
  if (mode === "PAE" && level === 3) return entry & ~0x1e6n;
  const large = level === 2 || (level === 3 && mode !== "PAE");
  if (large && chance.oneIn(3)) {
    // A large page, mostly with an address that it can have.
    const size = mode === "32-bit" ? 22n : level === 2 ? 21n : 30n;
    entry = (chance.bits(32) >> size << size) | entry & 0xfffn | PS;
    if (mode === "32-bit") entry |= chance.bits(4) << 13n;
    else if (chance.oneIn(6)) entry |= 1n << 13n;
  }
  if (level > 3 && chance.oneIn(20)) entry |= PS;
  // AMD reserves the bit in the upper tables, Intel ignores it.
  if (level < 3 && chance.oneIn(2)) entry |= G;
  if (mode === "32-bit") return entry;
  if (chance.oneIn(4)) entry |= NX;
  if (chance.oneIn(20)) entry |= 1n << 51n;
  if (chance.oneIn(20)) entry |= 1n << 35n; // a table without memory
  if (mode !== "PAE" && chance.oneIn(3)) entry |= chance.bits(7) << 52n;
  return entry;
}

/** Fills the tables; the same one may serve as several levels, and so has a level of its own. */
function fillTables(memory: MemorySlot, chance: Chance, levels: number, mode: PagingMode): void {
  for (let table = 0; table < TABLE_COUNT; table++) {
    const level = table === 0 ? levels : 1 + chance.below(Math.max(1, levels - 1));
    const at = TABLES + 0x1000 * table;
    for (let offset = 0; offset < 0x1000; offset += mode === "32-bit" ? 4 : 8) {
      const entry = randomEntry(chance, level, mode);
      if (mode === "32-bit") memory.writeU32(at + offset, Number(entry));
      else memory.writeU64(at + offset, entry);
    }
  }
}

/** Walks and translates random addresses; how many of them were mapped, and faults by name. */
function compare({ vcpu, memory }: Machine, chance: Chance, bits: number): Map<string, number> {
  const seen = new Map<string, number>();
  const state = vcpu.pagingState();
  for (let round = 0; round < ROUNDS; round++) {
    const raw = chance.bits(bits);
    const address = bits === 32 ? raw : BigInt.asUintN(64, BigInt.asIntN(bits, raw));
    const walk = walkPages(memory, state, address);
    const what = () => `0x${address.toString(16)}: ${Deno.inspect(walk, { depth: 3 })}`;
    assertEquals(vcpu.translate(address), walk.physAddr, what());
    // The kernel's walk marks what it used.
    if (walk.fault === undefined) assert(walkPages(memory, state, address).accessed, what());
    const name = walk.fault ?? `mapped by ${walk.pageSize}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  return seen;
}

function assertSeen(seen: ReadonlyMap<string, number>, ...names: string[]): void {
  for (const name of names) assert((seen.get(name) ?? 0) > 0, `${name}: ${Deno.inspect(seen)}`);
}

function setSupportedCpuid(vcpu: Vcpu): void {
  using kvm = Kvm.open();
  vcpu.setCpuid(kvm.getSupportedCpuid());
}

Deno.test("walk and KVM_TRANSLATE agree on the tables that a long-mode guest starts with", () => {
  for (const cpl of [0, 3] as const) {
    using machine = bare(4 << 20);
    const { vcpu, memory } = machine;
    setSupportedCpuid(vcpu);
    const boot = longMode(vcpu, memory, { code: guests.halt, cpl });
    const step = BigInt((8 << 20) / ROUNDS | 1);
    for (let address = 0n; address < 8n << 20n; address += step) {
      assertEquals(vcpu.walk(address).physAddr, Number(address));
      assertEquals(vcpu.translate(address), Number(address));
    }
    const unmapped = vcpu.walk(0xffff_8000_0000_0000n);
    assertEquals([unmapped.fault, vcpu.translate(0xffff_8000_0000_0000n)], [
      "notPresent",
      undefined,
    ]);
    const { guestPhysAddr } = boot.pageTables;
    assertEquals(vcpu.walk(BigInt(guestPhysAddr)).user, cpl === 0);
    assertEquals(vcpu.walk(0x1000n).user, true);
  }
});

Deno.test("walk and KVM_TRANSLATE agree on random tables of four levels", () => {
  for (const efer of [EFER.LME | EFER.LMA | EFER.NXE, EFER.LME | EFER.LMA]) {
    using machine = startLong([0xf4]);
    const { vcpu, memory } = machine;
    setSupportedCpuid(vcpu);
    const chance = new Chance();
    fillTables(memory, chance, 4, "4-level");
    vcpu.setSregs({ cr3: BigInt(TABLES), efer });
    const seen = compare(machine, chance, 48);
    assertSeen(seen, "mapped by 4096", "notPresent", "reserved", "noMemory");
    assertSeen(seen, `mapped by ${2 ** 21}`);
    assertEquals(seen.has(`mapped by ${2 ** 30}`), vcpu.pagingState().gbPages);
  }
});

Deno.test(
  needing("five levels of page tables", hasLa57(), "walk and KVM_TRANSLATE agree on five levels"),
  () => {
    using machine = startLong([0xf4]);
    const { vcpu, memory } = machine;
    setSupportedCpuid(vcpu);
    const chance = new Chance();
    fillTables(memory, chance, 5, "5-level");
    const { cr4, efer } = vcpu.getSregs();
    vcpu.setSregs({ cr3: BigInt(TABLES), cr4: cr4 | CR4.LA57, efer: efer | EFER.NXE });
    assertEquals(vcpu.walk(0n).mode, "5-level");
    assertSeen(compare(machine, chance, 57), "mapped by 4096", "notPresent", "reserved");
  },
);

const legacy = hasLegacyPaging();

Deno.test(
  needing("paging outside long mode", legacy, "walk and KVM_TRANSLATE agree on PAE paging"),
  () => {
    using machine = bare();
    const { vcpu, memory } = machine;
    setSupportedCpuid(vcpu);
    pagedMode(vcpu, memory, { code: Uint8Array.of(0xf4) });
    const chance = new Chance();
    fillTables(memory, chance, 3, "PAE");
    for (let index = 0; index < 4; index++) {
      memory.writeU64(TABLES + 8 * index, BigInt(TABLES + 0x1000 * (index + 1)) | P);
    }
    const { cr4 } = vcpu.getSregs();
    vcpu.setSregs({ cr3: BigInt(TABLES), cr4: cr4 | CR4.PAE, efer: EFER.NXE });
    assertEquals(vcpu.walk(0n).mode, "PAE");
    const seen = compare(machine, chance, 32);
    assertSeen(seen, "mapped by 4096", `mapped by ${2 ** 21}`, "notPresent", "reserved");
  },
);

Deno.test(
  needing("paging outside long mode", legacy, "walk and KVM_TRANSLATE agree on 32-bit paging"),
  () => {
    for (const pse of [CR4.PSE, 0n]) {
      using machine = bare();
      const { vcpu, memory } = machine;
      setSupportedCpuid(vcpu);
      pagedMode(vcpu, memory, { code: Uint8Array.of(0xf4) });
      const chance = new Chance();
      fillTables(memory, chance, 2, "32-bit");
      const { cr4 } = vcpu.getSregs();
      vcpu.setSregs({ cr3: BigInt(TABLES), cr4: cr4 & ~CR4.PSE | pse });
      assertEquals(vcpu.walk(0n).mode, "32-bit");
      const seen = compare(machine, chance, 32);
      assertSeen(seen, "mapped by 4096", "notPresent");
      assertEquals(seen.has(`mapped by ${2 ** 22}`), pse !== 0n);
    }
  },
);

Deno.test("without paging every address is its own", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setSregs({ cr0: CR0.ET });
  assertEquals(vcpu.walk(0x1234_5678n).physAddr, 0x1234_5678);
  assertEquals(vcpu.translate(0x1234_5678n), 0x1234_5678);
});

Deno.test("a walk changes nothing, KVM_TRANSLATE sets accessed bits", () => {
  using machine = startLong([0xf4]);
  const { vcpu, memory } = machine;
  const entry = vcpu.walk(0x1000n).steps.at(-1)!;
  assertEquals(memory.readU64(entry.address!) & (A | D), 0n);
  assertEquals(memory.readU64(entry.address!) & (P | RW | US | PS), P | RW | US | PS);
  vcpu.translate(0x1000n);
  assertEquals(memory.readU64(entry.address!) & (A | D), A);
});

Deno.test("after a guest has written to a page, the walk finds it dirty", () => {
  using machine = startLong([
    ...[0xc6, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00, 0x01], // mov byte [0x3000], 1
    0xf4, // hlt
  ]);
  const { vcpu } = machine;
  assertEquals(vcpu.walk(0x3000n).dirty, false);
  vcpu.run();
  const { accessed, dirty } = vcpu.walk(0x3000n);
  assertEquals([accessed, dirty], [true, true]);
});

Deno.test("a closed vCPU translates nothing", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.close();
  assertCode("EBADF", () => vcpu.translate(0n));
  assertCode("EBADF", () => vcpu.walk(0n));
});
