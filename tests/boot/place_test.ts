import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import {
  type Boot,
  type BootOptions,
  longMode,
  type LongModeOptions,
  pagedMode,
  protectedMode,
  readException,
  realMode,
} from "../../src/boot/mod.ts";
import type { Range } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";
import { rounds } from "../support/rounds.ts";
import { code } from "../support/instructions.ts";
import { LooseMemory, NotedVcpu, type SlotShape } from "../support/loose.ts";

const modes = { realMode, protectedMode, pagedMode, longMode };
type Mode = keyof typeof modes;
const names = Object.keys(modes) as Mode[];
const PAGE = 4096;

/** The same numbers in every run of the tests. */
class Random {
  #state = 12345;

  /** A whole number from 0 to below a limit. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

function end({ guestPhysAddr, size }: Range): number {
  return guestPhysAddr + size;
}

function disjoint(ranges: readonly Range[]): boolean {
  const sorted = ranges.toSorted((a, b) => a.guestPhysAddr - b.guestPhysAddr);
  return sorted.every((range, at) => at === 0 || end(sorted[at - 1]!) <= range.guestPhysAddr);
}

/** Every range that a start's description names. */
function structures(boot: Boot): Range[] {
  const isRange = (value: unknown): value is Range =>
    typeof value === "object" && value !== null && "guestPhysAddr" in value;
  const { exceptions, ...rest } = boot as Boot & { exceptions?: object };
  return [...Object.values(rest), ...Object.values(exceptions ?? {})].filter(isRange);
}

/** Every page that holds something else than zeroes. */
function dirtyPages(memory: LooseMemory["memory"]): number[] {
  return memory.slots.flatMap(({ all, guestPhysAddr }) => {
    const pages: number[] = [];
    for (let at = 0; at < all.length; at += PAGE) {
      const words = new BigUint64Array(all.buffer, at, PAGE / 8);
      if (words.some((word) => word !== 0n)) pages.push(guestPhysAddr + at);
    }
    return pages;
  });
}

Deno.test("Structures overlap neither the code nor each other, wherever it is and however long", () => {
  const random = new Random();
  let started = 0;
  const count = rounds(600);
  for (let round = 0; round < count; round++) {
    const shapes: SlotShape[] = [];
    let from = random.pick([0, 0, 0x1000, 0x8_0000]);
    for (let slots = 1 + random.below(3); slots > 0; slots--) {
      const size = PAGE * (1 + random.below(24));
      shapes.push({ guestPhysAddr: from, size, readonly: random.below(5) === 0 });
      from += size + PAGE * random.below(3);
    }
    using loose = new LooseMemory(shapes);
    const { memory } = loose;
    const first = random.pick(shapes);
    const at = first.guestPhysAddr + random.below(first.size);
    const image = new Uint8Array(1 + random.below(random.pick([16, 4096, 40_000]))).fill(0xcc);
    const mode = random.pick(names);
    const avoid = { guestPhysAddr: random.below(from), size: 1 + random.below(5000) };
    const common: BootOptions = {
      code: image,
      at,
      avoid: [avoid],
      stack: random.below(4) === 0 ? 16 * random.below(from / 16) : undefined,
    };
    const options: LongModeOptions = mode !== "longMode" ? common : {
      ...common,
      cpl: random.pick([0, 3]),
      idt: random.pick([undefined, true, { handlers: { 255: 0x1000 } }]),
      pageSize: random.pick(["2M", "1G"]),
    };
    const vcpu = new NotedVcpu();
    let boot: Boot;
    const entry = at < 0x10000 ? at : { segment: at >> 4, offset: at & 15 };
    try {
      boot = mode === "realMode"
        ? realMode(vcpu, memory, { ...options, entry })
        : modes[mode](vcpu, memory, options);
    } catch (error) {
      assert(error instanceof KvmError, String(error));
      assert(["ENOMEM", "E2BIG", "EINVAL"].includes(error.code), error.message);
      assertEquals(vcpu.sets, 0);
      assertEquals(dirtyPages(memory), [], `${error.message}, after something was written`);
      continue;
    }
    started++;
    const story = Deno.inspect({ mode, shapes, options, boot }, { depth: 4 });
    assert(disjoint(boot.reserved), story);
    assertEquals(memory.readBytes(at, image.length), image, story);
    const given = boot.reserved.filter((range) => range !== boot.code);
    for (const range of given) {
      const slot = memory.slots.filter(({ flags }) => flags === 0);
      for (let byte = range.guestPhysAddr; byte < end(range); byte += 64) {
        assert(slot.some((one) => byte >= one.guestPhysAddr && byte < one.end), story);
      }
      assert(disjoint([range, avoid]), story);
    }
    for (const range of structures(boot)) {
      const inside = boot.reserved.some((whole) =>
        whole.guestPhysAddr <= range.guestPhysAddr && end(range) <= end(whole)
      );
      assert(inside, story);
    }
    assert(disjoint(structures(boot)), story);
    for (const page of dirtyPages(memory)) {
      const known = boot.reserved.some((range) =>
        range.guestPhysAddr < page + PAGE && end(range) > page
      );
      assert(known, `page ${page} was written: ${story}`);
    }
  }
  assert(started > count / 4, `only ${started} guests were started`);
});

/** The pages at 0x1000 that each mode can do with, for code of a few bytes. */
const least: readonly (readonly [mode: Mode, pages: number, options?: Partial<LongModeOptions>])[] =
  [
    ["realMode", 1],
    ["protectedMode", 1],
    ["pagedMode", 2],
    ["longMode", 7],
    ["longMode", 3, { pageSize: "1G" }],
    ["longMode", 4, { map: 2 ** 21 }],
    ["longMode", 8, { idt: true }],
    ["longMode", 10, { cpl: 3 }],
    ["longMode", 8, { cpl: 3, idt: false, map: 2 ** 30, pageSize: "1G" }],
  ];

Deno.test("Each mode starts in the least memory, and with less says how much it needs", () => {
  const halt = code(0xf4);
  for (const [mode, pages, options] of least) {
    const size = pages * PAGE;
    const what = `${mode} ${Deno.inspect(options)} in ${pages} pages`;
    {
      using loose = new LooseMemory([{ guestPhysAddr: 0x1000, size }]);
      modes[mode](new NotedVcpu(), loose.memory, { ...options, code: halt });
    }
    if (pages > 1) {
      using loose = new LooseMemory([{ guestPhysAddr: 0x1000, size: size - PAGE }]);
      const start = () => modes[mode](new NotedVcpu(), loose.memory, { ...options, code: halt });
      assertCode("ENOMEM", start, `${what} but one`);
    }
    // The code takes all but a few bytes of what the structures would need.
    using loose = new LooseMemory([{ guestPhysAddr: 0x1000, size }]);
    const image = new Uint8Array(pages * PAGE - 900).fill(0xf4);
    const error = assertCode("ENOMEM", () => {
      modes[mode](new NotedVcpu(), loose.memory, { ...options, code: image });
    }, what);
    const needed = Number(/needs (\d+) bytes/.exec(error.hint ?? "")?.[1]);
    assert(needed > 900 && needed <= pages * PAGE, error.message);
    assertStringIncludes(error.message, "the stack");
    using enough = new LooseMemory([
      { guestPhysAddr: 0x1000, size },
      { guestPhysAddr: 0x1000 + size, size: Math.ceil(needed / PAGE) * PAGE },
    ]);
    modes[mode](new NotedVcpu(), enough.memory, { ...options, code: image });
  }
});

Deno.test("Structures go to the top of memory, below 4 GiB if there is any, and the stack lowest", () => {
  using loose = new LooseMemory([
    { guestPhysAddr: 0, size: 1 << 20 },
    { guestPhysAddr: 2 ** 33, size: 1 << 20 },
  ]);
  const boot = longMode(new NotedVcpu(), loose.memory, { code: code(0xf4), idt: true });
  assertEquals(end(boot.pageTables), 1 << 20);
  for (const range of structures(boot)) {
    if (range !== boot.code) assert(range.guestPhysAddr >= boot.stack);
  }
});

Deno.test("Memory above 4 GiB is mapped, and holds the structures where there is no other", () => {
  const guestPhysAddr = 5 * 2 ** 40;
  using loose = new LooseMemory([{ guestPhysAddr, size: 1 << 20 }]);
  const at = guestPhysAddr + 0x1000;
  const vcpu = new NotedVcpu();
  const boot = longMode(vcpu, loose.memory, { code: code(0xf4), at });
  assert(boot.reserved.every((range) => range.guestPhysAddr >= guestPhysAddr));
  // 4 GiB and one more of each table for the 2 MiB up there.
  assertEquals(boot.pageTables.size, (6 + 2) * PAGE);
  assertEquals(vcpu.regs.rip, BigInt(at));
});

Deno.test("A second vCPU's structures keep clear of what the first one was given", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 20 }]);
  const image = code(0xf4);
  const first = longMode(new NotedVcpu(), loose.memory, { code: image, cpl: 3 });
  const avoid = first.reserved;
  const second = longMode(new NotedVcpu(), loose.memory, { code: image, cpl: 3, avoid });
  const theirs = second.reserved.filter((range) => range !== second.code);
  assert(disjoint([...first.reserved, ...theirs]));
});

