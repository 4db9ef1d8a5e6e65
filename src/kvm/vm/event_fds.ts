/**
 * What the kernel does for a VM by itself, without an exit: events that are interrupts, writes that
 * are events, and writes that queue up.
 *
 * @module
 */

import {
  checkInstance,
  checkInteger,
  checkNames,
  Errno,
  from,
  KvmError,
  show,
  U32_MAX,
} from "../../../ffi/mod.ts";
import {
  Cap,
  IoeventfdFlag,
  IrqfdFlag,
  kvmCoalescedMmioZone,
  kvmIoeventfd,
  kvmIrqfd,
} from "../../../ffi/uapi/mod.ts";
import { Connection } from "../connection.ts";
import { EventFd } from "../event_fd.ts";
import { KVM } from "../ioctls.ts";
import { VmInterrupts } from "./interrupts.ts";

/** How an {@linkcode EventFd} is an interrupt. */
export interface IrqfdOptions {
  /**
   * Makes the line level-triggered: a signal raises it, and when the guest says that it is done (EOI),
   * it falls and this event is signalled. A device that still wants something signals anew.
   */
  readonly resample?: EventFd | undefined;
}

/** Which writes of the guest are an event. */
export interface IoeventfdOptions {
  /** The guest-physical address, or the I/O port. */
  readonly addr: number;
  /** Whether `addr` is an I/O port. */
  readonly pio?: boolean | undefined;
  /**
   * The size of the write in bytes: 1, 2, 4 or 8; by default 0, which is any
   * (`Cap.IOEVENTFD_ANY_LENGTH`).
   */
  readonly len?: 0 | 1 | 2 | 4 | 8 | undefined;
  /** The one value that counts; by default any does. Needs a `len`. */
  readonly datamatch?: number | bigint | undefined;
}

/** Which writes of the guest queue up. */
export interface CoalescedZone {
  /** The first guest-physical address, or the first I/O port. */
  readonly addr: number;
  /** Bytes, or ports. */
  readonly size: number;
  /** Whether these are I/O ports (`Cap.COALESCED_PIO`). */
  readonly pio?: boolean | undefined;
}

const PORTS = 0x10000;

/** The events part of {@linkcode Vm}. */
export abstract class VmEventFds extends VmInterrupts {
  readonly #connections = new Set<Connection>();
  readonly #zones = new Set<CoalescedZone>();

  /**
   * Makes an event an interrupt: whoever signals it raises the line, and the kernel takes the signal
   * (KVM_IRQFD; `Cap.IRQFD`). Ends with the connection, with the event, or with the VM.
   *
   * @param gsi The line, see `setGsiRouting`.
   *
   * @example
   * ```ts
   * import { EventFd, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * vm.createIrqchip();
   * using event = new EventFd();
   * using _line = vm.irqfd(event, 5);
   * event.write(); // raises line 5, for an edge
   * ```
   *
   * @throws {KvmError} EBUSY if the event is a line of this VM already, EINVAL without the irqchip,
   * EBADF if an event is closed.
   */
  irqfd(event: EventFd, gsi: number, options: IrqfdOptions = {}): Connection {
    const operation = `make an event interrupt line ${show(gsi)}`;
    checkNames(operation, "What says how", options, { resample: true });
    const { resample } = options;
    checkInteger(operation, "An interrupt line", gsi, 0, U32_MAX);
    const irqfd = from(kvmIrqfd, { gsi, fd: openFd(operation, event) });
    if (resample !== undefined) {
      this.need(Cap.IRQFD_RESAMPLE, operation);
      irqfd.flags = IrqfdFlag.RESAMPLE;
      irqfd.resamplefd = openFd(operation, resample);
    }
    this.handle.set(KVM.KVM_IRQFD, irqfd, operation);
    irqfd.flags = IrqfdFlag.DEASSIGN;
    const events = resample === undefined ? [event] : [event, resample];
    return this.#connection(events, () => this.handle.set(KVM.KVM_IRQFD, irqfd));
  }

