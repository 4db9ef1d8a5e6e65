/**
 * ioctl request numbers (uapi asm-generic/ioctl.h) and what belongs to a request: its name for
 * errors, its argument's layout, the advice for errnos that users meet.
 *
 * @module
 */

import { sizeOf, type Table } from "./struct/mod.ts";

/** The kernel object whose file descriptor takes an ioctl. */
export type Layer = "system" | "vm" | "vcpu" | "device";

/** An ioctl as the tables in `uapi/ioctls` hold it. */
export interface IoctlSpec {
  /** The number within KVM's type, 0xAE. */
  readonly nr: number;
  /** The C macro: `_IO`, `_IOR`, `_IOW` or `_IOWR`. */
  readonly dir: "none" | "r" | "w" | "rw";
  /** Whose ioctl it is. */
  readonly on: Layer | readonly Layer[];
  /** The argument whose size is part of the request number. */
  readonly arg?: Table | "u32" | "s32" | "u64" | "s64";
  /** The capability that announces it, without `KVM_CAP_`. */
  readonly cap?: string;
  /** The argument is the value itself and not a pointer to it. */
  readonly pass?: "int";
  /** Errno's name to what to do about it. */
  readonly hints?: Readonly<Record<string, string>>;
}

/** An ioctl with its name and its request number. */
export interface Ioctl<S extends IoctlSpec = IoctlSpec> {
  /** The kernel's name: `"KVM_CREATE_VM"`. */
  readonly name: string;
  /** The number given to `ioctl(2)`. */
  readonly request: number;
  /** The table's entry. */
  readonly spec: S;
}

const KVMIO = 0xae;
const direction = { none: 0, w: 1, r: 2, rw: 3 };

/** `_IOC(direction, 0xAE, number, size)`. */
export function encode({ nr, dir, arg }: IoctlSpec): number {
  const size = dir === "none" || arg === undefined ? 0 : argumentSize(arg);
  return ((direction[dir] << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0;
}

/** Bytes of an ioctl's argument without its flexible array. */
function argumentSize(arg: NonNullable<IoctlSpec["arg"]>): number {
  if (typeof arg === "object") return sizeOf(arg);
  return arg === "u64" || arg === "s64" ? 8 : 4;
}

/** Gives each entry of a table its name; numbers are computed when first asked for. */
export function define<const T extends Readonly<Record<string, IoctlSpec>>>(
  table: T,
): { readonly [K in keyof T]: Ioctl<T[K]> } {
  const ioctls: Record<string, Ioctl> = {};
  for (const [name, spec] of Object.entries(table)) {
    let request: number | undefined;
    ioctls[name] = {
      name,
      spec,
      get request() {
        return request ??= encode(spec);
      },
    };
  }
  return ioctls as { readonly [K in keyof T]: Ioctl<T[K]> };
}
