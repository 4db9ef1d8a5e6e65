import { assert, assertEquals } from "@std/assert";
import {
  FW_CFG,
  FW_CFG_DMA,
  FW_CFG_ID,
  FW_CFG_KEY,
  FwCfg,
  fwCfgState,
} from "../../src/devices/mod.ts";
import { assertCode } from "../support/codes.ts";
import { stands, type Wires } from "./support.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** 64 KiB of memory at 0, which throws elsewhere. */
class Memory {
  readonly bytes = new Uint8Array(0x1_0000);
  #check(address: number, length: number): void {
    if (address + length > this.bytes.length) throw new RangeError("no such memory");
  }
  readBytes(address: number, length: number): Uint8Array {
    this.#check(address, length);
    return this.bytes.slice(address, address + length);
  }
  writeBytes(address: number, bytes: Uint8Array): void {
    this.#check(address, bytes.length);
    this.bytes.set(bytes, address);
  }
}

function make(memory?: Memory, state?: FwCfg["state"]): FwCfg {
  const fwCfg = new FwCfg({ memory }, state);
  fwCfg.add("opt/two", text("second"));
  fwCfg.add("etc/one", text("first"));
  return fwCfg;
}

const memories = new WeakMap<Wires, Memory>();

stands<FwCfg>({
  name: "fw_cfg",
  make(wires, state) {
    if (!memories.has(wires)) memories.set(wires, new Memory());
    return make(memories.get(wires), state);
  },
  offsets: [0, 1, 4, 5, 8, 11],
  table: fwCfgState,
  values: [0, 1, 3, 0x19, 0x20, 0x21, 0x4020, 0x8000, 0x0010_0000, 0x0020_0000, 0xf0ff_0000],
  actions: [
    (fwCfg) => fwCfg.write(0, 2, FW_CFG_KEY.FILE_DIR),
    // The guest's structure, at an address that the values above have, big-endian.
    (fwCfg, random, wires) => {
      const { bytes } = memories.get(wires)!;
      new DataView(bytes.buffer).setUint32(0x1000, random & 0x003f_001f);
      new DataView(bytes.buffer).setUint32(0x1004, random >> 8);
      fwCfg.write(8, 4, 0x0010_0000);
    },
  ],
});

function read(fwCfg: FwCfg, key: number, length: number): Uint8Array {
  fwCfg.write(FW_CFG.SELECTOR, 2, key);
  return Uint8Array.from({ length }, () => fwCfg.read(FW_CFG.DATA, 1));
}

const word = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer).getUint32(at);

interface Operation {
  control: number;
  length?: number;
  address?: number;
  /** Where the structure lies; 0x100 if left out. */
  at?: number;
}

/** The guest starts a DMA operation; its control field afterwards. */
function dma(fwCfg: FwCfg, memory: Memory, operation: Operation): number {
  const { control, length = 0, address = 0, at = 0x100 } = operation;
  const view = new DataView(memory.bytes.buffer);
  view.setUint32(at, control);
  view.setUint32(at + 4, length);
  view.setBigUint64(at + 8, BigInt(address));
  const swapped = new DataView(new ArrayBuffer(4));
  swapped.setUint32(0, at);
  fwCfg.write(FW_CFG.DMA_LOW, 4, swapped.getUint32(0, true));
  return view.getUint32(at);
}

const select = (key: number) => (key << 16 | FW_CFG_DMA.SELECT) >>> 0;

Deno.test("the signature is QEMU, and it is selected after power-on", () => {
  const fwCfg = make();
  const bytes = Array.from({ length: 6 }, () => fwCfg.read(FW_CFG.DATA, 1));
  assertEquals(bytes, [...text("QEMU"), 0, 0]);
  assertEquals(read(fwCfg, FW_CFG_KEY.SIGNATURE, 4), text("QEMU"));
});

Deno.test("the id has the DMA bit where memory is connected, and the register then says so", () => {
  assertEquals([...read(make(), FW_CFG_KEY.ID, 4)], [FW_CFG_ID.TRADITIONAL, 0, 0, 0]);
  const fwCfg = make(new Memory());
  assertEquals([...read(fwCfg, FW_CFG_KEY.ID, 4)], [
    FW_CFG_ID.TRADITIONAL | FW_CFG_ID.DMA,
    ...[0, 0, 0],
  ]);
  const signature = new DataView(new ArrayBuffer(8));
  signature.setUint32(0, fwCfg.read(FW_CFG.DMA_HIGH, 4), true);
  signature.setUint32(4, fwCfg.read(FW_CFG.DMA_LOW, 4), true);
  assertEquals(new TextDecoder().decode(signature), "QEMU CFG");
  assertEquals(make().read(FW_CFG.DMA_HIGH, 4), 0xffff_ffff);
});

