/**
 * The task-state segment of long mode: which stacks interrupts take (SDM volume 3, "Task
 * Management in 64-bit Mode").
 *
 * @module
 */

import { checkInteger, checkList, checkObject } from "../../../ffi/mod.ts";

/** Bytes of a 64-bit TSS without an I/O permission bitmap. */
export const TSS_BYTES = 104;

const RSP0 = 4;
const IST1 = 36;
const IST_STACKS = 7;
const IOMAP_BASE = 102;

/** The stacks of a TSS; each address is the first one above the stack. */
export interface TssStacks {
  /** The stack for interrupts that come from level 3 and whose gate has no IST. */
  readonly rsp0: number;
  /** The stacks of IST 1 to 7. */
  readonly ist: readonly number[];
}

/** The bytes of a 64-bit TSS. It has no I/O bitmap: level 3 gets ports by RFLAGS.IOPL alone. */
export function encodeTss(stacks: TssStacks): Uint8Array<ArrayBuffer> {
  const operation = "encode a TSS";
  checkObject(operation, "What has the stacks", stacks);
  const { rsp0, ist } = stacks;
  checkInteger(operation, "rsp0", rsp0, 0, Number.MAX_SAFE_INTEGER);
  checkList(operation, "ist", ist, IST_STACKS);
  for (const top of ist) checkInteger(operation, "A stack", top, 0, Number.MAX_SAFE_INTEGER);
  const view = new DataView(new ArrayBuffer(TSS_BYTES));
  view.setBigUint64(RSP0, BigInt(rsp0), true);
  ist.forEach((top, index) => view.setBigUint64(IST1 + 8 * index, BigInt(top), true));
  view.setUint16(IOMAP_BASE, TSS_BYTES, true);
  return new Uint8Array(view.buffer);
}
