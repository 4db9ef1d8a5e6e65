/**
 * The leaves that tell how processors are arranged.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../../ffi/mod.ts";
import type { Topology } from "../../arch/x86/mod.ts";
import { isAmdLike, type TopologyLayout, topologyLayout } from "../../arch/x86/cpuid/mod.ts";
import type { CpuidFeatures } from "./features.ts";

/** Kinds of levels in leaves 0xb and 0x1f (SDM volume 2, "CPUID"). */
const SMT = 1;
const CORE = 2;

/** Makes the leaves say that this is the processor with an APIC id in a machine of a topology. */
export function setTopology(cpuid: CpuidFeatures, id: number, topology: Topology): void {
  const layout = topologyLayout(topology);
  checkId(id, layout);
  const perSocket = layout.threads * layout.cores;
  const amd = isAmdLike(cpuid.vendor);
  setLeaf1(cpuid, id, amd ? perSocket : 1 << layout.socketShift);
  for (const leaf of [0xb, 0x1f]) {
    if (cpuid.maxLeaf >= leaf && (leaf === 0xb || !amd)) setLevels(cpuid, leaf, id, layout);
  }
  setSharing(cpuid, amd ? 0x8000_001d : 4, layout, amd);
  if (!amd) return;
  cpuid[perSocket > 1 ? "enable" : "disable"]("cmp_legacy");
  const sizes = cpuid.find(0x8000_0008);
  if (sizes !== undefined) {
    const counts = layout.socketShift << 12 | Math.min(perSocket - 1, 255);
    sizes.ecx = ((sizes.ecx & 0xffff_0f00) | counts) >>> 0;
  }
  if (cpuid.has("topoext")) {
    const core = (id & ((1 << layout.socketShift) - 1)) >> layout.threadBits;
    const ebx = (layout.threads - 1) << 8 | core & 255;
    cpuid.set(0x8000_001e, { eax: id, ebx, ecx: id >> layout.socketShift & 255, edx: 0 });
  }
}

function checkId(id: number, layout: TopologyLayout): void {
  const { threads, cores, sockets, threadBits, socketShift } = layout;
  const whole = Number.isInteger(id) && id >= 0 && id < 2 ** 31;
  const thread = whole ? id & ((1 << threadBits) - 1) : threads;
  const core = whole ? (id & ((1 << socketShift) - 1)) >> threadBits : cores;
  if (thread < threads && core < cores && id >> socketShift < sockets) return;
  throw new KvmError({
    operation: `place the processor with APIC id ${show(id)}`,
    errno: Errno.EINVAL,
    hint: `The topology (${threads} threads, ${cores} cores, ${sockets} sockets) has no such id: ` +
      "apicIdOf(n, topology) computes that of the n-th processor",
  });
}

function setLeaf1(cpuid: CpuidFeatures, id: number, logical: number): void {
  const ebx = ((cpuid.find(1)?.ebx ?? 0) & 0xffff) | Math.min(logical, 255) << 16 | id << 24;
  cpuid.set(1, { ebx: ebx >>> 0 });
  cpuid[logical > 1 ? "enable" : "disable"]("ht");
}

/** Leaves 0xb and 0x1f: a subleaf for threads, one for cores, one that ends them. */
function setLevels(cpuid: CpuidFeatures, leaf: number, id: number, layout: TopologyLayout): void {
  const { threads, cores, threadBits, socketShift } = layout;
  cpuid.remove(leaf);
  cpuid.set(leaf, { eax: threadBits, ebx: threads, ecx: SMT << 8, edx: id }, 0);
  cpuid.set(leaf, { eax: socketShift, ebx: threads * cores, ecx: CORE << 8 | 1, edx: id }, 1);
  cpuid.set(leaf, { ecx: 2, edx: id }, 2);
}

/**
 * How many processors share a cache: those of a core the first and second levels, those of a socket
 * the others (SDM volume 2, "CPUID", leaf 4; APM volume 3, E.4.15).
 */
function setSharing(
  cpuid: CpuidFeatures,
  leaf: number,
  layout: TopologyLayout,
  amd: boolean,
): void {
  for (const entry of cpuid.entries) {
    if (entry.function !== leaf || (entry.eax & 31) === 0) continue;
    const shift = ((entry.eax >>> 5) & 7) <= 2 ? layout.threadBits : layout.socketShift;
    const cores = amd ? 0 : (1 << layout.socketShift - layout.threadBits) - 1;
    const sharing = (1 << shift) - 1;
    entry.eax = ((entry.eax & 0x3fff) | (sharing & 0xfff) << 14 | Math.min(cores, 63) << 26) >>> 0;
  }
}
