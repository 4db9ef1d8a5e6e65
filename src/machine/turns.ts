/**
 * Calls that have to come one after the other.
 *
 * @module
 */

/** A queue of asynchronous actions. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does something after all that was asked for before, failed or not. */
  take<T>(action: () => Promise<T> | T): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
