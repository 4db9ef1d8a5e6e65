import { assert, assertEquals, assertLess } from "@std/assert";
import { Mapping } from "../../ffi/mod.ts";
import { releaseRetired } from "../../ffi/retired.ts";
import { shim } from "../../ffi/shim.ts";
import { mappings } from "../support/host.ts";
import { outputOf, specifier } from "../support/subprocess.ts";

const SYS_CLOSE = 3;
const SYS_PIPE = 22;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** The two ends of a pipe, as files of the runtime's. */
async function pipe(): Promise<{ reader: Deno.FsFile; writer: Deno.FsFile } & Disposable> {
  const ends = new Int32Array(2);
  assertEquals(shim().syscallBuffer(SYS_PIPE, new Uint8Array(ends.buffer), 0n, 0n), 0n);
  const [reader, writer] = await Promise.all([
    Deno.open(`/proc/self/fd/${ends[0]}`, { read: true }),
    Deno.open(`/proc/self/fd/${ends[1]}`, { write: true }),
  ]);
  for (const end of ends) shim().syscall6(SYS_CLOSE, BigInt(end), 0n, 0n, 0n, 0n, 0n);
  return {
    reader,
    writer,
    [Symbol.dispose]: () => [reader, writer].forEach((file) => file.close()),
  };
}

/** Whether the address is anyone's: no helper, since those look away from what is kept. */
function isTaken(address: bigint): boolean {
  return mappings().some(({ start, end }) => address >= start && address < end);
}

for (const kind of ["anonymous", "memfd"] as const) {
  Deno.test(`a read into ${kind} memory that is closed meanwhile writes to nothing that comes after`, async () => {
    using files = await pipe();
    const mapping = Mapping[kind](4 * MIB, "memory");
    const reading = files.reader.read(new Uint8Array(mapping.buffer));
    mapping.close();
    using next = new DisposableStack();
    const others = Array.from({ length: 8 }, () => {
      const other = next.use(Mapping.anonymous(4 * MIB, "memory"));
      return new Float64Array(other.buffer).fill(0);
    });
    await files.writer.write(new Uint8Array(4096).fill(0xee));
    assertEquals(await reading, 4096);
    for (const other of others) assertEquals(other.findIndex((word) => word !== 0), -1);
  });
}

Deno.test("the addresses of closed memory are given back when many others have been closed", () => {
  releaseRetired();
  const mapping = Mapping.anonymous(MIB, "memory");
  const { address } = mapping;
  new Uint8Array(mapping.buffer)[0] = 1;
  mapping.close();
  assert(isTaken(address));
  for (let turn = 0; turn < 255; turn++) closeShown(4096);
  assert(isTaken(address));
  closeShown(4096);
  assert(!isTaken(address));
});

Deno.test("large memory gives the addresses back sooner, and the latest ones stay", () => {
  releaseRetired();
  const first = closeShown(9 * GIB);
  const second = closeShown(6 * GIB);
  assertEquals([first, second].map(isTaken), [true, true]);
  const third = closeShown(2 * GIB);
  assertEquals([first, second, third].map(isTaken), [false, true, true]);
  const last = closeShown(2 ** 40);
  assertEquals([second, third, last].map(isTaken), [false, false, true]);
  assert(!isTaken(closeShown(2 ** 42)));
});

Deno.test("memory that nobody has seen gives its addresses back at once", () => {
  releaseRetired();
  const unseen = Mapping.anonymous(MIB, "memory");
  const { address } = unseen;
  unseen.close();
  assert(!isTaken(address));
});

Deno.test("what a Worker has closed outlasts it, and is given back with the rest", async () => {
  const output = await outputOf(
    `
    import { mappings } from ${specifier("tests/support/host.ts")};
    import { releaseRetired } from ${specifier("ffi/retired.ts")};
    const text = \`
      import { Mapping } from ${specifier("ffi/mod.ts").replaceAll('"', "'")};
      using mapping = Mapping.anonymous(2 ** 30, "memory");
      new Uint8Array(mapping.buffer)[0] = 1;
      const { address } = mapping;
      mapping.close();
      postMessage(address);\`;
    const url = "data:application/typescript," + encodeURIComponent(text);
    const worker = new Worker(url, { type: "module" });
    const middle = 2n ** 29n + await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.terminate();
    const isTaken = () => mappings().some(({ start, end }) => middle >= start && middle < end);
    console.log(isTaken(), releaseRetired() && isTaken());`,
    { args: ["--allow-all"] },
  );
  assertEquals(output, "true false\n");
});

Deno.test("where addresses are short, closed memory gives them back at once", async () => {
  const output = await outputOf(
    `
    import { Mapping } from ${specifier("ffi/mod.ts")};
    import { shim } from ${specifier("ffi/shim.ts")};
    const SYS_SETRLIMIT = 160;
    const RLIMIT_AS = 9n;
    const pages = Number(Deno.readTextFileSync("/proc/self/statm").split(" ")[0]);
    const limit = BigInt(pages) * 4096n + (3n << 30n);
    const bytes = new Uint8Array(BigUint64Array.of(limit, limit).buffer);
    const result = shim().transfer(SYS_SETRLIMIT, RLIMIT_AS, bytes, 0n);
    for (let turn = 0; turn < 10; turn++) {
      using mapping = Mapping.anonymous(2 ** 30, "memory");
      new Uint8Array(mapping.buffer)[0] = 1;
    }
    console.log(result);`,
    { args: ["--allow-all"] },
  );
  assertEquals(output, "0n\n");
});

/** Makes memory, looks at it and closes it; its address. */
function closeShown(size: number): bigint {
  using mapping = Mapping.anonymous(size, "memory");
  new Uint8Array(mapping.buffer);
  return mapping.address;
}

Deno.test("2,000 closed mappings are no more of them than a few hundred", () => {
  const before = mappings().length;
  for (let turn = 0; turn < 2000; turn++) closeShown(4096 * (1 + turn % 3));
  assertLess(mappings().length, before + 300);
});
