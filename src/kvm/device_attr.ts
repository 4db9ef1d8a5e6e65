/**
 * Attributes: of a device, of a vCPU, of /dev/kvm (api.rst 4.79, 4.80).
 *
 * @module
 */

import {
  bytesOf,
  checkInteger,
  create,
  Errno,
  type Fd,
  KvmError,
  show,
  type StructOf,
  U32_MAX,
  withPointer,
} from "../../ffi/mod.ts";
import { kvmDeviceAttr } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";

/** An attribute's number is 64 bits wide; those that exist are small. */
const MOST = Number.MAX_SAFE_INTEGER;
/** Room for the kernel, which alone knows how large an attribute's value is. */
const ROOM = 4096;

/** Whether there is such an attribute. */
export function hasAttr(fd: Fd, group: number, attr: number): boolean {
  const operation = `look for ${nameOf(fd, group, attr)}`;
  const struct = attrOf(operation, group, attr);
  const result = fd.trySetBytes(KVM.KVM_HAS_DEVICE_ATTR, bytesOf(struct));
  if (result >= 0) return true;
  if (result === -Errno.ENXIO) return false;
  return fd.fail(KVM.KVM_HAS_DEVICE_ATTR, -result, operation);
}

/** Reads so many bytes of an attribute's value. */
export function getAttr(
  fd: Fd,
  group: number,
  attr: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const operation = `read ${nameOf(fd, group, attr)}`;
  checkInteger(operation, "A value's size", size, 0, ROOM);
  const struct = attrOf(operation, group, attr);
  const value = new Uint8Array(new ArrayBuffer(ROOM));
  withPointer(struct, "addr", value, () => {
    fd.set(KVM.KVM_GET_DEVICE_ATTR, struct, operation);
  });
  return value.slice(0, size);
}

/** Writes an attribute's value. */
export function setAttr(fd: Fd, group: number, attr: number, value: Uint8Array): void {
  const operation = `write ${nameOf(fd, group, attr)}`;
  const struct = attrOf(operation, group, attr);
  if (!(value instanceof Uint8Array) || value.length > ROOM) {
    const hint = `A value is a Uint8Array of at most ${ROOM} bytes`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  const copy = new Uint8Array(new ArrayBuffer(ROOM));
  copy.set(value);
  withPointer(struct, "addr", copy, () => {
    fd.set(KVM.KVM_SET_DEVICE_ATTR, struct, operation);
  });
}

function nameOf(fd: Fd, group: number, attr: number): string {
  return `attribute ${show(attr)} of group ${show(group)} of ${fd.what}`;
}

function attrOf(operation: string, group: number, attr: number): StructOf<typeof kvmDeviceAttr> {
  checkInteger(operation, "A group", group, 0, U32_MAX);
  checkInteger(operation, "An attribute", attr, 0, MOST);
  const struct = create(kvmDeviceAttr);
  struct.group = group;
  struct.attr = BigInt(attr);
  return struct;
}
