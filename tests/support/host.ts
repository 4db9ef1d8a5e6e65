/**
 * What the host has, and what this process holds of it.
 *
 * @module
 */

import { releaseRetired } from "../../ffi/retired.ts";

/** Open file descriptors of this process. */
export function openFiles(): number {
  // Reading the directory opens it.
  return [...Deno.readDirSync("/proc/self/fd")].length - 1;
}

/** The open file descriptors of this process and where they lead: "anon_inode:kvm-vm". */
export function openLinks(): [fd: number, target: string][] {
  const links: [number, string][] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      links.push([Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`)]);
    } catch (error) {
      // That of the directory itself is closed by now.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return links;
}

/** Where the open file descriptors of this process lead. */
export function openTargets(): string[] {
  return openLinks().map(([, target]) => target);
}

/** A line of /proc/self/maps. */
export interface MappedRange {
  /** The first address. */
  readonly start: bigint;
  /** The first address behind it. */
  readonly end: bigint;
  /** The file or what the kernel calls it; empty for anonymous memory. */
  readonly name: string;
}

/** The memory mappings of this process. */
export function mappings(): MappedRange[] {
  return Deno.readTextFileSync("/proc/self/maps").trimEnd().split("\n").map((line) => {
    const [range = "", , , , , ...name] = line.split(/ +/);
    const [start, end] = range.split("-");
    return { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), name: name.join(" ") };
  });
}

/** The same without addresses that are only kept from others after a close. */
export function liveMappings(): MappedRange[] {
  releaseRetired();
  return mappings();
}

/** Whether an address is mapped in this process, and not just kept from others after a close. */
export function isMapped(address: bigint): boolean {
  return liveMappings().some(({ start, end }) => address >= start && address < end);
}

/** Bytes of address space that this process has mapped, without what is kept after a close. */
export function mappedBytes(): number {
  return liveMappings().reduce((bytes, { start, end }) => bytes + Number(end - start), 0);
}

/** Bytes of memory that this process keeps in RAM. */
export function residentBytes(): number {
  return Number(Deno.readTextFileSync("/proc/self/statm").split(" ")[1]) * 4096;
}

/** Whether the kernel joins pages where it is asked to. */
export function hasTransparentHugePages(): boolean {
  try {
    const modes = Deno.readTextFileSync("/sys/kernel/mm/transparent_hugepage/enabled");
    return !modes.includes("[never]");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether a program can be started. */
export function hasProgram(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A test's name and whether to leave it out. */
export interface Needs {
  /** The name, with what it needs. */
  name: string;
  /** Whether the host lacks that. */
  ignore: boolean;
}

/** For a test that needs what not every host has. */
export function needing(what: string, present: boolean, name: string): Needs {
  return { name: `${name} (needs ${what})`, ignore: !present };
}
