/**
 * Interrupt messages and the I/O APIC's redirection entries, by the names of their fields.
 *
 * @module
 */

import { checkInteger, checkNames, checkU64, type Names, U32_MAX } from "../../../ffi/mod.ts";

/** How an interrupt is delivered (SDM volume 3, "Message Data Register Format"). */
export const DeliveryMode = {
  /** To all vCPUs addressed, as the vector. */
  FIXED: 0,
  /** To the one of them with the lowest priority. */
  LOWEST_PRIORITY: 1,
  /** A system management interrupt. */
  SMI: 2,
  /** A non-maskable interrupt. */
  NMI: 4,
  /** Resets the vCPU to wait for a startup message. */
  INIT: 5,
  /** The vector comes from the PICs. I/O APIC only. */
  EXTINT: 7,
} as const;

/** A message-signalled interrupt as it is written: what a PCI device has in its capability. */
export interface MsiMessage {
  /** The address's low half: 0xfeexxxxx. */
  readonly addressLo: number;
  /** The address's high half: 0, but for destinations above 255 with `Cap.X2APIC_API`. */
  readonly addressHi: number;
  /** The data. */
  readonly data: number;
}

/** What a message says (SDM volume 3, "Message Signalled Interrupts"). */
export interface MsiFields {
  /** The vector, 0x10 to 0xff for {@linkcode DeliveryMode.FIXED}. */
  readonly vector: number;
  /** The APIC id; 0 by default. Above 255 only where `Cap.X2APIC_API` is enabled. */
  readonly destId?: number | undefined;
  /** 0 for an APIC id, 1 for a set of logical ids. */
  readonly destMode?: number | undefined;
  /** 1 leaves the choice among the addressed to the processor. */
  readonly redirectHint?: number | undefined;
  /** One of {@linkcode DeliveryMode}; `FIXED` by default. */
  readonly deliveryMode?: number | undefined;
  /** 0 for an edge, 1 for a level. */
  readonly trigMode?: number | undefined;
}

const MSI_FIELDS: Names<MsiFields> = {
  vector: true,
  destId: true,
  destMode: true,
  redirectHint: true,
  deliveryMode: true,
  trigMode: true,
};
const MSI_ADDRESS = 0xfee0_0000;

/**
 * Composes a message, for `vm.signalMsi` and for a route.
 *
 * @example
 * ```ts
 * import { msiMessage } from "@deno-kvm/kvm";
 *
 * const { addressLo, data } = msiMessage({ vector: 0x31, destId: 1 });
 * console.log(addressLo.toString(16), data.toString(16)); // "fee01000" "31"
 * ```
 *
 * @throws {KvmError} EINVAL for a field that is out of its range.
 */
export function msiMessage(fields: MsiFields): MsiMessage {
  const operation = "compose an MSI";
  checkNames(operation, "What it says", fields, MSI_FIELDS);
  const { vector, destId = 0, destMode = 0, redirectHint = 0 } = fields;
  const { deliveryMode = DeliveryMode.FIXED, trigMode = 0 } = fields;
  checkInteger(operation, "The destination's id", destId, 0, U32_MAX);
  checkFields(operation, { vector, deliveryMode, destMode, trigMode });
  checkInteger(operation, "The redirection hint", redirectHint, 0, 1);
  const level = trigMode << 14;
  return {
    addressLo: (MSI_ADDRESS | (destId & 0xff) << 12 | redirectHint << 3 | destMode << 2) >>> 0,
    addressHi: (destId & ~0xff) >>> 0,
    data: vector | deliveryMode << 8 | level | trigMode << 15,
  };
}