Deno.test("the directory lists the files by name, with their sizes and keys", () => {
  const fwCfg = make();
  fwCfg.add("etc/a", text(""));
  assertEquals(fwCfg.files, ["etc/a", "etc/one", "opt/two"]);
  const bytes = read(fwCfg, FW_CFG_KEY.FILE_DIR, 4 + 3 * 64);
  assertEquals(word(bytes, 0), 3);
  const entries = [0, 1, 2].map((index) => {
    const at = 4 + 64 * index;
    const name = new TextDecoder().decode(bytes.subarray(at + 8, at + 64)).replace(/\0+$/, "");
    return [word(bytes, at), word(bytes, at + 4) >>> 16, name];
  });
  assertEquals(entries, [[0, 0x20, "etc/a"], [5, 0x21, "etc/one"], [6, 0x22, "opt/two"]]);
  assertEquals(read(fwCfg, 0x22, 8), text("second\0\0"));
});

Deno.test("all 16,352 keys can be files', which are sorted once and not with each of them", () => {
  const fwCfg = new FwCfg();
  const count = FW_CFG_KEY.LIMIT - FW_CFG_KEY.FILE_FIRST;
  for (let file = count; file-- > 0;) {
    fwCfg.add(`opt/${String(file).padStart(5, "0")}`, Uint8Array.of(file, file >> 8));
  }
  assertCode("ENOSPC", () => fwCfg.add("opt/more", text("")));
  for (const key of [FW_CFG_KEY.FILE_FIRST, 0x1234, FW_CFG_KEY.LIMIT - 1]) {
    const file = key - FW_CFG_KEY.FILE_FIRST;
    assertEquals(read(fwCfg, key, 2), Uint8Array.of(file, file >> 8));
  }
  assertEquals(word(read(fwCfg, FW_CFG_KEY.FILE_DIR, 4), 0), count);
});

Deno.test("an item reads zeroes behind its end and from the start when it is selected again", () => {
  const fwCfg = make();
  for (let turn = 0; turn < 2; turn++) assertEquals(read(fwCfg, 0x20, 7), text("first\0\0"));
  assertEquals(read(fwCfg, 0x4020, 5), text("first"), "bit 14 makes no difference");
  assertEquals([...read(fwCfg, 0x1234, 2)], [0, 0]);
});

Deno.test("items of the host's own are a copy, and are where their key is", () => {
  const fwCfg = make();
  const size = Uint8Array.of(0, 0, 0, 0x10, 0, 0, 0, 0);
  fwCfg.set(FW_CFG_KEY.RAM_SIZE, size);
  fwCfg.set(FW_CFG_KEY.ARCH_LOCAL + 3, Uint8Array.of(1, 2));
  size.fill(0xff);
  assertEquals([...read(fwCfg, FW_CFG_KEY.RAM_SIZE, 4)], [0, 0, 0, 0x10]);
  assertEquals([...read(fwCfg, FW_CFG_KEY.ARCH_LOCAL + 3, 2)], [1, 2]);
});

Deno.test("names and keys that can't be are refused", () => {
  const fwCfg = make();
  for (const name of ["", "x".repeat(56), "a\0b", "\u00e9"]) {
    assertCode("EINVAL", () => fwCfg.add(name, text("")), name);
  }
  fwCfg.add("x".repeat(55), text(""));
  assertCode("EEXIST", () => fwCfg.add("etc/one", text("")));
  for (const key of [FW_CFG_KEY.FILE_DIR, 0x20, 0x3fff, 0x4000, 0xc000, 0x1_0000, -1, 0.5]) {
    assertCode("EINVAL", () => fwCfg.set(key, text("")), String(key));
  }
  const gone = text("gone");
  gone.buffer.transfer();
  for (const bytes of [gone, undefined, "text", [1]]) {
    assertCode("EINVAL", () => fwCfg.add("opt/gone", bytes as Uint8Array));
    assertCode("EINVAL", () => fwCfg.set(FW_CFG_KEY.RAM_SIZE, bytes as Uint8Array));
  }
});

