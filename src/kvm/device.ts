/**
 * Devices that KVM emulates and that have a file descriptor of their own (api.rst 4.79-4.81).
 *
 * @module
 */

import { bytesOf, checkInteger, Errno, Fd, from, KvmError, show, U32_MAX } from "../../ffi/mod.ts";
import { CreateDevice, DeviceType, kvmCreateDevice } from "../../ffi/uapi/mod.ts";
import { getAttr, hasAttr, setAttr } from "./device_attr.ts";
import { KVM } from "./ioctls.ts";
import { KvmObject } from "./object.ts";

/**
 * A device that KVM emulates, made by `vm.createDevice`.
 *
 * @example
 * ```ts
 * import { DeviceType, Kvm, VfioAttr } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * if (vm.canCreateDevice(DeviceType.VFIO)) {
 *   using vfio = vm.createDevice(DeviceType.VFIO);
 *   console.log(vfio.hasDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD)); // true
 * }
 * ```
 */
export class Device extends KvmObject {
  /** `DeviceType`. */
  readonly type: number;

  private constructor(handle: Fd, type: number) {
    super(handle);
    this.type = type;
    Object.freeze(this);
  }

  /** @internal */
  static create(vm: Fd, type: number): Device {
    const operation = `create a device of type ${show(type)}`;
    const number = checkInteger(operation, "A device's type", type, 0, U32_MAX);
    const init = from(kvmCreateDevice, { type: number });
    vm.set(KVM.KVM_CREATE_DEVICE, init, operation);
    const name = Object.entries(DeviceType).find(([, value]) => value === number)?.[0];
    return new Device(new Fd(init.fd, `${name ?? number} device`), number);
  }

  /** @internal */
  static test(vm: Fd, type: number): boolean {
    const operation = `test device type ${show(type)}`;
    checkInteger(operation, "A device's type", type, 0, U32_MAX);
    const init = from(kvmCreateDevice, { type, flags: CreateDevice.TEST });
    const result = vm.trySetBytes(KVM.KVM_CREATE_DEVICE, bytesOf(init));
    if (result >= 0) return true;
    if (result === -Errno.ENODEV) return false;
    return vm.fail(KVM.KVM_CREATE_DEVICE, -result, operation);
  }

  /** Whether it has an attribute (KVM_HAS_DEVICE_ATTR). */
  hasDeviceAttr(group: number, attr: number): boolean {
    return hasAttr(this.handle, group, attr);
  }

  /**
   * The bytes of an attribute's value (KVM_GET_DEVICE_ATTR).
   *
   * @param size How many of them; the value may have more.
   * @throws {KvmError} ENXIO if it has none such, or none to read.
   */
  getDeviceAttr(group: number, attr: number, size = 8): Uint8Array<ArrayBuffer> {
    return getAttr(this.handle, group, attr, size);
  }

  /**
   * Sets an attribute (KVM_SET_DEVICE_ATTR): to an integer, such as a file descriptor, or to bytes.
   *
   * @throws {KvmError} ENXIO if it has none such, or none to write.
   */
  setDeviceAttr(group: number, attr: number, value: number | bigint | Uint8Array): void {
    setAttr(this.handle, group, attr, value instanceof Uint8Array ? value : integer(value));
  }
}

/** An integer as the 8 bytes of a little-endian one; its lower bytes are the shorter ones. */
function integer(value: number | bigint): Uint8Array<ArrayBuffer> {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    const hint = `A value is a whole number or bytes, not ${show(value)}`;
    throw new KvmError({ operation: "set an attribute", errno: Errno.EINVAL, hint });
  }
  return new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
}
