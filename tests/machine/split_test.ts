import { assertEquals } from "@std/assert";
import type { Device } from "../../src/devices/mod.ts";
import type { Machine, MachineOptions } from "../../src/machine/mod.ts";
import {
  debugExit,
  inEax,
  loads,
  movDx,
  movEax,
  outb,
  outEax,
  repIns,
  repOuts,
  spin,
  stores,
} from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";

/** Where a guest puts what it has read, 8 bytes for each access. */
const CELLS = 0x4_0000;
/** What it writes, from the lowest byte on: never zero, and no byte like another. */
const PATTERN = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];

/** What a byte of a device reads as: another value at each address. */
const byteAt = (address: number) => address * 7 + 3 & 0x7f;

/** A device of which each byte can be told, and which notes each byte that is written. */
function bytes(base: number, log: string[]): Device {
  return {
    read(offset, size) {
      let value = 0;
      for (let at = 0; at < size; at++) value += byteAt(base + offset + at) * 256 ** at;
      return value;
    },
    write(offset, size, value) {
      for (let at = 0; at < size; at++) {
        log.push(noted(base + offset + at, Math.floor(value / 256 ** at) & 0xff));
      }
    },
  };
}

const noted = (address: number, byte: number) => `${address.toString(16)}: ${byte.toString(16)}`;

interface Access {
  readonly address: number;
  readonly size: number;
}

/** Each of the sizes at each of the addresses. */
function accesses(first: number, last: number, sizes: readonly number[]): Access[] {
  const addresses = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return addresses.flatMap((address) => sizes.map((size) => ({ address, size })));
}

type Map = (machine: Machine, start: number, length: number, device: Device) => Disposable;

/** Has a guest read and write so, with devices at these ranges, and compares byte for byte. */
async function compare(
  map: Map,
  ranges: readonly (readonly [start: number, length: number])[],
  tried: readonly Access[],
  read: (access: Access, cell: number) => number[],
  write: (access: Access) => number[],
): Promise<void> {
  const log: string[] = [];
  const reads = tried.flatMap((access, at) => read(access, CELLS + 8 * at));
  await using guest = await pc(
    flat(reads, tried.flatMap(write), debugExit(0)),
    async (machine) => {
      for (const [start, length] of ranges) map(machine, start, length, bytes(start, log));
      await machine.resume();
    },
  );
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
  const isOwned = (address: number) =>
    ranges.some(([start, length]) => address >= start && address < start + length);
  const addressesOf = ({ address, size }: Access) =>
    Array.from({ length: size }, (_, at) => address + at);
  for (const [at, access] of tried.entries()) {
    const seen = [...guest.machine.memory.readBytes(CELLS + 8 * at, access.size)];
    const expected = addressesOf(access).map((address) =>
      isOwned(address) ? byteAt(address) : 0xff
    );
    assertEquals(seen, expected, `${access.size} bytes at ${access.address.toString(16)}`);
  }
  const expected = tried.flatMap((access) =>
    addressesOf(access).flatMap((address, at) =>
      isOwned(address) ? [noted(address, PATTERN[at]!)] : []
    )
  );
  assertEquals(log, expected);
}

/** mov rax, the bytes from the lowest on */
const movRax = (bytes: readonly number[]) => [0x48, 0xb8, ...bytes];
const mapPorts: Map = (machine, start, count, device) => machine.mapPorts(start, count, device);
const mapMmio: Map = (machine, start, size, device) => machine.mapMmio(start, size, device);
const readPort = ({ address, size }: Access, cell: number) => [
  ...movDx(address),
  ...inEax(size),
  ...stores(cell, 4),
];
const writePort = ({ address, size }: Access) => [
  ...movDx(address),
  ...movEax(0x4433_2211),
  ...outEax(size),
];

Deno.test("of a port access each byte is its device's, and where there is none it reads ones", async () => {
  const ranges = [[0x501, 1], [0x503, 2], [0x508, 3], [0x50b, 1]] as const;
  await compare(mapPorts, ranges, accesses(0x4fd, 0x50d, [1, 2, 4]), readPort, writePort);
});

Deno.test("so it is at addresses, of any size, and across a page's end", async () => {
  const ranges = [[0xd100_0ff1, 1], [0xd100_0ff3, 2], [0xd100_0ff8, 7], [0xd100_1000, 9]] as const;
  const read = ({ address, size }: Access, cell: number) => [
    ...loads(address, size),
    ...stores(cell, 8),
  ];
  const write = ({ address, size }: Access) => [...movRax(PATTERN), ...stores(address, size)];
  const tried = accesses(0xd100_0fe9, 0xd100_100a, [1, 2, 4, 8]);
  await compare(mapMmio, ranges, tried, read, write);
});

Deno.test("ports end with the last one: no access goes on at the first", async () => {
  const ranges = [[0, 4], [0xfffe, 2]] as const;
  const tried = accesses(0xfffb, 0xffff, [1, 2, 4]);
  await compare(mapPorts, ranges, tried, readPort, writePort);
});

