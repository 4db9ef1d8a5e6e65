/**
 * The state of a guest that is itself a hypervisor (api.rst 4.114, 4.115).
 *
 * @module
 */

import {
  bytesOf,
  create,
  Errno,
  type Fd,
  isView,
  KvmError,
  sizeOf,
  type StructOf,
} from "../../ffi/mod.ts";
import { kvmNestedState } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";

/** The state of a nested hypervisor: a header, and `size` bytes in all. */
export type NestedVcpuState = StructOf<typeof kvmNestedState>;

const HEADER_BYTES = sizeOf(kvmNestedState);

/** Reads a state of at most so many bytes into a struct of just its size. */
export function readNestedState(fd: Fd, most: number): NestedVcpuState {
  const operation = `read the nested state of ${fd.what}`;
  const room = create(kvmNestedState, Math.max(0, most - HEADER_BYTES));
  room.size = bytesOf(room).length;
  fd.set(KVM.KVM_GET_NESTED_STATE, room, operation);
  const state = create(kvmNestedState, Math.max(0, room.size - HEADER_BYTES));
  bytesOf(state).set(bytesOf(room).subarray(0, bytesOf(state).length));
  return state;
}

/** Writes a state that {@linkcode readNestedState} returned. */
export function writeNestedState(fd: Fd, state: NestedVcpuState): void {
  const operation = `set the nested state of ${fd.what}`;
  // The kernel reads as many bytes as `size` says.
  const valid = isView(kvmNestedState, state) && state.size >= HEADER_BYTES &&
    state.size <= bytesOf(state).length;
  if (!valid) {
    const hint = "It is what getNestedState returned: size is the bytes of the whole";
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  fd.set(KVM.KVM_SET_NESTED_STATE, state, operation);
}
