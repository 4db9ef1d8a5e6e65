/**
 * Registers by id, one at a time (api.rst 4.68, 4.69, 4.84).
 *
 * @module
 */

import {
  bytesOf,
  checkInteger,
  create,
  Errno,
  type Fd,
  from,
  KvmError,
  show,
  U32_MAX,
  withPointer,
} from "../../ffi/mod.ts";
import { kvmOneReg, kvmRegList, OneReg, OneRegType } from "../../ffi/uapi/mod.ts";
import { KVM } from "./ioctls.ts";

const TYPE_SHIFT = 32n;
/** Beyond it the list is no list of registers. */
const MOST = 1 << 16;

/** The id of an MSR for `vcpu.getOneReg` (KVM_X86_REG_MSR). */
export function x86RegMsr(index: number): bigint {
  checkInteger("make a register's id", "An MSR", index, 0, U32_MAX);
  return idOf(OneRegType.MSR, index);
}

/** The id of a register of KVM's own for `vcpu.getOneReg` (KVM_X86_REG_KVM): `OneReg.GUEST_SSP`. */
export function x86RegKvm(index: number | bigint): bigint {
  const number = typeof index === "bigint" ? Number(index) : index;
  checkInteger("make a register's id", "A register", number, 0, U32_MAX);
  return idOf(OneRegType.KVM, index);
}

function idOf(type: bigint, index: number | bigint): bigint {
  return OneReg.X86 | OneReg.SIZE_U64 | type << TYPE_SHIFT | BigInt(index);
}

/** Reads a register. */
export function readOneReg(fd: Fd, id: bigint): bigint {
  const operation = `read register ${hex(id)} of ${fd.what}`;
  const value = bufferFor(operation, id);
  const struct = from(kvmOneReg, { id });
  withPointer(struct, "addr", value, () => fd.set(KVM.KVM_GET_ONE_REG, struct, operation));
  return value.reduceRight((all, byte) => all << 8n | BigInt(byte), 0n);
}

/** Writes a register. */
export function writeOneReg(fd: Fd, id: bigint, value: bigint): void {
  const operation = `write register ${hex(id)} of ${fd.what}`;
  const bytes = bufferFor(operation, id);
  if (typeof value !== "bigint" || BigInt.asUintN(8 * bytes.length, value) !== value) {
    const hint = `The value is a bigint of ${8 * bytes.length} bits`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  for (let at = 0, rest = value; at < bytes.length; at++, rest >>= 8n) {
    bytes[at] = Number(rest & 0xffn);
  }
  const struct = from(kvmOneReg, { id });
  withPointer(struct, "addr", bytes, () => fd.set(KVM.KVM_SET_ONE_REG, struct, operation));
}

/** The ids that a vCPU knows. */
export function readRegList(fd: Fd): BigUint64Array<ArrayBuffer> {
  const operation = `list the registers of ${fd.what}`;
  for (let room = 0;;) {
    const list = create(kvmRegList, room);
    list.n = BigInt(room);
    const result = fd.trySetBytes(KVM.KVM_GET_REG_LIST, bytesOf(list));
    if (result >= 0) return list.reg.slice(0, Number(list.n));
    if (result !== -Errno.E2BIG || list.n <= room || list.n > MOST) {
      return fd.fail(KVM.KVM_GET_REG_LIST, -result, operation);
    }
    room = Number(list.n);
  }
}

/** A buffer of the size that a register's id tells. */
function bufferFor(operation: string, id: bigint): Uint8Array<ArrayBuffer> {
  if (typeof id !== "bigint" || BigInt.asUintN(64, id) !== id) {
    const hint = "A register's id is a bigint: x86RegMsr and x86RegKvm make one";
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  const size = 1 << Number((id & OneReg.SIZE_MASK) >> OneReg.SIZE_SHIFT);
  return new Uint8Array(new ArrayBuffer(size));
}

function hex(id: bigint): string {
  return typeof id === "bigint" ? `0x${id.toString(16)}` : show(id);
}
