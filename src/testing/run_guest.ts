/**
 * Runs a few instructions, or a whole guest, on a VM of their own.
 *
 * @module
 */

import { closedError, plain } from "../../ffi/mod.ts";
import { assemble } from "../assemble/mod.ts";
import {
  type GuestException,
  longMode,
  pagedMode,
  protectedMode,
  readException,
  realMode,
} from "../boot/mod.ts";
import {
  copyExit,
  type Exit,
  type ExitRecord,
  formatRegisters,
  Kvm,
  type MmioExit,
  type Regs,
  type Sregs,
  type Vcpu,
  type Vm,
} from "../kvm/mod.ts";
import type { MemorySlot } from "../memory/mod.ts";
import { GuestError } from "./error.ts";
import { bytesOf } from "./bytes.ts";
import { type GuestEnd, type GuestMode, type GuestOptions, takeGuestOptions } from "./options.ts";
import { Ports, writtenTo } from "./ports.ts";

const SERIAL_PORT = 0x3f8;
const DEBUG_EXIT_PORT = 0xf4;
const MEMORY_SIZE = 2 << 20;
const TIME_LIMIT = 1000;
/** For a KVM such as kvm_pvm, whose interpreter lacks SSE, among others. */
const LEVEL_3_HINT = "where KVM interprets level 0, cpl: 3 has the processor run it";
const EXIT_LIMIT = 50_000;
const bitsOf = { real: 16, protected: 32, paged: 32, long: 64 } as const;

/** A guest that has ended: what it left behind. Dispose of it, and its VM is closed. */
export class GuestRun implements Disposable {
  /** Every exit, in order, the last included. */
  readonly exits: readonly ExitRecord[];
  /** The exit that ended it. */
  readonly exit: ExitRecord;
  /** The exception that the guest did not take itself, if one ended it; in long mode only. */
  readonly exception: GuestException | undefined;
  /** General registers at the end. */
  readonly registers: Readonly<Regs>;
  /** Special registers at the end. */
  readonly specialRegisters: Readonly<Sregs>;
  /** Guest memory. */
  readonly memory: MemorySlot;
  /** The VM, for whatever else is to be seen. */
  readonly vm: Vm;
  /** The vCPU; it may be run on. */
  readonly vcpu: Vcpu;

  /** @internal */
  constructor(init: Pick<GuestRun, "vm" | "vcpu" | "memory" | "exits" | "exception">) {
    this.vm = init.vm;
    this.vcpu = init.vcpu;
    this.memory = init.memory;
    this.exits = init.exits;
    this.exit = init.exits.at(-1)!;
    this.exception = init.exception;
    this.registers = plain(this.vcpu.getRegs());
    this.specialRegisters = plain(this.vcpu.getSregs());
  }

  /** What the guest printed: the bytes it wrote to port 0x3f8, the first serial port, as UTF-8. */
  get output(): string {
    return new TextDecoder().decode(this.written(SERIAL_PORT));
  }

  /** All bytes that the guest wrote to a port, in order. */
  written(port: number): Uint8Array<ArrayBuffer> {
    return writtenTo(port, this.exits);
  }

  /** Closes the VM; `memory` is empty afterwards. */
  [Symbol.dispose](): void {
    this.vm.close();
  }
}

/**
 * Runs a guest until it ends: with HLT, with a write to port 0xf4, or as `ends` says.
 *
 * @example
 * ```ts
 * import { runGuest } from "@deno-kvm/kvm/testing";
 *
 * // mov eax, 40; add eax, ebx; hlt
 * const code = new Uint8Array([0xb8, 40, 0, 0, 0, 0x01, 0xd8, 0xf4]);
 * using guest = runGuest({ code, registers: { rbx: 2n } });
 * console.log(guest.registers.rax); // 42n
 * ```
 *
 * @throws {GuestError} if the guest takes too long, makes too many exits, or ends in another way.
 * @throws {KvmError} if the guest can't be set up.
 */
