/**
 * Exceptions of a long-mode guest, reported to the host: IDT, TSS and the handlers of `stub.asm`
 * (SDM volume 3, "Exception and Interrupt Handling in 64-bit Mode").
 *
 * @module
 */

import { checkInteger, checkNames, checkObject, type Names, show } from "../../ffi/mod.ts";
import {
  CANONICAL_END,
  encodeGate,
  encodeTss,
  EXCEPTION_VECTORS,
  GATE_BYTES,
  hasErrorCode,
  interruptGate,
  TSS_BYTES,
  Vector,
  vectorName,
  VECTORS,
} from "../arch/x86/mod.ts";
import type { GuestMemory, MemorySlot, Range } from "../memory/mod.ts";
import { checkMemory, type Want } from "./place.ts";
import { stub } from "./stub_bytes.ts";

/** How a guest's exceptions are handled. */
export interface IdtOptions {
  /**
   * The guest's own handlers: their addresses, by vector. They run at level 0 with interrupts
   * disabled: on the current stack, or, coming from level 3, on the system stack.
   */
  readonly handlers?: Readonly<Record<number, number>> | undefined;
  /**
   * A port, 1 to 0xffff, to which the vector of a reported exception is written (1 byte) before the
   * HLT. A VM with an in-kernel irqchip needs it, since there HLT does not come to the host.
   */
  readonly port?: number | undefined;
}

/** What was put where for exceptions. */
export interface ExceptionLayout {
  /** The IDT: 32 gates, or as many as the highest handler needs. */
  readonly idt: Range;
  /** The TSS. */
  readonly tss: Range;
  /** The handlers that report. */
  readonly stub: Range;
  /** The stack of those handlers, and of interrupts from level 3. */
  readonly systemStack: Range;
  /** Where the report is left, within the system stack. */
  readonly record: number;
}

/** An exception that the guest raised and did not handle. */
export interface GuestException {
  /** The vector, 0 to 31. */
  readonly vector: number;
  /** Its name: `"#PF"`. */
  readonly name: string;
  /** What the processor adds for some vectors; `PageFault` has the bits of #PF's. */
  readonly errorCode: number | undefined;
  /** The instruction: of a fault, the one that raised it; of a trap, the one behind. */
  readonly rip: bigint;
  /** The address that #PF is about; undefined for others. */
  readonly cr2: bigint | undefined;
  /** CS: its lowest two bits are the level. */
  readonly cs: number;
  /** RFLAGS. */
  readonly rflags: bigint;
  /** RSP. */
  readonly rsp: bigint;
  /** SS. */
  readonly ss: number;
}

/** The record at the top of the system stack; `stub.asm` and the processor fill it. */
const exceptionRecord = {
  cr2: "u64",
  vector: "u64",
  errorCode: "u64",
  rip: "u64",
  cs: "u64",
  rflags: "u64",
  rsp: "u64",
  ss: "u64",
  /** From here on the host's. Not 0 once the record is complete. */
  reported: "u32",
  /** Where to announce it, or 0. */
  port: "u32",
} as const;

/** Bytes of an entry of `stub.asm`; one per vector. */
const STUB_ENTRY_BYTES = 16;
const SYSTEM_STACK_BYTES = 2048;
/** The processor aligns an interrupt's stack (SDM volume 3, "64-Bit Mode Stack Frame"). */
const STACK_ALIGN = 16;
/** From the start of the system stack to where frames begin; the host's two fields lie behind. */
const STACK_TOP = SYSTEM_STACK_BYTES - STACK_ALIGN;
/** Bytes of the record below the stack's top: the processor's frame and what the stub adds. */
const FRAME_BYTES = 64;
const IST = 1;

const IDT_OPTIONS: Names<IdtOptions> = { handlers: true, port: true };

const stubBytes = Uint8Array.fromBase64(stub);

/** Throws unless every handler and the port are possible. */
export function checkIdt(operation: string, options: IdtOptions): void {
  checkNames(operation, "idt", options, IDT_OPTIONS);
  const { handlers = {}, port } = options;
  checkObject(operation, "What has the handlers", handlers);
  for (const [name, address] of Object.entries(handlers)) {
    const vector = Number(name);
    checkInteger(operation, `The vector of handler ${show(name)}`, vector, 0, VECTORS - 1);
    const what = `The handler of ${vectorName(vector)}`;
    checkInteger(operation, what, address, 0, CANONICAL_END - 1);
  }
  if (port !== undefined) checkInteger(operation, "A port", port, 1, 0xffff);
}

