/**
 * The structures of x86 KVM, each as a table whose order and types give its layout.
 *
 * @module
 */

export * from "./cpuid.ts";
export * from "./debug.ts";
export * from "./device.ts";
export * from "./events.ts";
export * from "./filters.ts";
export * from "./hyperv.ts";
export * from "./interrupts.ts";
export * from "./memory.ts";
export * from "./msr.ts";
export * from "./nested.ts";
export * from "./registers.ts";
export * from "./run.ts";
export * from "./sev.ts";
export * from "./stats.ts";
export * from "./tdx.ts";
export * from "./time.ts";
export * from "./xen.ts";
