/**
 * A guest that can't go on.
 *
 * @module
 */

import { KvmError } from "../../ffi/mod.ts";
import { CR0 } from "../arch/x86/mod.ts";
import { Port, vectorAt } from "../firmware/mod.ts";
import { copyExit, type ExitRecord, formatRegisters, type Vcpu } from "../kvm/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";

/**
 * Where a processor begins after reset (SDM volume 3, "First Instruction Executed"). AMD's leave
 * nothing else behind when they shut down (APM volume 2, 15.14.3), so that KVM resets the vCPU at once.
 */
const RESET_VECTOR = 0xffff_fff0n;

/** An instruction has 15 bytes at most (SDM volume 2, "AVX Instruction Length"). */
const LONGEST_INSTRUCTION = 15;

/**
 * The guest met something that neither it nor the machine handles: an instruction that the host's
 * KVM can't emulate, a triple fault. The message has the registers and the bytes at RIP.
 */
export class GuestCrash extends Error {
  /** Always `"GuestCrash"`. */
  override readonly name: string = "GuestCrash";
  /** Which vCPU. */
  readonly vcpu: number;
  /** Its last exit. */
  readonly exit: ExitRecord;

  /** @internal Describes a vCPU that does not run. */
  constructor(vcpu: Vcpu, memory: GuestMemory) {
    const exit = copyExit(vcpu.lastExit);
    const regs = vcpu.getRegs();
    const sregs = vcpu.getSregs();
    const isReset = exit.reason === "shutdown" && sregs.cs.base + regs.rip === RESET_VECTOR;
    const lines = [
      `vCPU ${vcpu.id}: ${explainVector(vcpu, memory) ?? explain(exit)}`,
      `Last exit: ${Deno.inspect(exit)}`,
      isReset
        ? "KVM has reset the vCPU by now: where it was is lost, and these registers are new"
        : `Bytes at RIP: ${bytesAt(vcpu, memory, regs.rip) ?? "not in memory"}`,
      formatRegisters(regs, sregs),
    ];
    super(lines.join("\n"));
    this.vcpu = vcpu.id;
    this.exit = exit;
  }
}

/** The interrupt vector that a vCPU in real mode is at the end of, where there is no BIOS. */
export function unhandledVector(vcpu: Vcpu): number | undefined {
  const { cs, cr0 } = vcpu.getSregs();
  return (cr0 & CR0.PE) === 0n ? vectorAt(cs.base + vcpu.getRegs().rip) : undefined;
}

function explainVector(vcpu: Vcpu, memory: GuestMemory): string | undefined {
  const vector = unhandledVector(vcpu);
  if (vector === undefined) return undefined;
  const { rax, rsp } = vcpu.getRegs();
  const stack = Number(vcpu.getSregs().ss.base + (rsp & 0xffffn));
  const slot = memory.slotAt(stack);
  const from = slot !== undefined && stack + 4 <= slot.end
    ? ` before ${word(memory.readU16(stack + 2))}:${word(memory.readU16(stack))}`
    : "";
  return `INT 0x${vector.toString(16)} (AX ${word(Number(rax & 0xffffn))}), or an exception of ` +
    `that number,${from}: the guest has set no vector for it, and there is no BIOS. A device at ` +
    `port 0x${Port.SMI_COMMAND.toString(16)} may be one`;
}

function word(value: number): string {
  return value.toString(16).padStart(4, "0");
}

function explain(exit: ExitRecord): string {
  switch (exit.reason) {
    case "shutdown":
      return "triple fault: an exception that the guest's own handlers could not take";
    case "internalError":
      return exit.instruction === undefined
        ? `KVM can't go on (${exit.name})`
        : "KVM's emulator does not know this instruction: " +
          `${hex(exit.instruction)}. Where the processor's own virtualization runs the guest, it ` +
          "would; onInternalError may do it in its place";
    case "failEntry":
      return "the processor refused to enter the guest: its registers contradict each other";
    default:
      return `an exit that the machine does not know, "${exit.reason}"`;
  }
}

/** The bytes at a linear address, as far as they are in memory. */
function bytesAt(vcpu: Vcpu, memory: GuestMemory, rip: bigint): string | undefined {
  try {
    const linear = BigInt.asUintN(64, vcpu.getSregs().cs.base + rip);
    const address = vcpu.translate(linear);
    const slot = address === undefined ? undefined : memory.slotAt(address);
    if (address === undefined || slot === undefined) return undefined;
    return hex(slot.bytes(address, Math.min(LONGEST_INSTRUCTION, slot.end - address)));
  } catch (error) {
    // It is one line of a report on something worse.
    if (error instanceof KvmError) return undefined;
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
