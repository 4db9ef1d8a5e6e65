/**
 * Every live ioctl of x86 KVM, by the kernel's names: number, direction, argument, the objects that
 * take it, its capability, and what to do about the errors whose general meaning does not tell.
 *
 * @module
 */

import { deviceIoctls } from "./ioctls/device.ts";
import { systemIoctls } from "./ioctls/system.ts";
import { vcpuIoctls } from "./ioctls/vcpu.ts";
import { vmIoctls } from "./ioctls/vm.ts";

export { deviceIoctls, systemIoctls, vcpuIoctls, vmIoctls };
export { otherArchitectures, removed, superseded } from "./ioctls/left_out.ts";

/** The ioctls of all four layers. */
export const ioctls:
  & typeof systemIoctls
  & typeof vmIoctls
  & typeof vcpuIoctls
  & typeof deviceIoctls = {
    ...systemIoctls,
    ...vmIoctls,
    ...vcpuIoctls,
    ...deviceIoctls,
  };
