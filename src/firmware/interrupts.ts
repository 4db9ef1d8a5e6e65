/**
 * Which ISA interrupt comes in at which pin of the I/O APIC, and how: the same facts for the MADT
 * and for the MP table.
 *
 * @module
 */

import type { FirmwareDescription } from "./description.ts";
import { Irq, PIT_PIN } from "./layout/mod.ts";

/** How many interrupts ISA has. */
export const ISA_IRQS = 16;

/**
 * MPS INTI flags (ACPI 6.5, 5.2.12.5; MultiProcessor Specification 1.4, table 4-10): polarity in
 * bits 0 and 1, trigger mode in bits 2 and 3.
 */
export const IntiFlags = {
  /** As usual on the bus: on ISA, edge-triggered and active high. */
  CONFORMS: 0,
  /** Level-triggered, active high. */
  LEVEL_HIGH: 0b11_01,
} as const;

/** An interrupt of ISA's, and those of virtio devices, which have no bus of their own. */
export interface IsaInterrupt {
  /** Its number on the bus. */
  readonly irq: number;
  /** The I/O APIC's pin. */
  readonly pin: number;
  /** See {@linkcode IntiFlags}. */
  readonly flags: number;
}

/** All interrupts, by number: 16 and what else devices have. */
export function isaInterrupts({ virtioMmio = [] }: FirmwareDescription): IsaInterrupt[] {
  const levels = new Set<number>([Irq.SCI]);
  const irqs = new Set(Array.from({ length: ISA_IRQS }, (_, irq) => irq));
  irqs.delete(PIT_PIN);
  for (const { irq, trigger } of virtioMmio) {
    if (irq >= ISA_IRQS) irqs.add(irq);
    if (trigger !== "edge") levels.add(irq);
  }
  return [...irqs].sort((a, b) => a - b).map((irq) => ({
    irq,
    pin: irq === Irq.PIT ? PIT_PIN : irq,
    flags: levels.has(irq) ? IntiFlags.LEVEL_HIGH : IntiFlags.CONFORMS,
  }));
}
