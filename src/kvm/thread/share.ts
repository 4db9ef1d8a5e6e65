/**
 * What goes from a vCPU's owner to the thread that runs it.
 *
 * @module
 */

/** What another thread of the process needs; `postMessage` takes it there. */
export interface VcpuShare {
  /** The vCPU's id. */
  readonly id: number;
  /** The number of a descriptor that stays open until the other thread has its own. */
  readonly vcpuFd: number;
  /** The VM's descriptor, likewise. */
  readonly vmFd: number;
  /** Bytes of the run mapping. */
  readonly mmapSize: number;
}
