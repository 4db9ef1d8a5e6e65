/**
 * A whole machine: memory, vCPUs in their threads, a PC's devices, and a kernel in it.
 *
 * @module
 */

import type { BootTimer, Device, InterruptLine } from "../devices/mod.ts";
import { type MemoryMap, memoryMap } from "../firmware/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../kvm/mod.ts";
import { enterKernel, type LoadedKernel } from "../loader/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import { type Board, createBoard } from "./board.ts";
import { DeviceTimer } from "./device_timer.ts";
import { Conclusion, endedError, type MachineEnd, type Outcome } from "./end.ts";
import { MainExits } from "./exits.ts";
import { checkCpus, createHardware, type Hardware, lineOf, linesOf } from "./hardware.ts";
import { type KernelFiles, loadMachine, readFiles } from "./load.ts";
import { MainDevices } from "./main_devices.ts";
import { addStandardDevices } from "./standard_devices.ts";
import type { MachineOptions } from "./options.ts";
import { OutputPump } from "./output.ts";
import { SerialLine } from "./serial.ts";
import { Ending, SharedState } from "./shared/mod.ts";
import { feed, MachineStreams } from "./streams.ts";
import { takeOptions } from "./take_options.ts";
import { startWorkers, VcpuThreads } from "./threads.ts";
import { Turns } from "./turns.ts";
import type { VcpuWorker } from "./worker/mod.ts";

/** What a machine is doing. */
export type MachineState = "created" | "running" | "paused" | "ended";

/**
 * A PC that boots a kernel: each vCPU runs in a thread of its own, the devices answer there, and this
 * thread remains free.
 *
 * It needs `--allow-ffi`, and `--allow-read` for a kernel that is given as a path.
 *
 * @example
 * ```ts
 * import { Machine } from "@deno-kvm/kvm/machine";
 *
 * // mov al, 'A'; mov dx, 0x3f8; out dx, al; mov al, 3; out 0xf4, al
 * const kernel = Uint8Array.of(0xb0, 0x41, 0x66, 0xba, 0xf8, 3, 0xee, 0xb0, 3, 0xe6, 0xf4);
 * const decoder = new TextDecoder();
 * let text = "";
 * await using machine = await Machine.boot({
 *   kernel,
 *   protocol: "flat64",
 *   console: { output: (bytes) => void (text += decoder.decode(bytes)) },
 * });
 * console.log(await machine.finished, text); // { reason: "debugExit", code: 3 } "A"
 * ```
 */
export class Machine implements AsyncDisposable {
  /**
   * The VM. It and its vCPUs belong to the machine's threads while it runs: dispose of the machine,
   * and don't close them.
   */
  readonly vm: Vm;
  /** COM1, which is the console, and then those that the option `serial` asks for. */
  readonly serial: readonly SerialLine[];
  readonly #options: MachineOptions;
  readonly #map: MemoryMap;
  readonly #hardware: Hardware;
  readonly #shared: SharedState;
  readonly #board: Board;
  readonly #devices: MainDevices;
  readonly #timer: DeviceTimer;
  readonly #pump: OutputPump;
  readonly #bootTimer: BootTimer;
  readonly #conclusion = new Conclusion();
  /** What is to be undone at the end. */
  readonly #stack = new DisposableStack();
  readonly #threads: VcpuThreads;
  #kernel: LoadedKernel;
  #state: MachineState = "created";
  #ending: Promise<void> | undefined;
  #resetting: Promise<void> | undefined;
  readonly #turns = new Turns();

