/**
 * What a VM keeps up until somebody ends it: an irqfd, an ioeventfd, a zone of queued writes.
 *
 * @module
 */

/** Whoever has connections, and must know of their end. */
export interface Connected {
  /** @internal */
  connect(connection: Connection): void;
  /** @internal */
  disconnect(connection: Connection): void;
}

/**
 * Something that the kernel does for a VM from now on, until `close` or the end of the `using` block.
 * It ends by itself with the VM, and with the events that it connects.
 */
export class Connection implements Disposable {
  #ends: readonly Connected[];
  #undo: (() => void) | undefined;

  /** @internal Connections are made by a VM. */
  constructor(ends: readonly Connected[], undo: () => void) {
    this.#ends = ends;
    this.#undo = undo;
    for (const end of ends) end.connect(this);
    Object.freeze(this);
  }

  /** Whether it has ended. */
  get closed(): boolean {
    return this.#undo === undefined;
  }

  /** Ends it; the second time does nothing. */
  close(): void {
    const undo = this.#undo;
    if (undo === undefined) return;
    this.#undo = undefined;
    for (const end of this.#ends) end.disconnect(this);
    undo();
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
