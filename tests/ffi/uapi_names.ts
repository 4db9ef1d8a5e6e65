/**
 * Finds the C name of everything in the uapi tables.
 *
 * @module
 */

import type { Layout } from "../../ffi/struct/mod.ts";

/** A member of a C struct, with where the tables have it. */
export interface Member {
  /** The C path from the struct: `io.port`. */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** Bytes of an element, where the member is a flexible array. */
  readonly stride: number;
  /** Whether it is signed, where it is a scalar. */
  readonly signed?: boolean;
}

/** Unions that have a name in the tables and none in C. */
const anonymous = new Set([
  "kvm_irq_level.line",
  "kvm_run.exit",
  "kvm_run.exit.hypercall.mode",
  "kvm_run.exit.system_event.detail",
  "kvm_run.exit.tdx.call",
]);

/** Members whose C name does not follow from the table's. */
const irregular: Readonly<Record<string, string>> = {
  "kvm_xen_hvm_config.blob_addr32": "blob_addr_32",
  "kvm_xen_hvm_config.blob_addr64": "blob_addr_64",
  "kvm_xen_hvm_config.blob_size32": "blob_size_32",
  "kvm_xen_hvm_config.blob_size64": "blob_size_64",
  "kvm_tdx_capabilities.kernel_tdvmcallinfo1_r11": "kernel_tdvmcallinfo_1_r11",
  "kvm_tdx_capabilities.kernel_tdvmcallinfo1_r12": "kernel_tdvmcallinfo_1_r12",
  "kvm_tdx_capabilities.user_tdvmcallinfo1_r11": "user_tdvmcallinfo_1_r11",
  "kvm_tdx_capabilities.user_tdvmcallinfo1_r12": "user_tdvmcallinfo_1_r12",
  "kvm_tdx_capabilities.entries": "cpuid.entries",
  "kvm_tdx_init_vm.entries": "cpuid.entries",
};

/** Flexible arrays whose C element is something else than the table's. */
const opaque = new Set(["kvm_nested_state.data"]);

/** `interruptBitmap` to `interrupt_bitmap`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `MemFlag`'s `KVM_MEM_*` and `READONLY` to `KVM_MEM_READONLY`. */
export function constantName(pattern: string, member: string): string {
  return pattern.replace("*", member);
}

/** The members of a struct, down to nested ones that no other table has. */
export function* members(
  layout: Layout,
  tables: ReadonlySet<Layout>,
  struct: string,
  place = struct,
  path = "",
  base = 0,
): Generator<Member> {
  for (const field of layout.fields.values()) {
    const name = snakeCase(field.name);
    const fieldPlace = `${place}.${name}`;
    const own = anonymous.has(fieldPlace) ? "" : irregular[fieldPlace] ?? name;
    const fieldPath = [path, own].filter(Boolean).join(".");
    const offset = base + field.offset;
    if (own !== "") {
      const flexible = "count" in field && field.count === 0 && !opaque.has(fieldPlace);
      yield {
        path: fieldPath,
        offset,
        size: field.size,
        stride: flexible ? layout.stride : 0,
        ...(field.kind === "scalar" && { signed: field.scalar.startsWith("s") }),
      };
    }
    if (field.kind === "struct" && !tables.has(field.layout)) {
      yield* members(field.layout, tables, struct, fieldPlace, fieldPath, offset);
    }
  }
}