Deno.test("DMA selects and copies, over the item's end zeroes", () => {
  const memory = new Memory();
  const fwCfg = make(memory);
  memory.bytes.fill(0xee, 0x200, 0x210);
  const control = select(0x20) | FW_CFG_DMA.READ;
  assertEquals(dma(fwCfg, memory, { control, length: 8, address: 0x200 }), 0);
  assertEquals(memory.readBytes(0x200, 9), Uint8Array.of(...text("first"), 0, 0, 0, 0xee));
});

Deno.test("DMA goes on where the last one ended, and skips", () => {
  const memory = new Memory();
  const fwCfg = make(memory);
  assertEquals(dma(fwCfg, memory, { control: select(0x21) }), 0);
  assertEquals(dma(fwCfg, memory, { control: FW_CFG_DMA.SKIP, length: 2 }), 0);
  assertEquals(dma(fwCfg, memory, { control: FW_CFG_DMA.READ, length: 2, address: 0x200 }), 0);
  assertEquals(fwCfg.read(FW_CFG.DATA, 1), "n".charCodeAt(0));
  assertEquals(dma(fwCfg, memory, { control: FW_CFG_DMA.READ, length: 4, address: 0x202 }), 0);
  assertEquals(memory.readBytes(0x200, 6), text("cod\0\0\0").with(2, "d".charCodeAt(0)));
  assertEquals(dma(fwCfg, memory, { control: FW_CFG_DMA.SKIP, length: 0xffff_ffff }), 0);
  assertEquals(fwCfg.read(FW_CFG.DATA, 1), 0);
});

Deno.test("DMA to memory that is not there is an error, and nothing else happens", () => {
  const memory = new Memory();
  const fwCfg = make(memory);
  const control = select(0x20) | FW_CFG_DMA.READ;
  for (const address of [0xffff, 0x1_0000, 2 ** 40, 2 ** 53, 2 ** 63, 2 ** 64 - 2048]) {
    for (const length of [4, 0x1000, 0xffff_ffff]) {
      assertEquals(dma(fwCfg, memory, { control, length, address }), FW_CFG_DMA.ERROR);
    }
  }
  assertEquals(dma(fwCfg, memory, { control, address: 2 ** 63 }), 0, "no bytes need no memory");
  assertEquals(dma(fwCfg, memory, { control: FW_CFG_DMA.WRITE, length: 1 }), FW_CFG_DMA.ERROR);
});

Deno.test("a DMA structure that is not in memory is passed over", () => {
  const memory = new Memory();
  const fwCfg = make(memory);
  const before = memory.bytes.slice();
  for (const [high, low] of [[0, 0x0000_0100], [0, 0xf8ff_0000], [0xffff_ffff, 0xffff_ffff]]) {
    fwCfg.write(FW_CFG.DMA_HIGH, 4, high!);
    fwCfg.write(FW_CFG.DMA_LOW, 4, low!);
  }
  assertEquals(memory.bytes, before);
  assertEquals(fwCfg.state.dmaHigh, 0, "the address is zero after each");
});

Deno.test("a structure above 4 GiB has its upper half written first", () => {
  const seen: number[] = [];
  const memory = {
    readBytes(address: number): Uint8Array {
      seen.push(address);
      throw new RangeError("no such memory");
    },
    writeBytes() {},
  };
  const fwCfg = new FwCfg({ memory });
  fwCfg.write(FW_CFG.DMA_HIGH, 4, 0x0100_0000);
  fwCfg.write(FW_CFG.DMA_LOW, 4, 0x0010_0000);
  fwCfg.write(FW_CFG.DMA_LOW, 4, 0x0010_0000);
  assertEquals(seen, [2 ** 32 + 0x1000, 0x1000]);
});

Deno.test("an error that is not memory's is not hidden", () => {
  const memory = {
    readBytes(): Uint8Array {
      throw new TypeError("a mistake of the host's");
    },
    writeBytes() {},
  };
  const fwCfg = new FwCfg({ memory });
  let error: unknown;
  try {
    fwCfg.write(FW_CFG.DMA_LOW, 4, 0);
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof TypeError);
});
