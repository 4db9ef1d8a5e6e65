/**
 * Creates, runs and closes VMs by the thousand and watches what this process holds: a leak of one
 * descriptor, mapping or page per VM shows.
 *
 * ```sh
 * deno task soak --cycles 10000
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { liveMappings, openFiles, residentBytes } from "../support/host.ts";

const MIB = 2 ** 20;
const HELP = `Creates, runs and closes VMs, and checks that nothing is left of them.

Usage: deno task soak [--cycles N]

  --cycles N  how many VMs; 10000 by default
  --help      this text

Ends with 0 if files, mappings and memory stay flat, else with 1.`;

/** What a process holds. */
interface Held {
  readonly files: number;
  readonly maps: number;
  readonly resident: number;
}

const held = (): Held => ({
  files: openFiles(),
  maps: liveMappings().length,
  resident: residentBytes(),
});

function show({ files, maps, resident }: Held): string {
  return `${files} files, ${maps} mappings, ${(resident / MIB).toFixed(1)} MiB resident`;
}

function cycle(turn: number): void {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const backing = turn % 2 ? "memfd" : "anonymous";
  const memory = vm.addMemory({ size: 2 * MIB, backing });
  if (turn % 3 === 0) vm.removeMemory(vm.addMemory({ size: MIB, guestPhysAddr: 2 ** 32, backing }));
  using vcpu = vm.createVcpu(0);
  const spins = turn % 10 === 0;
  longMode(vcpu, memory, { code: spins ? guests.spin : guests.halt });
  using _limit = vcpu.interruptAfter(spins ? 0.5 : 5000);
  const { reason } = vcpu.run();
  if (reason !== (spins ? "intr" : "hlt")) throw new Error(`VM ${turn} ended with ${reason}`);
}

/** Runs the cycles; the complaints, none if all is well. */
function soak(cycles: number): string[] {
  const warm = Math.min(200, Math.ceil(cycles / 2));
  for (let turn = 0; turn < warm; turn++) cycle(turn);
  const before = held();
  console.log(`after ${warm} VMs: ${show(before)}`);
  const start = performance.now();
  let last = start;
  for (let turn = warm; turn < cycles; turn++) {
    cycle(turn);
    const now = performance.now();
    if (now - last < 5000) continue;
    last = now;
    const rate = (turn - warm) * 1000 / (now - start);
    console.log(`after ${turn + 1} VMs, ${rate.toFixed(0)}/s: ${show(held())}`);
  }
  const after = held();
  console.log(`after ${cycles} VMs: ${show(after)}`);
  const complaints: string[] = [];
  if (after.files > before.files) complaints.push(`${after.files - before.files} files more`);
  // The runtime's heap moves by some mappings and MiB, whatever the number of VMs.
  if (after.maps > before.maps + 100) complaints.push(`${after.maps - before.maps} mappings more`);
  const grown = after.resident - before.resident;
  if (grown > 64 * MIB) complaints.push(`${(grown / MIB).toFixed(0)} MiB more`);
  return complaints;
}

function main(): number {
  const { values } = parseArgs({
    args: Deno.args,
    options: { cycles: { type: "string", default: "10000" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const cycles = Number(values.cycles);
  if (!Number.isSafeInteger(cycles) || cycles < 2) {
    console.error(`--cycles takes a whole number from 2, not "${values.cycles}"`);
    return 2;
  }
  const complaints = soak(cycles);
  for (const complaint of complaints) console.error(complaint);
  return complaints.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(main());