  /**
   * Makes a guest's write an event: it signals the event once, and is no exit (KVM_IOEVENTFD;
   * `Cap.IOEVENTFD`). The value is lost. Ends with the connection, with the event, or with the VM.
   *
   * @example
   * ```ts
   * import { EventFd, guests, Kvm, longMode } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * const memory = vm.addMemory({ size: 2 << 20 });
   * using vcpu = vm.createVcpu(0);
   * longMode(vcpu, memory, { code: guests.ports }); // writes 1, 2, 3... to port 0xe0
   * using event = new EventFd();
   * using _write = vm.ioeventfd(event, { addr: 0xe0, pio: true, len: 4, datamatch: 1 });
   * const exit = vcpu.run();
   * console.log(exit.reason === "io" && exit.value, event.read()); // 2 1n
   * ```
   *
   * @throws {KvmError} EEXIST if such writes are an event already, EINVAL for an address, a length or
   * a value that can't be, EBADF if the event is closed.
   */
  ioeventfd(event: EventFd, options: IoeventfdOptions): Connection {
    const names = { addr: true, pio: true, len: true, datamatch: true } as const;
    checkNames("make a write an event", "What says which", options, names);
    const { addr, pio = false, len = 0, datamatch } = options;
    const operation = `make a write of ${len || "any"} bytes to ${where(addr, pio)} an event`;
    const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
    if (![0, 1, 2, 4, 8].includes(len)) throw invalid("A length is 1, 2, 4, 8, or 0 for any");
    checkRange(operation, addr, len, pio);
    if (len === 0) this.need(Cap.IOEVENTFD_ANY_LENGTH, operation);
    const init = { addr, len, fd: openFd(operation, event), flags: pio ? IoeventfdFlag.PIO : 0 };
    const ioeventfd = from(kvmIoeventfd, init);
    if (datamatch !== undefined) {
      if (len === 0) throw invalid("One value can be waited for only at one length");
      const value = typeof datamatch === "bigint" ? datamatch : BigInt(Math.trunc(datamatch) || 0);
      if (value != datamatch || value !== BigInt.asUintN(len * 8, value)) {
        throw invalid(`No write of ${len} bytes has the value ${show(datamatch)}`);
      }
      ioeventfd.datamatch = value;
      ioeventfd.flags |= IoeventfdFlag.DATAMATCH;
    }
    this.handle.set(KVM.KVM_IOEVENTFD, ioeventfd, operation);
    ioeventfd.flags |= IoeventfdFlag.DEASSIGN;
    return this.#connection([event], () => this.handle.set(KVM.KVM_IOEVENTFD, ioeventfd));
  }

  /**
   * Lets the guest's writes to a zone queue up without an exit (KVM_REGISTER_COALESCED_MMIO;
   * `Cap.COALESCED_MMIO`), until the connection is closed (KVM_UNREGISTER_COALESCED_MMIO). Reads exit
   * as before, and so does a write that finds the queue full. The queue is taken, at each exit and
   * before it is handled, by `vcpu.coalescedMmio`.
   *
   * @throws {KvmError} EINVAL for a zone that can't be, EEXIST if it overlaps another one, ENOSPC for
   * more than the VM's bus takes.
   */
  registerCoalescedMmio(zone: CoalescedZone): Connection {
    const names = { addr: true, size: true, pio: true } as const;
    checkNames("let writes queue up", "A zone", zone, names);
    const { addr, size, pio = false } = zone;
    const operation = `let ${show(size)} bytes of writes at ${where(addr, pio)} queue up`;
    checkInteger(operation, "A zone's size", size, 1, U32_MAX);
    checkRange(operation, addr, size, pio);
    this.need(pio ? Cap.COALESCED_PIO : Cap.COALESCED_MMIO, operation);
    // The kernel would take both, and let go of both at once.
    for (const other of this.#zones) {
      const apart = other.addr + other.size <= addr || addr + size <= other.addr;
      if (other.pio !== pio || apart) continue;
      const hint = `It overlaps the zone at ${where(other.addr, pio)}: end that one first`;
      throw new KvmError({ operation, errno: Errno.EEXIST, hint });
    }
    const struct = from(kvmCoalescedMmioZone, { addr, size, pio: pio ? 1 : 0 });
    this.handle.set(KVM.KVM_REGISTER_COALESCED_MMIO, struct, operation);
    const own = { addr, size, pio };
    this.#zones.add(own);
    return this.#connection([], () => {
      this.#zones.delete(own);
      this.handle.set(KVM.KVM_UNREGISTER_COALESCED_MMIO, struct);
    });
  }

  /** Closes the VM, and with it what it keeps up. */
  override close(): void {
    super.close();
    for (const connection of this.#connections) connection.close();
  }

  #connection(events: readonly EventFd[], undo: () => void): Connection {
    const own = {
      connect: (connection: Connection) => this.#connections.add(connection),
      disconnect: (connection: Connection) => this.#connections.delete(connection),
    };
    // A VM that is closed has undone it.
    return new Connection([own, ...events], () => this.closed || undo());
  }
}

/** An event's descriptor; as unsigned as the kernel's struct has it, -1 would be no error here. */
function openFd(operation: string, event: EventFd): number {
  checkInstance(operation, "The event", event, EventFd);
  if (!event.closed) return event.fd;
  const hint = "The event was closed: connect it before close() or the end of its using block";
  throw new KvmError({ operation, errno: Errno.EBADF, hint });
}

function checkRange(operation: string, addr: number, size: number, pio: boolean): void {
  checkInteger(operation, "An address", addr, 0, pio ? PORTS - 1 : Number.MAX_SAFE_INTEGER - size);
  if (pio) checkInteger(operation, "The end of the ports", addr + size, 0, PORTS);
}

function where(addr: number, pio: boolean): string {
  return `${pio ? "port" : "address"} 0x${Number(addr).toString(16)}`;
}