/** An entry of the I/O APIC's redirection table (82093AA data sheet, 3.2.4). */
export interface Redirection {
  /** The vector, 0x10 to 0xff for {@linkcode DeliveryMode.FIXED}. */
  readonly vector: number;
  /** One of {@linkcode DeliveryMode}. */
  readonly deliveryMode: number;
  /** 0 for an APIC id, 1 for a set of logical ids. */
  readonly destMode: number;
  /** 1 while an interrupt waits to be accepted. */
  readonly deliveryStatus: number;
  /** 0 for a line that is active high, 1 for low. KVM's lines are active when they are raised. */
  readonly polarity: number;
  /** 1 from the acceptance of a level-triggered interrupt to its end. */
  readonly remoteIrr: number;
  /** 0 for an edge, 1 for a level. */
  readonly trigMode: number;
  /** 1 if the pin is masked. */
  readonly mask: number;
  /** The APIC id, or the logical ids. */
  readonly destId: number;
}

const REDIRECTION: Names<Redirection> = {
  vector: true,
  deliveryMode: true,
  destMode: true,
  deliveryStatus: true,
  polarity: true,
  remoteIrr: true,
  trigMode: true,
  mask: true,
  destId: true,
};

/**
 * The 64 bits of a redirection entry; fields that are left out are 0.
 *
 * @example Pin 5 becomes vector 0x35 of the vCPU with APIC id 0
 * ```ts
 * import { encodeRedirection, Irqchip, Kvm } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * vm.createIrqchip();
 * const state = vm.getIrqchip(Irqchip.IOAPIC);
 * state.chip.ioapic.redirtbl[5] = encodeRedirection({ vector: 0x35 });
 * vm.setIrqchip(state);
 * ```
 *
 * @throws {KvmError} EINVAL for a field that is out of its range.
 */
export function encodeRedirection(fields: Partial<Redirection>): bigint {
  const operation = "encode a redirection entry";
  checkNames(operation, "What it says", fields, REDIRECTION);
  const { vector = 0, deliveryMode = 0, destMode = 0, deliveryStatus = 0 } = fields;
  const { polarity = 0, remoteIrr = 0, trigMode = 0, mask = 0, destId = 0 } = fields;
  checkFields(operation, { vector, deliveryMode, destMode, trigMode });
  checkInteger(operation, "The delivery status", deliveryStatus, 0, 1);
  checkInteger(operation, "The polarity", polarity, 0, 1);
  checkInteger(operation, "The remote IRR", remoteIrr, 0, 1);
  checkInteger(operation, "The mask", mask, 0, 1);
  checkInteger(operation, "The destination's id", destId, 0, 0xff);
  const low = vector | deliveryMode << 8 | destMode << 11 | deliveryStatus << 12 | polarity << 13 |
    remoteIrr << 14 | trigMode << 15 | mask << 16;
  return BigInt(low) | BigInt(destId) << 56n;
}

/**
 * The fields of a redirection entry.
 *
 * @throws {KvmError} EINVAL for what is no bigint of 64 bits.
 */
export function decodeRedirection(entry: bigint): Redirection {
  checkU64("decode a redirection entry", "An entry", entry);
  const low = Number(entry & 0x1_ffffn);
  return {
    vector: low & 0xff,
    deliveryMode: low >> 8 & 7,
    destMode: low >> 11 & 1,
    deliveryStatus: low >> 12 & 1,
    polarity: low >> 13 & 1,
    remoteIrr: low >> 14 & 1,
    trigMode: low >> 15 & 1,
    mask: low >> 16 & 1,
    destId: Number(entry >> 56n & 0xffn),
  };
}

function checkFields(
  operation: string,
  { vector, deliveryMode, destMode, trigMode }: Pick<
    Redirection,
    "vector" | "deliveryMode" | "destMode" | "trigMode"
  >,
): void {
  checkInteger(operation, "The vector", vector, 0, 0xff);
  checkInteger(operation, "The delivery mode", deliveryMode, 0, 7);
  checkInteger(operation, "The destination's mode", destMode, 0, 1);
  checkInteger(operation, "The trigger mode", trigMode, 0, 1);
}