export function runGuest(given: GuestOptions): GuestRun {
  const options = takeGuestOptions(given);
  const { mode = "long", memorySize = MEMORY_SIZE } = options;
  const code = typeof options.code === "string"
    ? assemble(options.code, { bits: bitsOf[mode], origin: options.at })
    : options.code;
  using kvm = Kvm.open();
  using cleanup = new DisposableStack();
  const vm = cleanup.use(kvm.createVm());
  options.setup?.(vm);
  const memory = vm.addMemory({ size: memorySize });
  const vcpu = vm.createVcpu(0);
  const exceptionOf = start(vcpu, memory, mode, code, options);
  for (const [address, init] of Object.entries(options.memory ?? {})) {
    memory.writeBytes(Number(address), bytesOf(`memory[${address}]`, init));
  }
  options.prepare?.(vcpu, vm);

  const ports = new Ports(options.input);
  const exits = runToEnd(vcpu, ports, options);
  const run = new GuestRun({ vm, vcpu, memory, exits, exception: exceptionOf() });
  const end = run.exception === undefined ? run.exit.reason : "exception";
  // A write to the end port is the only "io" exit that comes last.
  if (end !== "io" && ![options.ends ?? "hlt"].flat().includes(end)) {
    throw new GuestError({
      message: describe(end, run, options),
      exit: run.exit,
      registers: formatRegisters(run.registers, run.specialRegisters),
    });
  }
  cleanup.move();
  return run;
}

/** What a bad end means. */
function describe(end: GuestEnd, { exception }: GuestRun, options: GuestOptions): string {
  const { mode = "long", cpl = 0, timeLimit = TIME_LIMIT } = options;
  switch (end) {
    case "exception": {
      const { name = "", rip = 0n, errorCode, cr2 } = exception ?? {};
      const code = errorCode === undefined ? "" : `, error code 0x${errorCode.toString(16)}`;
      const address = cr2 === undefined ? "" : `, address 0x${cr2.toString(16)}`;
      return `The guest raised ${name} at 0x${rip.toString(16)}${code}${address}`;
    }
    case "intr":
      return `The guest did not end within ${timeLimit} ms`;
    case "shutdown":
      return "The guest triple-faulted: an exception found no handler";
    case "internalError": {
      const message = "KVM could not emulate the guest's instruction at RIP";
      return mode === "long" && cpl === 0 ? `${message}; ${LEVEL_3_HINT}` : message;
    }
    case "failEntry":
      return "The processor refused the guest's state";
    default:
      return `The guest ended with "${end}"`;
  }
}

/** Puts the code in place; says later whether the guest raised an exception that it did not take. */
function start(
  vcpu: Vcpu,
  memory: MemorySlot,
  mode: GuestMode,
  code: Uint8Array,
  { at, registers, cpl, endPort = DEBUG_EXIT_PORT }: GuestOptions,
): () => GuestException | undefined {
  const options = { code, at, registers };
  switch (mode) {
    case "real":
      realMode(vcpu, memory, options);
      break;
    case "protected":
      protectedMode(vcpu, memory, options);
      break;
    case "paged":
      pagedMode(vcpu, memory, options);
      break;
    case "long": {
      // The port ends the guest even where HLT stays in the kernel.
      const boot = longMode(vcpu, memory, { ...options, cpl, idt: { port: endPort } });
      return () => readException(memory, boot);
    }
  }
  return () => undefined;
}

function runToEnd(vcpu: Vcpu, ports: Ports, options: GuestOptions): ExitRecord[] {
  const { timeLimit = TIME_LIMIT, exitLimit = EXIT_LIMIT, mmio = floatingBus } = options;
  const { endPort = DEBUG_EXIT_PORT } = options;
  const exits: ExitRecord[] = [];
  using _limit = vcpu.interruptAfter(timeLimit);
  using own = vcpu.hold("runGuest runs it: a callback answers an exit, and returns");
  for (;;) {
    const exit = own.run();
    if (exit.reason === "io") ports.handle(exit);
    else if (exit.reason === "mmio") mmio(exit);
    if (vcpu.closed) throw closedError("go on with the guest", "VM");
    const copy = copyExit(exit);
    exits.push(copy);
    if (isEnd(exit, endPort)) return exits;
    if (exits.length <= exitLimit) continue;
    throw new GuestError({
      message: `The guest made more than ${exitLimit} exits: exitLimit allows it more`,
      exit: copy,
      registers: formatRegisters(vcpu.getRegs(), vcpu.getSregs()),
    });
  }
}

function isEnd(exit: Exit, endPort: number): boolean {
  if (exit.reason === "io") return exit.direction === "out" && exit.port === endPort;
  return exit.reason !== "mmio";
}

/** Where nothing answers, a PC's bus reads as ones. */
function floatingBus(exit: MmioExit): void {
  if (!exit.isWrite) exit.data.fill(0xff);
}