Deno.test("One slot of several can hold the whole guest", () => {
  using loose = new LooseMemory([
    { guestPhysAddr: 0, size: 1 << 20 },
    { guestPhysAddr: 1 << 20, size: 1 << 20 },
  ]);
  const slot = loose.memory.slots[0]!;
  const boot = longMode(new NotedVcpu(), slot, { code: code(0xf4), idt: true });
  assert(boot.reserved.every((range) => end(range) <= slot.end));
  assertEquals(readException(slot, boot), undefined);
});

Deno.test("Code that can't be started is refused before anything is written", () => {
  const shapes = [{ guestPhysAddr: 0x1000, size: 0x1_0000 }];
  const cases: readonly (readonly [string, Partial<LongModeOptions>])[] = [
    ["EINVAL", { code: new Uint8Array(0) }],
    ["EINVAL", { at: -1 }],
    ["EINVAL", { at: 4096.5 }],
    ["EINVAL", { at: NaN }],
    ["EFAULT", { at: 0xfff }],
    ["EFAULT", { at: 0x1_1000 }],
    ["E2BIG", { at: 0x1_0ffe }],
    ["E2BIG", { code: new Uint8Array(0x1_0001) }],
    ["EINVAL", { entry: 0xfff }],
    ["EINVAL", { entry: 0x1003 }],
    ["EINVAL", { stack: 0x8001 }],
    ["EINVAL", { stack: 0x2_0000 }],
    ["EINVAL", { stack: 0x1000 }],
    ["EINVAL", { stack: -16 }],
    ["EINVAL", { registers: { rip: 0n } as object }],
    ["EINVAL", { registers: { rax: 1 } as object }],
    ["EINVAL", { registers: { rflags: 1n << 15n } }],
    ["EINVAL", { registers: { rflags: 1n << 17n } }],
    ["EINVAL", { avoid: {} as [] }],
    ["EINVAL", { avoid: [{ guestPhysAddr: 0 } as Range] }],
    ["EINVAL", { avoid: [{ guestPhysAddr: NaN, size: 1 }] }],
    ["ENOMEM", { avoid: [{ guestPhysAddr: 0, size: 2 ** 40 }] }],
    ...[5n, "0x8000", Symbol("an address"), null].flatMap((value) =>
      ["at", "entry", "stack"].map((name) => ["EINVAL", { [name]: value }] as const)
    ),
  ];
  for (const mode of names) {
    for (const [expected, options] of cases) {
      using loose = new LooseMemory(shapes);
      const vcpu = new NotedVcpu();
      const image = code(0x90, 0x90, 0xf4);
      const what = `${mode} ${Deno.inspect(options)}`;
      assertCode(expected, () => {
        modes[mode](vcpu, loose.memory, { code: image, ...options } as LongModeOptions);
      }, what);
      assertEquals([vcpu.sets, dirtyPages(loose.memory)], [0, []], what);
    }
  }
});