Deno.test("every element of a string instruction is split", async () => {
  const log: string[] = [];
  const [from, into, count] = [0x1000, CELLS, 3];
  const sizes = [2, 4];
  const code = sizes.flatMap((size) => [
    ...repIns(0x50f, size, into + 0x100 * size, count),
    ...repOuts(0x50f, size, from, count),
  ]);
  await using guest = await pc(flat(code, debugExit(0)), async (machine) => {
    machine.memory.writeBytes(from, Uint8Array.from({ length: 12 }, (_, at) => at + 1));
    for (const port of [0x510, 0x512]) machine.mapPorts(port, 1, bytes(port, log));
    await machine.resume();
  });
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
  const read = (size: number) => [
    ...guest.machine.memory.readBytes(into + 0x100 * size, size * count),
  ];
  const [second, fourth] = [byteAt(0x510), byteAt(0x512)];
  assertEquals(read(2), [0xff, second, 0xff, second, 0xff, second]);
  const element = [0xff, second, 0xff, fourth];
  assertEquals(read(4), [...element, ...element, ...element]);
  const words = [2, 4, 6].map((byte) => noted(0x510, byte));
  const doublewords = [2, 6, 10].flatMap((byte) => [noted(0x510, byte), noted(0x512, byte + 2)]);
  assertEquals(log, [...words, ...doublewords]);
});

Deno.test("an access that runs into a device of the board, or past its end, is split", async () => {
  // The scratch register is COM1's last one, the byte at 0x3f8 what it sends.
  const code = [
    ...outb(0x3ff, 0x5a),
    ...readPort({ address: 0x3fe, size: 4 }, CELLS),
    ...movDx(0x3f5),
    ...movEax(0x4100_0000),
    ...outEax(4),
    ...outb(0x80, 0x12),
    ...readPort({ address: 0x7e, size: 4 }, CELLS + 8),
    ...writePort({ address: 0x7f, size: 2 }),
  ];
  await using guest = await pc(flat(code, debugExit(0)));
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
  const read = (cell: number) => [...guest.machine.memory.readBytes(cell, 4)];
  assertEquals(read(CELLS).slice(1), [0x5a, 0xff, 0xff]);
  assertEquals(read(CELLS + 8), [0xff, 0xff, 0x12, 0xff]);
  assertEquals([guest.text, guest.machine.postCode], ["A", 0x22]);
});

Deno.test("between devices of one's own and the board's the bytes go in their order", async () => {
  const log: string[] = [];
  const code = [
    ...outb(0x80, 0x12),
    ...readPort({ address: 0x7f, size: 4 }, CELLS),
    ...repOuts(0x7f, 4, 0x1000, 2),
  ];
  await using guest = await pc(flat(code, debugExit(0)), async (machine) => {
    machine.memory.writeBytes(0x1000, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    for (const port of [0x7f, 0x81]) {
      machine.mapPorts(port, 1, {
        read: () => byteAt(port),
        write: (_offset, _size, value) => void log.push(`${value} after ${machine.postCode}`),
      });
    }
    await machine.resume();
  });
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 0 });
  const read = [...guest.machine.memory.readBytes(CELLS, 4)];
  assertEquals(read, [byteAt(0x7f), 0x12, byteAt(0x81), 0xff]);
  assertEquals(log, ["1 after 18", "3 after 2", "5 after 2", "7 after 6"]);
});

Deno.test("a device gets its part in pieces of 4, 2 and 1 bytes, at its own offsets", async () => {
  const pieces: string[] = [];
  const code = [...movRax([1, 2, 3, 4, 5, 6, 7, 8]), ...stores(0xd100_0002, 8)];
  await using guest = await pc(flat(code, debugExit(0)), async (machine) => {
    machine.mapMmio(0xd100_0000, 9, {
      read: () => 0,
      write: (offset, size, value) => void pieces.push(`${offset} ${size} ${value.toString(16)}`),
    });
    await machine.resume();
  });
  await guest.machine.finished;
  assertEquals(pieces, ["2 4 4030201", "6 2 605", "8 1 7"]);
});

/** How a machine ends that does no more than this, and what is said to a device at a port. */
async function endOf(
  code: readonly number[],
  options: Partial<MachineOptions> = {},
  port = 0x500,
): Promise<readonly [end: unknown, log: string[]]> {
  const log: string[] = [];
  await using guest = await pc({ ...flat(code, spin), ...options }, async (machine) => {
    machine.mapPorts(port, 1, bytes(port, log));
    await machine.resume();
  });
  return [await guest.machine.finished, log];
}

Deno.test("the debug exit's code is as wide as the access, but for ports that others have", async () => {
  const ends = [
    [writePort({ address: 0xf4, size: 4 }), 0x500, 0x4433_2211, []],
    [writePort({ address: 0xf4, size: 2 }), 0x500, 0x2211, []],
    [writePort({ address: 0xf3, size: 2 }), 0x500, 0x22, []],
    [writePort({ address: 0xf2, size: 4 }), 0x500, 0x4433, []],
    [writePort({ address: 0xf4, size: 4 }), 0xf6, 0x2211, [noted(0xf6, 0x33)]],
    [writePort({ address: 0xf4, size: 2 }), 0xf5, 0x11, [noted(0xf5, 0x22)]],
  ] as const;
  for (const [code, port, exitCode, log] of ends) {
    assertEquals(await endOf(code, {}, port), [{ reason: "debugExit", code: exitCode }, [...log]]);
  }
  // out 0xf4, eax
  const [end] = await endOf([...movEax(0x8000_0001), 0xe7, 0xf4]);
  assertEquals(end, { reason: "debugExit", code: 0x8000_0001 });
});

Deno.test("PCI's configuration address is no byte for the reset control inside it", async () => {
  // Function 6 of a device of bus 0: as a byte, it would reset.
  const address = [...movDx(0xcf8), ...movEax(0x8000_0600), ...outEax(4)];
  const options = { onReset: "stop" } as const;
  const [end] = await endOf([...address, ...debugExit(3)], options);
  assertEquals(end, { reason: "debugExit", code: 3 });
  const [reset] = await endOf(outb(0xcf9, 6), options);
  assertEquals(reset, { reason: "reset" });
});
