/**
 * Changes images and options at random and loads what comes of it: `deno task fuzz:loaders`.
 *
 * A load must end in a `KvmError` with nothing written, or in a kernel whose regions are usable RAM,
 * apart from each other, and hold all that was written.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { KvmError } from "../../ffi/mod.ts";
import { walkPages } from "../../src/arch/x86/mod.ts";
import { EBDA, HIGH_MEMORY } from "../../src/firmware/mod.ts";
import {
  detectProtocol,
  type LoadedKernel,
  loadKernel,
  type LoadOptions,
  type Protocol,
} from "../../src/loader/mod.ts";
import type { GuestMemory } from "../../src/memory/mod.ts";
import { LooseMemory } from "../support/loose.ts";
import { imageOf, MIB, ram } from "./support.ts";
import { concat, elf, note } from "./images.ts";
import { fillPattern, firstChange, PATTERN } from "./pattern.ts";
import { mutate, Random } from "./mutate.ts";

/** What came of some inputs. */
export interface FuzzCount {
  /** Inputs. */
  readonly count: number;
  /** How many were loaded. */
  readonly loaded: number;
  /** How many were refused, by error's code. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What to try. */
export interface FuzzOptions {
  /** The same seed gives the same inputs. */
  readonly seed: number;
  /** How many inputs. */
  readonly count: number;
  /** Called once in a while. */
  readonly progress?: (count: FuzzCount) => void;
}

/** What was wrong with one input. */
export class FuzzError extends Error {
  override readonly name = "FuzzError";
}

/** No input of this size may take longer, on the slowest machine. */
const LIMIT_MS = 2000;

const SLOTS = [
  { guestPhysAddr: 0, size: 6 * MIB },
  { guestPhysAddr: 8 * MIB, size: MIB },
  { guestPhysAddr: 9 * MIB, size: MIB, readonly: true },
  { guestPhysAddr: 2 ** 32, size: MIB },
];
const memoryMap: LoadOptions["memoryMap"] = [
  ...ram([0, 639], [1024, 5 * 1024], [8 * 1024, 2 * 1024], [2 ** 22, 1024]),
  { start: EBDA, size: HIGH_MEMORY - EBDA, type: 2 },
  { start: 5 * MIB, size: 4096, type: 3 },
];

interface Sample {
  readonly protocol: Protocol;
  readonly image: Uint8Array<ArrayBuffer>;
}

const code = Uint8Array.of(0xf4, 0xf4, 0xf4, 0xf4);

/** Images that load. */
const samples: readonly Sample[] = [
  { protocol: "flat16", image: imageOf("boot_sector") },
  { protocol: "elf", image: imageOf("elf64") },
  { protocol: "linux", image: imageOf("linux") },
  { protocol: "multiboot", image: imageOf("multiboot") },
  { protocol: "pvh", image: imageOf("pvh") },
  {
    protocol: "elf",
    image: elf({
      bits: 32,
      entry: 2 * MIB,
      parts: [
        { bytes: code, physAddr: 2 * MIB, memorySize: 9000 },
        { bytes: code, physAddr: 3 * MIB, virtAddr: 0xc030_0000 },
      ],
    }),
  },
  {
    protocol: "elf",
    image: elf({
      bits: 64,
      type: 3,
      entry: 2,
      parts: [{ bytes: code, physAddr: 0, align: 4096 }, { bytes: code, physAddr: 0x5000 }],
    }),
  },
  {
    protocol: "pvh",
    image: elf({
      bits: 32,
      entry: 0,
      parts: [
        { bytes: code, physAddr: 2 * MIB },
        {
          type: 4,
          bytes: concat([
            note("GNU", 3, new Uint8Array(20)),
            note("Xen", 18, Uint8Array.of(0, 0, 0x20, 0)),
          ]),
          physAddr: 0,
        },
      ],
    }),
  },
];

/** Tries that many inputs. */
export function fuzzLoaders({ seed, count, progress }: FuzzOptions): FuzzCount {
  using loose = new LooseMemory(SLOTS);
  const { memory } = loose;
  fillPattern(memory);
  const refused: Record<string, number> = {};
  let loaded = 0;
  let told = performance.now();
  for (let index = 0; index < count; index++) {
    const random = new Random(seed + index);
    const sample = random.pick(samples);
    const image = random.chance(0.05)
      ? random.bytes(random.below(10_000))
      : mutate(random, sample.image);
    const options = randomOptions(random, sample.protocol);
    const what = `input ${index} of seed ${seed} (--seed ${seed + index} --count 1)`;
    const start = cpuMilliseconds();
    try {
      detectOnly(image);
      const kernel = loadKernel(memory, image, options);
      loaded++;
      checkLoaded(what, memory, kernel);
    } catch (error) {
      if (!(error instanceof KvmError)) throw new FuzzError(`${what} throws`, { cause: error });
      refused[error.code] = (refused[error.code] ?? 0) + 1;
      // What is refused writes nothing: looked at now and then, since it costs most of the time.
      if (index % 64 === 0) checkPattern(what, memory);
    }
    const taken = cpuMilliseconds() - start;
    if (taken > LIMIT_MS) throw new FuzzError(`${what} takes ${taken} ms`);
    const now = performance.now();
    if (now - told < 5000) continue;
    told = now;
    progress?.({ count: index + 1, loaded, refused });
  }
  checkPattern(`One of the last inputs before ${count} of seed ${seed}`, memory);
  return { count, loaded, refused };
}

/** This process's own time: others on the machine don't count. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Whatever it says, or refuses. */
function detectOnly(image: Uint8Array): void {
  try {
    detectProtocol(image);
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
  }
}

function randomOptions(random: Random, usual: Protocol): LoadOptions {
  const protocol = random.chance(0.9)
    ? usual
    : random.pick(["linux", "elf", "pvh", "multiboot", "flat16", "flat32", "flat64"] as const);
  const flat = protocol.startsWith("flat");
  const modules = protocol === "pvh" || protocol === "multiboot";
  const count = modules && random.chance(0.3) ? random.size(600) : 0;
  // A few large ones, or many small ones: lists have their limits, too.
  const module = () => ({
    image: new Uint8Array(count > 4 ? 1 : 1 + random.size(MIB)),
    commandLine: random.chance(0.5) ? "x".repeat(random.size(count > 4 ? 200 : 70_000)) : undefined,
  });
  return {
    protocol: random.chance(0.1) ? undefined : protocol,
    memoryMap: random.chance(0.95) ? memoryMap : memoryMap.filter(() => random.chance(0.7)).concat(
      Array.from({ length: random.size(130) }, () => ({
        start: random.number(),
        size: random.number(),
        type: random.pick([1, 2, 3, 4] as const),
      })),
    ),
    commandLine: flat || random.chance(0.5) ? undefined : "x".repeat(random.size(70_000)),
    initrd: flat || random.chance(0.5) ? undefined : new Uint8Array(1 + random.size(7 * MIB)),
    modules: count === 0 ? undefined : Array.from({ length: count }, module),
    rsdp: random.chance(0.5) ? undefined : random.number(),
    loadAddress: random.chance(0.8) ? undefined : random.number(),
    entry: random.chance(0.9) ? undefined : random.number(),
  };
}

/** Checks what was loaded, and puts the pattern back. */
function checkLoaded(what: string, memory: GuestMemory, { entry, regions }: LoadedKernel): void {
  const fail = (hint: string) => new FuzzError(`${what}: ${hint}: ${Deno.inspect(regions)}`);
  let last = 0x500;
  for (const { what: region, guestPhysAddr, size } of regions) {
    const end = guestPhysAddr + size;
    if (guestPhysAddr < last) throw fail(`${region} overlaps`);
    if (guestPhysAddr < HIGH_MEMORY && end > EBDA) throw fail(`${region} is in the firmware area`);
    if (memory.slotAt(guestPhysAddr)?.flags !== 0) throw fail(`${region} is in no writable slot`);
    last = end;
    if (entry.pageTables === undefined) continue;
    for (const address of [guestPhysAddr, end - 1]) {
      const { physAddr, writable } = walkPages(memory, entry.sregs, BigInt(address));
      if (physAddr !== address || !writable) throw fail(`${region} is not mapped`);
    }
  }
  const first = Number(entry.sregs.cs.base) + entry.rip;
  const home = regions.find((region) =>
    first >= region.guestPhysAddr && first < region.guestPhysAddr + region.size
  );
  if (!/^(kernel|image|segment \d+)$/.test(home?.what ?? "")) {
    throw fail(`the entry is in ${home?.what}`);
  }
  for (const { guestPhysAddr, size } of regions) memory.fill(guestPhysAddr, size, PATTERN);
  checkPattern(what, memory);
}

function checkPattern(what: string, memory: GuestMemory): void {
  const address = firstChange(memory);
  if (address === undefined) return;
  throw new FuzzError(`${what} has written outside its regions, at 0x${address.toString(16)}`);
}

const HELP = `Loads changed images into guest memory and checks what comes of it.

Usage: deno task fuzz:loaders [--seed N] [--count N]

  --seed N   where to begin; the same seed gives the same inputs. By default the time
  --count N  how many inputs; 100000 by default
  --help     this text

Ends with 0 if every load was right or refused, else with 1 and the input's own seed.`;

function show({ count, loaded, refused }: FuzzCount): string {
  const codes = Object.entries(refused).map(([code, times]) => `${times} ${code}`);
  return `${count} inputs: ${loaded} loaded, ${codes.join(", ")}`;
}

function main(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      count: { type: "string", default: "100000" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [seed, count] = [Number(values.seed), Number(values.count)];
  if (![seed, count].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    console.error("--seed and --count take whole numbers from 0");
    return 2;
  }
  console.log(`seed ${seed}`);
  try {
    console.log(show(fuzzLoaders({ seed, count, progress: (state) => console.log(show(state)) })));
    return 0;
  } catch (error) {
    if (!(error instanceof FuzzError)) throw error;
    console.error(error.message, error.cause ?? "");
    return 1;
  }
}

if (import.meta.main) Deno.exit(main(Deno.args));