Deno.test("What is no guest memory is refused by every mode", () => {
  for (const mode of names) {
    for (const memory of [undefined, null, {}, { slots: [] }, new Uint8Array(4096)]) {
      const start = () => modes[mode](new NotedVcpu(), memory as never, { code: code(0xf4) });
      const { message } = assertCode("EINVAL", start, `${mode} ${Deno.inspect(memory)}`);
      assertStringIncludes(message, "The memory is a MemorySlot");
    }
  }
});

Deno.test("Memory that is closed is named as the reason", () => {
  const loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 20 }]);
  const slot = loose.memory.slots[0]!;
  loose[Symbol.dispose]();
  for (const memory of [slot, loose.memory]) {
    assertCode("EBADF", () => longMode(new NotedVcpu(), memory, { code: code(0xf4) }));
  }
});

Deno.test("Read-only memory may hold the code, but neither structures nor stack", () => {
  using loose = new LooseMemory([
    { guestPhysAddr: 0, size: 1 << 16 },
    { guestPhysAddr: 1 << 16, size: 1 << 16, readonly: true },
  ]);
  const at = 1 << 16;
  const boot = longMode(new NotedVcpu(), loose.memory, { code: code(0xf4), at });
  assertEquals(boot.entry, at);
  assert(boot.reserved.every((range) => range === boot.code || end(range) <= at));
});
