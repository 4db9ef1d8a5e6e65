/**
 * KVM's ioctls by name: `KVM.KVM_CREATE_VM`.
 *
 * @module
 */

import { define } from "../../ffi/mod.ts";
import { ioctls } from "../../ffi/uapi/mod.ts";

/** Each with its request number, its argument's layout and its advice for errors. */
export const KVM = define(ioctls);
