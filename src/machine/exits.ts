/**
 * Exits that no vCPU's thread answers.
 *
 * @module
 */

import type { InternalErrorExit, Vcpu } from "../kvm/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import { Port } from "../firmware/mod.ts";
import { GuestCrash, unhandledVector } from "./crash.ts";
import type { MainDevices } from "./main_devices.ts";
import type { MachineOptions, TripleFaultAnswer, TripleFaultEvent } from "./options.ts";
import { Ending, type SharedState } from "./shared/mod.ts";

/** What main needs for them. */
export interface MainExitsInit {
  /** The devices that main has. */
  readonly devices: MainDevices;
  /** Where an end is asked for. */
  readonly shared: SharedState;
  /** The guest's memory. */
  readonly memory: GuestMemory;
  /** What the user wants to be done about some of them. */
  readonly options: Pick<MachineOptions, "onInternalError" | "onTripleFault">;
}

/** Main's part of handling exits. */
export class MainExits {
  readonly #init: MainExitsInit;

  /** Remembers who answers. */
  constructor(init: MainExitsInit) {
    this.#init = init;
  }

  /**
   * Handles the last exit of a vCPU that waits for it.
   *
   * @param isCurrent Whether it still does, and has not been reset meanwhile.
   * @throws {GuestCrash} for one that the guest can't go on from; and whatever a device throws.
   */
  handle(vcpu: Vcpu, isCurrent: () => boolean): Promise<void> | void {
    const { devices, memory, options } = this.#init;
    const exit = vcpu.lastExit;
    switch (exit.reason) {
      case "io":
        if (exit.port === Port.SMI_COMMAND && !devices.hasPort(exit.port)) {
          // Real mode's vectors lead there, and no device is the BIOS.
          if (unhandledVector(vcpu) !== undefined) break;
        }
        return devices.handle(exit);
      case "mmio":
        return devices.handle(exit);
      case "internalError":
        if (options.onInternalError !== undefined) return this.#handleInternalError(vcpu, exit);
        break;
      case "shutdown":
        if (typeof options.onTripleFault === "function") {
          return this.#handleTripleFault(vcpu, options.onTripleFault, isCurrent);
        }
        // Not before the vCPU waits: the reset finds it so.
        if (options.onTripleFault === "reset") return this.#reset();
    }
    throw new GuestCrash(vcpu, memory);
  }

  async #handleTripleFault(
    vcpu: Vcpu,
    ask: (event: TripleFaultEvent) => TripleFaultAnswer | Promise<TripleFaultAnswer>,
    isCurrent: () => boolean,
  ): Promise<void> {
    const { memory } = this.#init;
    const answer = await ask({ vcpu, memory });
    if (answer !== "reset") throw new GuestCrash(vcpu, memory);
    if (isCurrent()) this.#reset();
  }

  #reset(): void {
    const { shared } = this.#init;
    shared.lock.hold(() => shared.end(Ending.RESET));
  }

  async #handleInternalError(vcpu: Vcpu, exit: InternalErrorExit): Promise<void> {
    const { memory, options: { onInternalError } } = this.#init;
    const answer = await onInternalError!({ vcpu, exit, memory });
    if (answer !== "resume") throw new GuestCrash(vcpu, memory);
  }
}
