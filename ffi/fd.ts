/**
 * A file descriptor with an owner, and ioctls on it.
 *
 * @module
 */

import { cString } from "./address.ts";
import { Errno, errnoName } from "./errno.ts";
import { KvmError } from "./errors.ts";
import type { Ioctl, IoctlSpec } from "./ioctl.ts";
import { shim } from "./shim.ts";
import { bytesOf, create, isView, type StructOf, type Table } from "./struct/mod.ts";
import { type Attempt, failure, syscall, syscallWithBuffer } from "./syscall.ts";

const O_RDWR = 2n;
const O_CLOEXEC = 0o2000000n;
// uapi linux/fcntl.h
const F_DUPFD_CLOEXEC = 1030n;

/** An ioctl whose argument points to a struct. */
export type StructIoctl<T extends Table> = Ioctl<IoctlSpec & { readonly arg: T }>;

/** An open file descriptor; closed once, by `close` or at the end of a `using` block. */
export class Fd implements Disposable {
  /** What it is, for errors: "VM", "vCPU 3". */
  readonly what: string;
  #fd: number;
  /** How many it is lent to. */
  #busy = 0;
  /** What to do instead of a call meanwhile. */
  #hint: string | undefined;
  #late = -1;

  /** Takes ownership of a descriptor. */
  constructor(fd: number, what: string) {
    this.#fd = fd;
    this.what = what;
  }

  /** Opens a file for reading and writing. */
  static open(path: string, what: string, hint?: Attempt["hint"]): Fd {
    const attempt = { operation: `open ${path}`, ...(hint === undefined ? {} : { hint }) };
    const fd = syscallWithBuffer("open", attempt, cString(path), O_RDWR | O_CLOEXEC);
    return new Fd(Number(fd), what);
  }

  /** Another descriptor for what this process has open as `number`, such as another thread's. */
  static duplicate(number: number, what: string): Fd {
    const attempt = { operation: `share the ${what}`, hint: { EBADF: "Its owner has closed it" } };
    return new Fd(Number(syscall("fcntl", attempt, BigInt(number), F_DUPFD_CLOEXEC, 3n)), what);
  }

  /** The descriptor; -1 once closed, which the kernel answers with EBADF. */
  get number(): number {
    return this.#fd;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#fd < 0;
  }

  /** Whether another thread is in an ioctl on it, for which this one's would have to wait. */
  get busy(): boolean {
    return this.#busy > 0;
  }

  /**
   * Another thread is about to make an ioctl on it, until all such are disposed of.
   *
   * @param hint What the user should do instead of a call meanwhile.
   */
  lend(hint: string): Disposable {
    let back = false;
    this.#busy++;
    this.#hint = hint;
    return {
      [Symbol.dispose]: () => {
        if (back) return;
        back = true;
        this.#busy--;
        if (this.#busy === 0 && this.#late >= 0) this.#close(this.#late);
      },
    };
  }

  /** Closes it; the second time does nothing. */
  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    // The other thread has the number, which must not become another file's before it is used.
    if (this.#busy) this.#late = fd;
    else this.#close(fd);
  }

  #close(fd: number): void {
    this.#late = -1;
    syscall("close", { operation: `close ${this.what}` }, BigInt(fd));
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * An ioctl whose argument is nothing or a number below 2^32; its result. A signal that interrupts
   * it, a profiler's for one, is no business of the caller's: it is made again.
   */
  call(ioctl: Ioctl, argument = 0, operation?: string): number {
    if (this.#busy) this.refuse(ioctl, operation);
    let result: number;
    // The call takes 0, and refuses -0.
    const value = argument + 0;
    do result = shim().ioctlU32(this.#fd, ioctl.request, value); while (result === -Errno.EINTR);
    return result < 0 ? this.fail(ioctl, -result, operation) : result;
  }

  /** An ioctl that fills a struct: a new one, or `into`. */
  get<T extends Table>(ioctl: StructIoctl<T>, into?: StructOf<T>, operation?: string): StructOf<T> {
    const struct = into ?? create(ioctl.spec.arg);
    this.set(ioctl, struct, operation);
    return struct;
  }

  /** An ioctl that reads a struct, and may write to it; its result. */
  set<T extends Table>(ioctl: StructIoctl<T>, struct: StructOf<T>, operation?: string): number {
    // The kernel writes as many bytes as the request number says: into anything smaller, past its end.
    if (!isView(ioctl.spec.arg, struct)) {
      throw new KvmError({
        operation: operation ?? `use ${this.what}`,
        call: ioctl.name,
        errno: Errno.EINVAL,
        hint: "The argument is a view of the ioctl's struct, such as its getter returns",
      });
    }
    return this.setBytes(ioctl, bytesOf(struct), operation);
  }

  /** An ioctl whose argument is a pointer to bytes that are no struct; its result. */
  setBytes(ioctl: Ioctl, bytes: Uint8Array<ArrayBuffer>, operation?: string): number {
    if (this.#busy) this.refuse(ioctl, operation);
    let result: number;
    do result = shim().ioctlBuffer(this.#fd, ioctl.request, bytes); while (result === -Errno.EINTR);
    return result < 0 ? this.fail(ioctl, -result, operation) : result;
  }

  /** The bare ioctl with argument 0, for hot paths: its result, -errno on failure. */
  invoke(ioctl: { readonly request: number }): number {
    return shim().ioctl2(this.#fd, ioctl.request);
  }

  /** Like {@linkcode setBytes}, for errnos that the caller wants to handle: -errno as it comes. */
  trySetBytes(ioctl: Ioctl, bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#busy) this.refuse(ioctl);
    return shim().ioctlBuffer(this.#fd, ioctl.request, bytes);
  }

  /** Throws the error for a call while {@linkcode busy}. */
  refuse({ name }: Ioctl, operation = `use ${this.what}`): never {
    throw new KvmError({ operation, call: name, errno: Errno.EBUSY, hint: this.#hint });
  }

  /** Throws the error for an ioctl that failed. */
  fail(ioctl: Ioctl, errno: number, operation = `use ${this.what}`): never {
    const { name, spec } = ioctl;
    if (errno === Errno.EBADF && this.closed) throw closedError(operation, this.what);
    throw failure(
      operation,
      name,
      errno,
      spec.hints?.[errnoName(errno)] ?? generalHint(ioctl, errno),
    );
  }
}

/** The error for whatever is used after it was closed. */
export function closedError(operation: string, what: string): KvmError {
  return new KvmError({
    operation,
    errno: Errno.EBADF,
    hint: `${
      capitalized(called(what))
    } was closed: use it before close() or the end of its using block`,
  });
}

/** A thing in a sentence: "the VM", "vCPU 3". */
export function called(what: string): string {
  return /\d/.test(what) ? what : `the ${what}`;
}

function capitalized(text: string): string {
  return text.startsWith("the ") ? `The${text.slice(3)}` : text;
}

function generalHint({ spec }: Ioctl, errno: number): string | undefined {
  switch (errno) {
    case Errno.ENOTTY:
      return spec.cap === undefined
        ? "The file is not KVM's, or the kernel is older than this call"
        : `The kernel or its configuration lacks it: see check(Cap.${spec.cap})`;
    case Errno.ENOMEM:
      return "The host is short of memory, or a limit (ulimit -l, a cgroup) is reached";
    default:
      return undefined;
  }
}
