/**
 * Devices that live on main's thread: a user's own, and those that reach into memory.
 *
 * A vCPU's thread hands its exit over and waits, which takes some ten microseconds more than a
 * device of the board does. So it does with an access that reaches devices of both: main has them all
 * on its bus, and splits it.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { PHYSICAL_END } from "../arch/x86/mod.ts";
import { IO_APIC, LOCAL_APIC, Port, PORT_COUNT } from "../firmware/mod.ts";
import type { Device } from "../devices/mod.ts";
import type { IoExit, MmioExit } from "../kvm/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import { isAwaitable } from "./awaitable.ts";
import type { Board } from "./board.ts";
import { Bus, type Region } from "./bus.ts";
import { handleIo, handleMmio, handleParts } from "./dispatch.ts";
import type { SharedState } from "./shared/mod.ts";
import { UserDevice } from "./user_device.ts";

const PORTS = 0x1_0000;

/** Ports that the kernel's PICs and PIT answer, before anybody here is asked. */
const KERNEL_PORTS = [
  [Port.PIC_MASTER, PORT_COUNT.PIC],
  [Port.PIC_SLAVE, PORT_COUNT.PIC],
  [Port.ELCR, PORT_COUNT.ELCR],
  [Port.PIT, PORT_COUNT.PIT],
  [Port.SPEAKER, PORT_COUNT.SPEAKER],
] as const;
/** Likewise the pages of the I/O APIC and of the local APICs. */
const KERNEL_PAGES = [[IO_APIC, 0x1000], [LOCAL_APIC, 0x1000]] as const;

/** The buses of main's thread. */
export class MainDevices {
  readonly #shared: SharedState;
  readonly #memory: GuestMemory;
  readonly #ports = new Bus("ports", PORTS);
  readonly #mmio = new Bus("addresses", PHYSICAL_END);
  readonly #onError: (error: unknown) => void;
  /** One for each device, at however many places: it is reset once. */
  readonly #mapped = new WeakMap<Device, UserDevice>();

  /**
   * Nothing but what the board has.
   *
   * @param board Main's own.
   * @param onError Called with what a user's function rejects with, behind the guest's back.
   */
  constructor(
    shared: SharedState,
    board: Pick<Board, "ports" | "afterAccess">,
    memory: GuestMemory,
    onError: (error: unknown) => void,
  ) {
    this.#shared = shared;
    this.#memory = memory;
    this.#onError = onError;
    this.#claimSmiCommand();
    for (const region of board.ports.regions) {
      const { start, end } = region;
      this.#ports.map(start, end - start, boardDevice(shared, board, region), region);
    }
  }

  /** Whether a port is a device's. */
  hasPort(port: number): boolean {
    return this.#ports.find(port) !== undefined;
  }

  /** Puts a device at ports that no other has; until disposed of. */
  mapPorts(start: number, count: number, device: Device): Disposable {
    this.#ports.check(start, count, device);
    refuseKernels(KERNEL_PORTS, start, count);
    const region = this.#ports.map(start, count, this.#userDevice(device));
    this.#shared.claimPorts(start, count, true);
    return {
      [Symbol.dispose]: () => {
        if (!this.#ports.unmap(region)) return;
        this.#shared.claimPorts(start, count, false);
        this.#claimSmiCommand();
      },
    };
  }

  /** Puts a device at addresses that no other has; until disposed of. */
  mapMmio(start: number, length: number, device: Device): Disposable {
    this.#mmio.check(start, length, device);
    refuseKernels(KERNEL_PAGES, start, length);
    for (const { guestPhysAddr, end } of this.#memory.slots) {
      if (start >= end || start + length <= guestPhysAddr) continue;
      const operation = `map a device to 0x${start.toString(16)}`;
      const hint = `There is memory up to 0x${end.toString(16)}: the guest would not reach it`;
      throw new KvmError({ operation, errno: Errno.EEXIST, hint });
    }
    const region = this.#mmio.map(start, length, this.#userDevice(device));
    const claim = () => this.#shared.claimRanges(this.#mmio.regions);
    try {
      claim();
    } catch (error) {
      this.#mmio.unmap(region);
      throw error;
    }
    return {
      [Symbol.dispose]: () => {
        if (this.#mmio.unmap(region)) claim();
      },
    };
  }

  /** Handles an exit that a vCPU's thread has handed over. */
  handle(exit: IoExit | MmioExit): void {
    const isIo = exit.reason === "io";
    const bus = isIo ? this.#ports : this.#mmio;
    const address = isIo ? exit.port : exit.physAddr;
    const region = bus.find(address);
    // The device may have gone meanwhile, too.
    if (region === undefined || address + (isIo ? exit.size : exit.len) > region.end) {
      handleParts(exit, bus);
    } else if (isIo) handleIo(exit, region);
    else handleMmio(exit, region);
  }

  /** What a user's function has returned: should it be a promise, an error of it is not lost. */
  watch<T>(result: T): T {
    if (isAwaitable(result)) Promise.resolve(result).catch(this.#onError);
    return result;
  }

  /** Resets every device, once. */
  reset(): void {
    const regions: readonly Region[] = [...this.#ports.regions, ...this.#mmio.regions];
    for (const device of new Set(regions.map(({ device }) => device))) device.reset?.();
  }

  /** Main tells what it means that nobody answers there. */
  #claimSmiCommand(): void {
    this.#shared.claimPorts(Port.SMI_COMMAND, 1, true);
  }

  #userDevice(device: Device): Device {
    // What is no device is the bus's to refuse.
    if (typeof device?.read !== "function" || typeof device.write !== "function") return device;
    const known = this.#mapped.get(device);
    if (known !== undefined) return known;
    const mapped = new UserDevice(device, (result) => this.watch(result));
    this.#mapped.set(device, mapped);
    return mapped;
  }
}

/** A device of the board, whose state the vCPUs' threads share; its reset is the board's matter. */
function boardDevice(
  { lock }: SharedState,
  board: Pick<Board, "afterAccess">,
  region: Region,
): Device {
  const { device } = region;
  const access = <T>(action: () => T): T =>
    lock.hold(() => {
      const result = action();
      board.afterAccess(region);
      return result;
    });
  return {
    read: (offset, size) => access(() => device.read(offset, size)),
    write: (offset, size, value) => access(() => device.write(offset, size, value)),
  };
}

function refuseKernels(
  taken: readonly (readonly [start: number, length: number])[],
  start: number,
  length: number,
): void {
  const other = taken.find(([first, count]) => start < first + count && start + length > first);
  if (other === undefined) return;
  const operation = `map a device to 0x${start.toString(16)}`;
  const hint = `The kernel's own device at 0x${other[0].toString(16)} answers there`;
  throw new KvmError({ operation, errno: Errno.EEXIST, hint });
}