  private constructor(
    options: MachineOptions,
    files: KernelFiles,
    map: MemoryMap,
    hardware: Hardware,
    workers: readonly VcpuWorker[],
    streams: MachineStreams,
  ) {
    this.#options = options;
    this.#map = map;
    this.#hardware = hardware;
    this.vm = hardware.vm;
    const { vm, vcpus } = hardware;
    const board = { serialPorts: streams.ports.length };
    const shared = new SharedState(vcpus.length);
    this.#shared = shared;
    this.#board = createBoard(shared, board, linesOf(vm));
    for (const device of this.#board.devices) device.reset?.();
    const [low, high] = map.slots;
    this.#board.rtc.setMemorySize({ below4G: low!.size, above4G: high?.size });
    const fail = (error: unknown) => void this.#conclude({ error });
    this.#devices = new MainDevices(shared, this.#board, vm.memory, fail);
    this.#timer = new DeviceTimer(shared, this.#board.timed);
    const { ramBytes } = map;
    const described = { ...options, ramBytes, cpus: vcpus.length };
    this.#bootTimer = addStandardDevices(this.#devices, vm.memory, described);
    this.#kernel = this.#load(files);

    this.#pump = new OutputPump(shared, (error) => {
      this.#conclusion.fail(error);
      fail(error);
    });
    this.serial = this.#board.serial.map((serial, at) => {
      this.#pump.connect(serial.output, streams.ports[at]!.sink);
      return new SerialLine(shared, serial);
    });
    this.#pump.connect(this.#board.debugcon, streams.debugcon);
    const exits = new MainExits({ devices: this.#devices, shared, memory: vm.memory, options });
    this.#threads = new VcpuThreads({ vm, vcpus, workers, shared, board }, {
      onExit: (vcpu, isCurrent) => exits.handle(vcpu, isCurrent),
      onOutput: () => this.#pump.run(),
      onEnding: () => this.#handleEnding(),
      onTimer: () => this.#timer.set(),
      onFailure: fail,
    });
    this.#stack.defer(() => streams.end());
    // Not before everything is made: a terminal becomes raw now.
    for (const [at, { reader }] of streams.ports.entries()) {
      if (reader !== undefined) feed(this.serial[at]!, reader).catch(fail);
    }
    const abort = () => this.#conclude({ error: options.signal?.reason });
    options.signal?.addEventListener("abort", abort);
    this.#stack.defer(() => options.signal?.removeEventListener("abort", abort));
  }

  /**
   * Makes a machine that does not run yet, its kernel loaded. The options are read here, and never
   * again.
   *
   * @throws {KvmError} for options that can't be, a kernel that can't be loaded, and whatever KVM
   * refuses; or the signal's reason.
   */
  static async create(options: MachineOptions): Promise<Machine> {
    const taken = takeOptions(options);
    const { memory, cpus, cpu, signal } = taken;
    signal?.throwIfAborted();
    const map = memoryMap(memory);
    using undo = new DisposableStack();
    const streams = undo.use(new MachineStreams(taken, (): Machine => machine));
    using kvm = Kvm.open();
    checkCpus(kvm, cpus);
    using files = await readFiles(taken);
    signal?.throwIfAborted();
    // To start takes them longer than all that follows takes.
    const workers = await startWorkers(cpus, undo, signal);
    const hardware = undo.adopt(createHardware(kvm, map, cpus, cpu), ({ vm }) => vm.close());
    const machine: Machine = new Machine(taken, files, map, hardware, workers, streams);
    undo.move();
    return machine;
  }

  /** Makes a machine and starts it: {@linkcode create} and {@linkcode resume}. */
  static async boot(options: MachineOptions): Promise<Machine> {
    const machine = await Machine.create(options);
    try {
      await machine.resume();
    } catch (error) {
      await machine.stop();
      machine.vm.close();
      // It may have ended for a reason of its own.
      machine.#conclusion.rethrow();
      throw error;
    }
    return machine;
  }

  /** What it is doing. */
  get state(): MachineState {
    return this.#state;
  }

  /** The guest's memory. */
  get memory(): GuestMemory {
    return this.vm.memory;
  }

  /**
   * The vCPUs: their calls are refused with EBUSY while the machine runs, and `run` until its end, for
   * it would take the machine's exits.
   */
  get vcpus(): readonly Vcpu[] {
    return this.#hardware.vcpus;
  }

  /** What was loaded where, and how it is entered. */
  get kernel(): LoadedKernel {
    return this.#kernel;
  }

  /** The last code that the guest wrote to port 0x80, where a firmware tells how far it is. */
  get postCode(): number {
    return this.#board.postCode.state.code;
  }

  /**
   * Resolves when the machine has ended, with the reason; all output has been passed on then.
   * Rejects with a {@linkcode GuestCrash}, with the signal's reason, with whatever a device of yours
   * has thrown, or with the error of an output that has lost bytes.
   */
  get finished(): Promise<MachineEnd> {
    return this.#conclusion.finished;
  }

  /**
   * Lets it run, from the start or after {@linkcode pause}.
   *
   * @throws {KvmError} EBADF if its VM has been closed, EPIPE after its end.
   */
  resume(): Promise<void> {
    return this.#inTurn("start the machine", () => {
      if (this.#state === "created") this.#bootTimer.reset();
      this.#threads.resume();
      this.#state = "running";
    });
  }

  /** Stops all vCPUs for a while; their registers can be read and set then. */
  pause(): Promise<void> {
    const operation = "pause the machine";
    return this.#inTurn(operation, async () => {
      if (this.#state !== "running") return;
      await this.#threads.pause();
      this.#refuseEnding(operation);
      this.#state = "paused";
    });
  }

  /**
   * Starts it anew, as its reset button would: its files are read again. What is in memory beside
   * the kernel stays there. An `onInternalError` that is still at work is not waited for.
   */
  reset(): Promise<void> {
    const operation = "reset the machine";
    return this.#inTurn(operation, () => this.#reset(operation));
  }

  /** Asks the guest to switch itself off, as the power button does. */
  pressPowerButton(): void {
    this.#refuseEnded("press the power button");
    this.#shared.lock.hold(() => this.#board.pm.pressPowerButton());
  }

  /**
   * Presses and releases keys, by the scan codes of set 2 that a keyboard sends, such as `press()`,
   * `release()` and `keystroke()` of `./devices` make; whether the keyboard had room for them: it
   * remembers 16 bytes.
   */
  sendKeys(scancodes: readonly number[]): boolean {
    this.#refuseEnded("send keys");
    return this.#shared.lock.hold(() => this.#board.i8042.key(scancodes));
  }

  /** Ends it, whatever the guest is doing; `finished` resolves with `"stopped"`. */
  async stop(): Promise<void> {
    await this.#conclude({ end: { reason: "stopped" } });
  }

  /**
   * Puts a device of yours at I/O ports, until disposed of. It answers on this thread. Of an access
   * that reaches beyond its ports it gets the bytes that are its own.
   *
   * @throws {KvmError} EEXIST where another device is, EINVAL for ports that don't exist.
   */
  mapPorts(first: number, count: number, device: Device): Disposable {
    this.#refuseEnded("map a device");
    return this.#devices.mapPorts(first, count, device);
  }

  /**
   * Puts a device of yours at guest-physical addresses without memory, until disposed of. It answers
   * on this thread. Of an access that reaches beyond its addresses it gets the bytes that are its own.
   * Memory that is added there later hides it: the VM does not know of devices.
   *
   * @throws {KvmError} EEXIST where another device or memory is, EINVAL for addresses that don't
   * exist, ENOSPC with too many of them.
   */
  mapMmio(guestPhysAddr: number, size: number, device: Device): Disposable {
    this.#refuseEnded("map a device");
    return this.#devices.mapMmio(guestPhysAddr, size, device);
  }

  /** An interrupt line for a device of yours, by its GSI: an ISA interrupt, or an I/O APIC's pin. */
  line(gsi: number): InterruptLine {
    const line = lineOf(this.vm, gsi);
    return {
      set: (level) => {
        this.#refuseEnded("set an interrupt line");
        line.set(level);
      },
    };
  }

  /** Ends it and gives everything back. An error that nobody has seen is thrown now. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.vm.close();
    this.#conclusion.rethrowUnseen();
  }

  /** Fills memory and sets the first vCPU's registers. */
  #load(files: KernelFiles): LoadedKernel {
    const { vcpus, cpuid } = this.#hardware;
    const { serial } = this.#board;
    const fwCfg = this.#options.fwCfg !== undefined;
    const described = { cpus: vcpus.length, cpuid, serialPorts: serial.length, fwCfg };
    const kernel = loadMachine(this.memory, this.#map, described, files, this.#options);
    enterKernel(vcpus[0]!, kernel.entry);
    return kernel;
  }

  async #reset(operation: string): Promise<void> {
    using files = await readFiles(this.#options);
    this.#refuseEnding(operation);
    // Whatever a handler is about to do, it was for a guest that is no more.
    await this.#threads.pause(true);
    this.#refuseEnding(operation);
    try {
      this.#shared.takeEnding();
      this.#shared.lock.hold(() => this.#board.devices.forEach((device) => device.reset?.()));
      this.#devices.reset();
      this.#hardware.powerOn.restore();
      this.#kernel = this.#load(files);
    } catch (error) {
      // Half of it has been reset: nothing could go on with the rest.
      this.#conclude({ error });
      throw error;
    }
    if (this.#state === "running") this.#threads.resume();
  }

  /** The guest resets the machine, or itself by a triple fault. */
  #handleReset(): void {
    if (this.#options.onReset === "stop") this.#conclude({ end: { reason: "reset" } });
    else {
      this.#resetting ??= this.reset()
        .catch((error) => this.#conclude({ error }))
        .then(() => this.#resetting = undefined);
    }
  }

  #handleEnding(): void {
    const { ending, code } = this.#shared.ending;
    if (ending === Ending.POWER_OFF) this.#conclude({ end: { reason: "powerOff" } });
    else if (ending === Ending.DEBUG_EXIT) this.#conclude({ end: { reason: "debugExit", code } });
    else if (ending === Ending.RESET) this.#handleReset();
  }

  /** One change of state after the other; none after the end. */
  #inTurn(operation: string, action: () => Promise<void> | void): Promise<void> {
    return this.#turns.take(() => {
      this.#refuseEnding(operation);
      return action();
    });
  }

  /** It will not come back from its end. */
  #refuseEnding(operation: string): void {
    if (this.#ending !== undefined) throw endedError(operation);
  }

  /** Before it has ended, a device or a console may still be about something. */
  #refuseEnded(operation: string): void {
    if (this.#state === "ended") throw endedError(operation);
  }

  /** Ends the machine; the first reason counts. */
  #conclude(outcome: Outcome): Promise<void> {
    this.#conclusion.add(outcome);
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    try {
      await this.#threads.stop();
      this.#timer.clear();
      for (const line of this.serial) line.close();
      await this.#pump.finish();
      this.#stack.dispose();
    } catch (error) {
      this.#conclusion.fail(error);
    }
    this.#state = "ended";
    for (const line of this.serial) line.end();
    this.#conclusion.tell();
  }
}
