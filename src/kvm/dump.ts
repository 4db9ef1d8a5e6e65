/**
 * Registers as text, for people.
 *
 * @module
 */

import { checkObject, checkU64 } from "../../ffi/mod.ts";
import type { Dtable, Regs, Segment, Sregs } from "./vcpu/mod.ts";

const general = [
  ["rax", "rbx", "rcx", "rdx"],
  ["rsi", "rdi", "rbp", "rsp"],
  ["r8", "r9", "r10", "r11"],
  ["r12", "r13", "r14", "r15"],
] as const;
const segments = ["cs", "ss", "ds", "es", "fs", "gs", "tr", "ldt"] as const;

/**
 * General registers, and with `sregs` the special ones, as QEMU's `info registers` would show them:
 * hexadecimal, a few to a line.
 *
 * @example
 * ```ts
 * import { formatRegisters, Kvm } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu(0);
 * console.log(formatRegisters(vcpu.getRegs(), vcpu.getSregs()));
 * ```
 */
export function formatRegisters(regs: Readonly<Regs>, sregs?: Readonly<Sregs>): string {
  checkObject("show registers", "What has them", regs);
  for (const name of [...general.flat(), "rip", "rflags"] as const) {
    checkU64("show registers", name, regs[name]);
  }
  const row = (names: readonly (keyof Regs)[]) =>
    names.map((name) => `${name.toUpperCase().padEnd(3)} ${hex(regs[name])}`).join("  ");
  const lines = general.map(row);
  lines.push(`RIP ${hex(regs.rip)}  RFLAGS ${hex(regs.rflags, 8)}`);
  if (sregs !== undefined) {
    checkObject("show registers", "What has the special ones", sregs);
    const { cr0, cr2, cr3, cr4, efer, gdt, idt } = sregs;
    for (const name of segments) lines.push(formatSegment(name, sregs[name]));
    lines.push(formatTable("gdt", gdt), formatTable("idt", idt));
    lines.push(`CR0 ${hex(cr0, 8)}  CR2 ${hex(cr2)}  CR3 ${hex(cr3)}  CR4 ${hex(cr4, 8)}`);
    lines.push(`EFER ${hex(efer, 8)}`);
  }
  return lines.join("\n");
}

function formatSegment(name: string, segment: Segment): string {
  const { selector, base, limit, type, dpl, s, l, db, g, present, unusable } = segment;
  const label = name.toUpperCase().padEnd(3);
  if (unusable || !present) return `${label} ${hex(selector, 4)} unusable`;
  const flags = [l ? "64-bit" : db ? "32-bit" : "16-bit", g ? "4K" : "1B", s ? "" : "system"];
  const rest = `limit ${hex(limit, 8)}  type ${type.toString(16)}  dpl ${dpl}`;
  return `${label} ${hex(selector, 4)}  base ${hex(base)}  ${rest}  ${flags.join(" ").trimEnd()}`;
}

function formatTable(name: string, { base, limit }: Dtable): string {
  return `${name.toUpperCase()} base ${hex(base)}  limit ${hex(limit, 4)}`;
}

function hex(value: number | bigint, digits = 16): string {
  return value.toString(16).padStart(digits, "0");
}
