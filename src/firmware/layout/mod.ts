/**
 * Where everything is: addresses, ports and interrupt lines of the machine. Whoever needs no tables
 * enters here, and loads nothing else.
 *
 * @module
 */

export * from "./addresses.ts";
export { IO_APIC_PINS, Irq, PIT_PIN, Port, PORT_COUNT } from "./ports.ts";
