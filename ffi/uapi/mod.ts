/**
 * The kernel's KVM interface as data (uapi linux/kvm.h and asm/kvm.h for x86): structures, ioctls,
 * capabilities, exit reasons, constants. A test compares all of it with the installed headers.
 *
 * @module
 */

export { Cap } from "./caps.ts";
export * from "./constants/mod.ts";
export { ExitReason, OtherArchitectureExit } from "./exits.ts";
export { deviceIoctls, ioctls, systemIoctls, vcpuIoctls, vmIoctls } from "./ioctls.ts";
export * from "./structs/mod.ts";
