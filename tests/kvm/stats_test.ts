import { assert, assertEquals, assertExists, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { bytesOf, create } from "../../ffi/mod.ts";
import { kvmStatsDesc, StatsBase, StatsType, StatsUnit } from "../../ffi/uapi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { descriptorOf, statOf } from "../../src/kvm/stats_value.ts";
import { assertCode } from "../support/codes.ts";
import { openFiles } from "../support/host.ts";
import { bare, supportedCpuid } from "../support/machine.ts";
import { needs } from "../support/needs.ts";

const CAP = "BINARY_STATS_FD";

Deno.test(needs("a vCPU's exits count up from one read to the next", CAP), () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  using stats = vcpu.getStatsFd();
  assertMatch(stats.id, /vcpu-0/);
  const before = stats.read();
  const { exits } = before;
  assertExists(exits);
  assertEquals([exits.kind, exits.unit, exits.buckets], ["cumulative", "none", undefined]);
  longMode(vcpu, memory, { code: guests.hello });
  let count = 0;
  do count++; while (vcpu.run().reason !== "hlt");
  const after = stats.read();
  assertGreaterOrEqual(after.exits!.value - exits.value, count);
  // What was read before stays as it was.
  assertEquals(before.exits!.value, exits.value);
  assertEquals(stats.readRaw("exits"), after.exits!.raw[0]);
  assertEquals(stats.readRaw("no such thing"), undefined);
});

Deno.test(needs("a VM has statistics of its own", CAP), () => {
  using machine = bare();
  using stats = machine.vm.getStatsFd();
  assert(!stats.id.includes("vcpu"), stats.id);
  const all = stats.read();
  assertEquals(Object.keys(all), [...stats.descriptors.keys()]);
  assertEquals(all.remote_tlb_flush?.kind, "cumulative");
});

Deno.test(needs("every statistic is of a kind and a unit that are known", CAP), () => {
  using machine = bare();
  for (const owner of [machine.vm, machine.vcpu]) {
    using stats = owner.getStatsFd();
    for (const stat of Object.values(stats.read())) {
      assert(stat.kind !== "unknown" && stat.unit !== "unknown", stat.name);
      assertEquals(stat.buckets !== undefined, stat.kind.endsWith("Histogram"), stat.name);
      assertEquals(stat.raw.length, stats.descriptors.get(stat.name)!.size);
      assert(Number.isFinite(stat.value), stat.name);
    }
  }
});

Deno.test(needs("a wait in the kernel shows in a histogram of its time", CAP, "IRQCHIP"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vcpu, memory } = machine;
  using stats = vcpu.getStatsFd();
  vcpu.setCpuid(supportedCpuid());
  longMode(vcpu, memory, { code: guests.apicTimer });
  assertEquals(vcpu.run({ timeout: 5000 }).reason, "io");
  const { halt_wait_hist: hist, halt_wait_ns: wait } = stats.read();
  assertExists(hist?.buckets);
  assertExists(wait);
  assertEquals([hist.kind, hist.unit, wait.unit], ["logHistogram", "seconds", "seconds"]);
  assertEquals(hist.value, hist.buckets.reduce((sum, { count }) => sum + count, 0));
  const waits = hist.buckets.filter(({ count }) => count > 0);
  assertGreaterOrEqual(hist.value, 1);
  // Five ticks of 10 ms: each wait is counted by its length in seconds, not in nanoseconds.
  assert(waits.every(({ from, to }) => from < to && from < 1), Deno.inspect(waits));
  assert(waits.some(({ to }) => to > 1e-3), Deno.inspect(waits));
  assert(wait.value > 1e-3 && wait.value < 10, `${wait.value} s`);
  assertEquals(hist.buckets.at(-1)!.to, Infinity);
});

Deno.test("flags, exponents and buckets mean what the kernel's documentation says", () => {
  const stat = (fields: Partial<ReturnType<typeof plainDesc>>, values: bigint[]) => {
    const desc = Object.assign(create(kvmStatsDesc), plainDesc(), fields);
    desc.size = values.length;
    return statOf(descriptorOf(desc, "x"), BigUint64Array.from(values));
  };
  const plainDesc = () => ({ flags: 0, exponent: 0, bucketSize: 0 });
  const kib = stat({
    flags: StatsType.PEAK | StatsUnit.BYTES | StatsBase.POW2,
    exponent: 10,
  }, [3n]);
  assertEquals([kib.kind, kib.unit, kib.value, kib.raw], ["peak", "bytes", 3072, [3n]]);
  const microseconds = stat({
    flags: StatsType.INSTANT | StatsUnit.SECONDS | StatsBase.POW10,
    exponent: -6,
  }, [1_500_000n]);
  assertEquals([microseconds.kind, microseconds.value], ["instant", 1.5]);
  const linear = stat({
    flags: StatsType.LINEAR_HIST | StatsUnit.CYCLES,
    bucketSize: 5,
  }, [1n, 0n, 4n]);
  assertEquals(linear.value, 5);
  assertEquals(linear.buckets, [
    { from: 0, to: 5, count: 1 },
    { from: 5, to: 10, count: 0 },
    { from: 10, to: Infinity, count: 4 },
  ]);
  const log = stat({ flags: StatsType.LOG_HIST }, [1n, 2n, 3n, 4n]);
  assertEquals(log.buckets, [
    { from: 0, to: 1, count: 1 },
    { from: 1, to: 2, count: 2 },
    { from: 2, to: 4, count: 3 },
    { from: 4, to: Infinity, count: 4 },
  ]);
  const odd = stat({ flags: 0x0ff }, [1n]);
  assertEquals([odd.kind, odd.unit], ["unknown", "unknown"]);
  assertEquals(bytesOf(create(kvmStatsDesc)).length, 16);
});

Deno.test(needs("statistics outlive their VM, close once and leak nothing", CAP), () => {
  const before = openFiles();
  const machine = bare();
  const stats = machine.vcpu.getStatsFd();
  machine.vm.close();
  assertExists(stats.read().exits);
  stats.close();
  stats.close();
  assertCode("EBADF", () => stats.read());
  assertCode("EBADF", () => stats.readRaw("exits"));
  assertCode("EBADF", () => machine.vm.getStatsFd());
  assertEquals(openFiles(), before);
});
