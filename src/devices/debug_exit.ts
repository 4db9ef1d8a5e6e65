/**
 * A port that ends the machine with a status: isa-debug-exit of QEMU, at 0xf4 there.
 *
 * QEMU makes of a value its own exit status (value << 1) | 1. Here the status is the value itself,
 * so that a guest can end with 0; of what is beyond a process's 8 bits the host makes what it wants.
 *
 * It remembers nothing.
 *
 * @module
 */

import { openBus } from "./bytewise.ts";
import type { Device } from "./device.ts";

/** What a {@linkcode DebugExit} is connected to. */
export interface DebugExitWires {
  /** The guest ends the machine. */
  exit(code: number): void;
}

/**
 * The port.
 *
 * @example
 * ```ts
 * import { DebugExit } from "@deno-kvm/kvm/devices";
 *
 * const port = new DebugExit({ exit: (code) => console.log(`The guest ends with ${code}`) });
 * port.write(0, 1, 3); // The guest ends with 3
 * ```
 */
export class DebugExit implements Device {
  readonly #wires: DebugExitWires;

  /** Connects it. */
  constructor(wires: DebugExitWires) {
    this.#wires = wires;
  }

  /** All ones. */
  read(_offset: number, size: number): number {
    return openBus(size);
  }

  /** Ends the machine, with the value of whatever size. */
  write(_offset: number, _size: number, value: number): void {
    this.#wires.exit(value);
  }
}