/** The room that exceptions need: IDT, TSS, stub and system stack. */
export function exceptionWants({ handlers = {} }: IdtOptions): Want[] {
  const highest = Math.max(EXCEPTION_VECTORS - 1, ...Object.keys(handlers).map(Number));
  return [
    { what: "the IDT", size: (highest + 1) * GATE_BYTES, align: 16 },
    { what: "the TSS", size: TSS_BYTES, align: 16 },
    { what: "exception handlers", size: stubBytes.length, align: 16 },
    { what: "the system stack", size: SYSTEM_STACK_BYTES, align: 64 },
  ];
}

/** Names the places that were found for {@linkcode exceptionWants}. */
export function exceptionLayout(places: readonly Range[]): ExceptionLayout {
  const [idt, tss, stub, systemStack] = places as [Range, Range, Range, Range];
  const record = systemStack.guestPhysAddr + STACK_TOP - FRAME_BYTES;
  return { idt, tss, stub, systemStack, record };
}

/** Writes them. `selector` is that of level-0 code, `cpl` the level that the guest runs at. */
export function writeExceptions(
  memory: MemorySlot | GuestMemory,
  layout: ExceptionLayout,
  { handlers = {}, port = 0 }: IdtOptions,
  selector: number,
  cpl: number,
): void {
  const { idt, tss, stub, systemStack, record } = layout;
  const top = systemStack.guestPhysAddr + STACK_TOP;
  const table = new BigUint64Array(idt.size / 8);
  const gate = (vector: number, address: number, ist: number) => {
    // INT3 and INTO are for every level; of the other exceptions, INT n must feign none.
    const trap = vector === Vector.BP || vector === Vector.OF;
    const dpl = trap ? 3 : vector < EXCEPTION_VECTORS ? 0 : cpl;
    table.set(encodeGate(interruptGate(address, selector, ist, dpl)), 2 * vector);
  };
  for (let vector = 0; vector < EXCEPTION_VECTORS; vector++) {
    gate(vector, stub.guestPhysAddr + vector * STUB_ENTRY_BYTES, IST);
  }
  for (const [vector, address] of Object.entries(handlers)) gate(Number(vector), address, 0);
  memory.writeBytes(idt.guestPhysAddr, new Uint8Array(table.buffer));
  memory.writeBytes(tss.guestPhysAddr, encodeTss({ rsp0: top, ist: [top] }));
  memory.writeBytes(stub.guestPhysAddr, stubBytes);
  memory.fill(systemStack.guestPhysAddr, systemStack.size);
  memory.struct(exceptionRecord, record).port = port;
}

/**
 * The exception that ended a guest which `longMode` started with handlers (`idt`, or level 3):
 * undefined if there was none. The guest has halted then, with its other registers as they were.
 *
 * @example
 * ```ts
 * import { Kvm, longMode, readException } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 64 << 10 });
 * using vcpu = vm.createVcpu(0);
 * const ud2 = Uint8Array.of(0x0f, 0x0b);
 * const boot = longMode(vcpu, memory, { code: ud2, idt: true });
 * console.log(vcpu.run().reason); // "hlt"
 * console.log(readException(memory, boot)?.name); // "#UD"
 * ```
 *
 * @param boot What `longMode` has returned.
 * @throws {KvmError} EINVAL for what is no memory or no start's; EFAULT for memory that is not the
 * guest's, EBADF once it is closed.
 */
export function readException(
  memory: MemorySlot | GuestMemory,
  boot: { readonly exceptions?: ExceptionLayout | undefined },
): GuestException | undefined {
  const operation = "read the guest's exception";
  checkMemory(operation, memory);
  checkObject(operation, "What longMode has returned", boot);
  const { exceptions } = boot;
  if (exceptions === undefined) return undefined;
  checkObject(operation, "exceptions", exceptions);
  const address = exceptions.record;
  checkInteger(operation, "exceptions.record", address, 0, Number.MAX_SAFE_INTEGER);
  const record = memory.struct(exceptionRecord, address);
  if (record.reported === 0) return undefined;
  const vector = Number(record.vector);
  return {
    vector,
    name: vectorName(vector),
    errorCode: hasErrorCode(vector) ? Number(record.errorCode) : undefined,
    rip: record.rip,
    cr2: vector === Vector.PF ? record.cr2 : undefined,
    cs: Number(record.cs),
    rflags: record.rflags,
    rsp: record.rsp,
    ss: Number(record.ss),
  };
}
