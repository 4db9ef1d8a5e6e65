/**
 * How a machine's processors are arranged, and the APIC ids that follow (SDM volume 3,
 * "Hierarchical Mapping of Shared Resources").
 *
 * @module
 */

import { checkNames, Errno, KvmError, show } from "../../../../ffi/mod.ts";

/** Threads in cores in sockets; each 1 where it is left out. */
export interface Topology {
  /** Threads of a core. */
  readonly threads?: number | undefined;
  /** Cores of a socket. */
  readonly cores?: number | undefined;
  /** Sockets of the machine. */
  readonly sockets?: number | undefined;
}

/** A topology with the widths of its fields in an APIC id. */
export interface TopologyLayout {
  /** Threads of a core. */
  readonly threads: number;
  /** Cores of a socket. */
  readonly cores: number;
  /** Sockets of the machine. */
  readonly sockets: number;
  /** Bits of an APIC id that tell the thread in its core. */
  readonly threadBits: number;
  /** Bits of an APIC id that tell the thread and core in their socket. */
  readonly socketShift: number;
}

/**
 * Checks a topology and computes its APIC id's fields.
 *
 * @throws {KvmError} EINVAL for what is no positive whole number, or more than 2^31 processors.
 */
export function topologyLayout(topology: Topology): TopologyLayout {
  const names = { threads: true, cores: true, sockets: true } as const;
  checkNames("arrange processors", "A topology", topology, names);
  const { threads = 1, cores = 1, sockets = 1 } = topology;
  for (const [name, count] of Object.entries({ threads, cores, sockets })) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw invalid(`${name} is a whole number from 1, not ${show(count)}`);
  }
  const threadBits = bitsFor(threads);
  const socketShift = threadBits + bitsFor(cores);
  if (socketShift + bitsFor(sockets) > 31) throw invalid("APIC ids have 31 bits here");
  return { threads, cores, sockets, threadBits, socketShift };
}

/**
 * The APIC id of a machine's n-th processor, which is the id to create its vCPU with. Ids have gaps
 * where a count is no power of two.
 *
 * @example
 * ```ts
 * import { apicIdOf } from "@deno-kvm/kvm";
 *
 * const topology = { cores: 3, sockets: 2 };
 * console.log([0, 1, 2, 3, 4, 5].map((n) => apicIdOf(n, topology))); // [0, 1, 2, 4, 5, 6]
 * ```
 *
 * @throws {KvmError} EINVAL for a number that the topology does not have.
 */
export function apicIdOf(index: number, topology: Topology): number {
  const { threads, cores, sockets, threadBits, socketShift } = topologyLayout(topology);
  const all = threads * cores * sockets;
  if (!Number.isInteger(index) || index < 0 || index >= all) {
    throw invalid(`A processor's number is from 0 to ${all - 1}, not ${show(index)}`);
  }
  const thread = index % threads;
  const core = Math.floor(index / threads) % cores;
  const socket = Math.floor(index / (threads * cores));
  return socket << socketShift | core << threadBits | thread;
}

/** How many bits it takes to tell so many apart. */
function bitsFor(count: number): number {
  return count === 1 ? 0 : 32 - Math.clz32(count - 1);
}

function invalid(hint: string): KvmError {
  return new KvmError({ operation: "arrange processors", errno: Errno.EINVAL, hint });
}
