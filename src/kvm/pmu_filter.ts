/**
 * Which performance events a guest may count, as the kernel wants to be told (api.rst 4.120).
 *
 * @module
 */

import {
  checkInteger,
  checkList,
  checkNames,
  create,
  Errno,
  isName,
  KvmError,
  type StructOf,
  U32_MAX,
} from "../../ffi/mod.ts";
import { kvmPmuEventFilter, PmuEvent, PmuMaskedEntry } from "../../ffi/uapi/mod.ts";

/** An event, or several that differ in their unit mask. */
export interface PmuFilterEvent {
  /** The event select: 8 bits, on AMD 12. */
  readonly select: number;
  /** The unit mask, 8 bits. 0 by default. */
  readonly unitMask?: number | undefined;
  /** Which bits of the unit mask count (KVM_CAP_PMU_EVENT_MASKED_EVENTS). All by default. */
  readonly mask?: number | undefined;
  /** Takes events out of what other entries cover (KVM_CAP_PMU_EVENT_MASKED_EVENTS). */
  readonly exclude?: boolean | undefined;
}

/** A filter of performance events. */
export interface PmuEventFilter {
  /** Whether what is listed is all that is allowed, or what is denied. */
  readonly action: "allow" | "deny";
  /** The events of general counters. */
  readonly events?: readonly PmuFilterEvent[] | undefined;
  /** A bit for each fixed counter that is listed. 0 by default. */
  readonly fixedCounterBitmap?: number | undefined;
}

const actions = { allow: PmuEvent.ALLOW, deny: PmuEvent.DENY } as const;
const OPERATION = "filter performance events";
/** The kernel's limit (KVM_PMU_EVENT_FILTER_MAX_EVENTS). */
const MOST = 300;

/** Whether an event needs the masked form. */
export function isMasked({ mask, exclude }: PmuFilterEvent): boolean {
  return mask !== undefined || exclude === true;
}

/** The struct that the ioctl takes. */
export function compilePmuFilter(filter: PmuEventFilter): StructOf<typeof kvmPmuEventFilter> {
  const names = { action: true, events: true, fixedCounterBitmap: true } as const;
  checkNames(OPERATION, "A filter", filter, names);
  const { action, events = [], fixedCounterBitmap = 0 } = filter;
  checkList(OPERATION, "events", events);
  if (events.length > MOST) {
    const hint = `There are at most ${MOST}, not ${events.length}: cover several by a mask`;
    throw new KvmError({ operation: OPERATION, errno: Errno.E2BIG, hint });
  }
  for (const event of events) {
    const names = { select: true, unitMask: true, mask: true, exclude: true } as const;
    checkNames(OPERATION, "An event", event, names);
  }
  if (!isName(actions, action)) {
    const hint = 'The action is "allow" or "deny"';
    throw new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
  }
  checkInteger(OPERATION, "fixedCounterBitmap", fixedCounterBitmap, 0, U32_MAX);
  const masked = events.some(isMasked);
  const struct = create(kvmPmuEventFilter, events.length);
  struct.action = actions[action];
  struct.nevents = events.length;
  struct.fixedCounterBitmap = fixedCounterBitmap;
  struct.flags = masked ? PmuEvent.FLAG_MASKED_EVENTS : 0;
  events.forEach((event, index) => struct.events[index] = encode(event, masked));
  return struct;
}

function encode(event: PmuFilterEvent, masked: boolean): bigint {
  const { select, unitMask = 0, mask = 0xff, exclude = false } = event;
  checkInteger(OPERATION, "An event select", select, 0, 0xfff);
  checkInteger(OPERATION, "A unit mask", unitMask, 0, 0xff);
  checkInteger(OPERATION, "A mask of the unit mask", mask, 0, 0xff);
  if ((unitMask & ~mask) !== 0) {
    const hint = `Unit mask 0x${unitMask.toString(16)} has bits that its mask leaves out: no match`;
    throw new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
  }
  const plain = BigInt(select & 0xff) | BigInt(unitMask) << 8n | BigInt(select >>> 8) << 32n;
  if (!masked) return plain;
  return plain | BigInt(mask) << PmuMaskedEntry.UMASK_MASK_SHIFT |
    (exclude ? PmuMaskedEntry.EXCLUDE : 0n);
}
