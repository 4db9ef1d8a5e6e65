/**
 * 16-bit real mode (SDM volume 3, "Real-Address Mode").
 *
 * ```text
 * 0x00000  interrupt vectors, BIOS data        left alone
 * 0x01000  code                                CS = 0: offsets are addresses
 *          ...
 *          stack                               SS = 0, below 64 KiB
 * ```
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { CR0, realModeSegment, taskRegister } from "../arch/x86/mod.ts";
import type { GuestMemory, MemorySlot } from "../memory/mod.ts";
import { type BootVcpu, checkOptions, checkRegisters, enter, leave } from "./enter.ts";
import { checkEntry, codeRange } from "./image.ts";
import { type Boot, BOOT_OPTIONS, type BootOptions } from "./options.ts";
import { endOf, roundUp, Space } from "./place.ts";
import { givenStack, stackWant } from "./stack.ts";

/** A real-mode address: the byte at 16 * segment + offset. */
export interface FarAddress {
  /** The segment register's value, 0 to 0xffff. */
  readonly segment: number;
  /** Bytes within the segment, 0 to 0xffff. */
  readonly offset: number;
}

/** What {@linkcode realMode} starts. */
export interface RealModeOptions extends Omit<BootOptions, "entry"> {
  /**
   * The first instruction; where the code is loaded, by default. A number is an address below
   * 64 KiB and gives CS = 0; further up, give segment and offset.
   */
  readonly entry?: number | FarAddress | undefined;
}

const MEBIBYTE = 0x10_0000;
const SEGMENT_BYTES = 0x1_0000;
const SEGMENT_LIMIT = SEGMENT_BYTES - 1;
/** Bytes of the interrupt vector table: 256 of 4 bytes. */
const IVT_LIMIT = 256 * 4 - 1;
const STACK_ALIGN = 2;

/**
 * Starts code in 16-bit real mode: below 1 MiB, with DS = ES = FS = GS = 0 and interrupts disabled.
 *
 * Needs memory for the code and 1 KiB of stack; 4 KiB in all will do.
 *
 * @example
 * ```ts
 * import { guests, Kvm, realMode } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 64 << 10 });
 * using vcpu = vm.createVcpu(0);
 * realMode(vcpu, memory, { code: guests.helloReal });
 * console.log(vcpu.run().reason); // "io"
 * ```
 *
 * @throws {KvmError} EINVAL for an option that can't be, an entry outside the code or a stack outside
 * memory; EFAULT or E2BIG for code outside memory or above 1 MiB; ENOMEM without room for the stack.
 */
export function realMode(
  vcpu: BootVcpu,
  memory: MemorySlot | GuestMemory,
  options: RealModeOptions,
): Boot {
  const operation = "start the guest in real mode";
  checkOptions<RealModeOptions>(operation, options, BOOT_OPTIONS);
  const { code, registers } = options;
  checkRegisters(operation, registers);
  const range = codeRange(operation, memory, { ...options, entry: undefined }, MEBIBYTE);
  const { entry: first = range.guestPhysAddr } = options;
  const entry = farAddress(operation, first);
  const address = 16 * entry.segment + entry.offset;
  checkEntry(operation, address, range);

  const space = Space.of(memory, { limit: MEBIBYTE, prefer: SEGMENT_BYTES });
  space.exclude(range);
  options.avoid?.forEach((other) => space.exclude(other));
  const stackRange = givenStack(operation, space, options.stack, STACK_ALIGN) ??
    space.place(operation, [stackWant(STACK_ALIGN)])[0]!;
  const stack = endOf(stackRange);
  // SP of 0 is the top of a whole segment: the first push wraps.
  const stackBase = Math.max(0, roundUp(stack - SEGMENT_BYTES, 16));

  leave(vcpu);
  memory.writeBytes(range.guestPhysAddr, code);
  const data = realModeSegment(0, "data");
  enter(vcpu, registers, {
    rip: entry.offset,
    rsp: (stack - stackBase) % SEGMENT_BYTES,
    rflags: 0n,
    sregs: {
      cs: realModeSegment(entry.segment, "code"),
      ds: data,
      es: data,
      fs: data,
      gs: data,
      ss: realModeSegment(stackBase / 16, "data"),
      tr: taskRegister(0, 0, SEGMENT_LIMIT),
      gdt: { base: 0n, limit: 0 },
      idt: { base: 0n, limit: IVT_LIMIT },
      cr0: CR0.ET,
      cr3: 0n,
      cr4: 0n,
      efer: 0n,
    },
  });
  return { code: range, entry: address, stack, reserved: [range, stackRange] };
}

function farAddress(operation: string, entry: number | FarAddress): FarAddress {
  const far = typeof entry === "object" && entry !== null ? entry : { segment: 0, offset: entry };
  const fits = ({ segment, offset }: FarAddress) =>
    [segment, offset].every((part) => Number.isInteger(part) && part >= 0 && part <= SEGMENT_LIMIT);
  if (fits(far)) return far;
  const hint = "Above 64 KiB the entry is { segment, offset }, each from 0 to 0xffff";
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
