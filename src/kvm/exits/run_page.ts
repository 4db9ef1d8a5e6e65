/**
 * The page that a vCPU shares with user space, `struct kvm_run` (api.rst 5).
 *
 * @module
 */

import {
  closedError,
  offsetOf,
  revoke,
  type StructOf,
  type Table,
  view,
} from "../../../ffi/mod.ts";
import { kvmRun } from "../../../ffi/uapi/mod.ts";

const READ = "read the run page";
const EXIT_REASON = offsetOf(kvmRun, "exitReason");
const IMMEDIATE_EXIT = offsetOf(kvmRun, "immediateExit");

/** `struct kvm_run` as a view. */
export type KvmRun = StructOf<typeof kvmRun>;

/** A vCPU's run page. Made from any buffer, so that a recorded page can be decoded, too. */
export class RunPage {
  /** Bytes from the page's start to `immediate_exit`. */
  static readonly immediateExitOffset: number = IMMEDIATE_EXIT;

  #view: DataView<ArrayBuffer> | undefined;
  #fields: KvmRun | undefined;
  /** What was given out, and is taken back at the end. */
  readonly #structs: object[] = [];

  /** A page of at least `sizeOf(kvmRun)` bytes. */
  constructor(buffer: ArrayBuffer) {
    this.#view = new DataView(buffer);
  }

  /** The bytes; an error once the vCPU is closed. */
  get view(): DataView<ArrayBuffer> {
    return this.#view ?? this.#closed();
  }

  /** Every field of the page. */
  get fields(): KvmRun {
    void this.view;
    return this.#fields ??= this.struct(kvmRun, 0);
  }

  /** A struct that lies on the page; reading and writing it is an error once the vCPU is closed. */
  struct<const T extends Table>(
    table: T,
    offset: number,
    own?: PropertyDescriptorMap,
  ): StructOf<T> {
    const struct = view(table, this.view.buffer, offset, 0, own);
    this.#structs.push(struct);
    return struct;
  }

  /** `exit_reason`. */
  get exitReason(): number {
    return this.view.getUint32(EXIT_REASON, true);
  }

  set exitReason(value: number) {
    this.view.setUint32(EXIT_REASON, value, true);
  }

  /** `immediate_exit`: KVM_RUN returns EINTR at once while it is set. */
  get immediateExit(): boolean {
    return this.view.getUint8(IMMEDIATE_EXIT) !== 0;
  }

  set immediateExit(value: boolean) {
    this.view.setUint8(IMMEDIATE_EXIT, value ? 1 : 0);
  }

  /** From now on, each access is an error. */
  close(): void {
    this.#view = undefined;
    for (const struct of this.#structs.splice(0)) revoke(struct, () => closedError(READ, "vCPU"));
  }

  #closed(): never {
    throw closedError(READ, "vCPU");
  }
}
