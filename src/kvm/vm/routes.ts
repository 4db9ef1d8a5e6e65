/**
 * Where the lines of a VM lead (api.rst 4.52 KVM_SET_GSI_ROUTING).
 *
 * @module
 */

import {
  checkInteger,
  checkNames,
  checkObject,
  Errno,
  from,
  KvmError,
  type Names,
  type StructInit,
  type StructOf,
  U32_MAX,
} from "../../../ffi/mod.ts";
import {
  Abi,
  Irqchip,
  IrqRouting,
  kvmIrqRouting,
  type kvmIrqRoutingEntry,
} from "../../../ffi/uapi/mod.ts";
import type { MsiMessage } from "./apic_messages.ts";

/** A line that leads to a pin of an in-kernel interrupt controller. */
export interface IrqchipRoute {
  /** The line's number. */
  readonly gsi: number;
  /** Which controller, and which of its pins: 0 to 7 of a PIC, 0 to 23 of the I/O APIC. */
  readonly irqchip: { readonly irqchip: Irqchip; readonly pin: number };
}

/** A line that sends a message when it is raised. */
export interface MsiRoute {
  /** The line's number. */
  readonly gsi: number;
  /** The message, see {@linkcode msiMessage}. */
  readonly msi: MsiMessage;
}

/** A line that leads to a Hyper-V synthetic interrupt source (`Cap.HYPERV_SYNIC`). */
export interface HvSintRoute {
  /** The line's number. */
  readonly gsi: number;
  /** The vCPU by its VP index, and the source, 0 to 15. */
  readonly hvSint: { readonly vcpu: number; readonly sint: number };
}

/** A line that leads to a Xen event channel (`Cap.XEN_HVM` with `EVTCHN_2LEVEL`). */
export interface XenEvtchnRoute {
  /** The line's number. */
  readonly gsi: number;
  /** The channel's port and its vCPU. */
  readonly xenEvtchn: { readonly port: number; readonly vcpu: number };
}

/** Where a line leads; a line may have several routes. */
export type GsiRoute = IrqchipRoute | MsiRoute | HvSintRoute | XenEvtchnRoute;

/** Pins of a PIC. */
const PIC_PINS = 8;
/** The kernel's limit (KVM_MAX_IRQ_ROUTES). */
const MOST = 4096;

/**
 * The routes that `createIrqchip` sets up: lines 0 to 15 to the PICs and the I/O APIC, lines 16 to 23
 * to the I/O APIC. A table with more begins with these, for it replaces the last one.
 */
export function defaultGsiRoutes(): GsiRoute[] {
  const routes: GsiRoute[] = [];
  for (let gsi = 0; gsi < Abi.IOAPIC_NUM_PINS; gsi++) {
    routes.push({ gsi, irqchip: { irqchip: Irqchip.IOAPIC, pin: gsi } });
    if (gsi >= 2 * PIC_PINS) continue;
    const irqchip = gsi < PIC_PINS ? Irqchip.PIC_MASTER : Irqchip.PIC_SLAVE;
    routes.push({ gsi, irqchip: { irqchip, pin: gsi % PIC_PINS } });
  }
  return routes;
}

type EveryRoute = IrqchipRoute & MsiRoute & HvSintRoute & XenEvtchnRoute;
const ROUTE: Names<EveryRoute> = {
  gsi: true,
  irqchip: true,
  msi: true,
  hvSint: true,
  xenEvtchn: true,
};

/** The table as the kernel wants it. */
export function encodeRoutes(
  operation: string,
  routes: readonly GsiRoute[],
): StructOf<typeof kvmIrqRouting> {
  checkInteger(operation, "The number of routes", routes.length, 0, MOST);
  const entries = Array.from(routes, (route) => encodeRoute(operation, route));
  return from(kvmIrqRouting, { nr: entries.length, entries }, entries.length);
}

function encodeRoute(
  operation: string,
  route: GsiRoute,
): StructInit<typeof kvmIrqRoutingEntry> {
  checkNames<Partial<EveryRoute>>(operation, "A route", route, ROUTE);
  const { gsi } = route;
  const check = (name: string, value: number, max = U32_MAX) =>
    checkInteger(operation, `Line ${gsi}'s ${name}`, value, 0, max);
  checkInteger(operation, "A line", gsi, 0, U32_MAX);
  if ("irqchip" in route) {
    checkObject(operation, "irqchip", route.irqchip);
    const { irqchip, pin } = route.irqchip;
    check("controller", irqchip, Irqchip.IOAPIC);
    check("pin", pin, (irqchip === Irqchip.IOAPIC ? Abi.IOAPIC_NUM_PINS : PIC_PINS) - 1);
    return { gsi, type: IrqRouting.IRQCHIP, u: { irqchip: { irqchip, pin } } };
  }
  if ("msi" in route) {
    checkObject(operation, "msi", route.msi);
    const { addressLo, addressHi, data } = route.msi;
    check("message address", addressLo);
    check("message address (high)", addressHi);
    check("message data", data);
    return { gsi, type: IrqRouting.MSI, u: { msi: { addressLo, addressHi, data } } };
  }
  if ("hvSint" in route) {
    checkObject(operation, "hvSint", route.hvSint);
    const { vcpu, sint } = route.hvSint;
    check("vCPU", vcpu);
    check("interrupt source", sint, 15);
    return { gsi, type: IrqRouting.HV_SINT, u: { hvSint: { vcpu, sint } } };
  }
  if ("xenEvtchn" in route) {
    checkObject(operation, "xenEvtchn", route.xenEvtchn);
    const { port, vcpu } = route.xenEvtchn;
    check("port", port);
    check("vCPU", vcpu);
    const priority = IrqRouting.XEN_EVTCHN_PRIO_2LEVEL;
    return { gsi, type: IrqRouting.XEN_EVTCHN, u: { xenEvtchn: { port, vcpu, priority } } };
  }
  const hint = "A route leads to one of irqchip, msi, hvSint or xenEvtchn";
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
