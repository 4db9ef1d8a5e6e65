import { assertEquals } from "@std/assert";
import {
  decodeBreakpoints,
  decodeDr6,
  DR6,
  encodeBreakpoints,
  type HardwareBreakpoint,
} from "../../src/arch/x86/mod.ts";
import { assertCode } from "../support/codes.ts";

Deno.test("breakpoints become addresses and the fields of DR7", () => {
  // Type and length by the manual's table: R/W 00 01 10 11, LEN 00 01 11 10 for 1 2 4 8.
  const { db, dr7 } = encodeBreakpoints([
    { type: "execute", address: 0x1000n },
    { type: "write", address: 0x2000n, length: 4 },
    { type: "io", address: 0x60n, length: 2 },
    { type: "access", address: 0xffff_8000_0000_0000n, length: 8 },
  ]);
  assertEquals(db, [0x1000n, 0x2000n, 0x60n, 0xffff_8000_0000_0000n]);
  assertEquals(dr7, 0b1011_0110_1101_0000_0000_0110_1010_1010n);
});

Deno.test("no breakpoint leaves DR7 as after a reset", () => {
  assertEquals(encodeBreakpoints([]), { db: [0n, 0n, 0n, 0n], dr7: 0x400n });
});

Deno.test("a breakpoint keeps the slot it asks for, the others take what is free", () => {
  const { db } = encodeBreakpoints([
    { type: "execute", address: 1n },
    { type: "execute", address: 2n, slot: 0 },
    { type: "execute", address: 3n, slot: 2 },
    { type: "execute", address: 4n },
  ]);
  assertEquals(db, [2n, 1n, 3n, 4n]);
});

Deno.test("debug registers are decoded into the breakpoints that they came from", () => {
  const breakpoints: HardwareBreakpoint[] = [
    { slot: 1, type: "access", address: 0x3008n, length: 8 },
    { slot: 3, type: "execute", address: 0x1234n, length: 1 },
  ];
  assertEquals(decodeBreakpoints(encodeBreakpoints(breakpoints)), breakpoints);
  // The local enable bit counts as well.
  assertEquals(decodeBreakpoints({ db: [5n], dr7: 1n })[0]?.address, 5n);
  assertEquals(decodeBreakpoints({ db: [5n, 6n, 7n, 8n], dr7: 0xffff_0400n }), []);
});

Deno.test("DR6 names the slots that were hit, and a single step", () => {
  assertEquals(decodeDr6(DR6.B1 | DR6.B3), { slots: [1, 3], singleStep: false });
  assertEquals(decodeDr6(0xffff_4ff0n), { slots: [], singleStep: true });
});

Deno.test("breakpoints that no processor has are refused", () => {
  const refused: [string, HardwareBreakpoint[]][] = [
    ["type", [{ type: "read" as "access", address: 0n }]],
    ["length", [{ type: "write", address: 0n, length: 3 as 4 }]],
    ["execution of several bytes", [{ type: "execute", address: 0n, length: 2 }]],
    ["unaligned", [{ type: "write", address: 2n, length: 4 }]],
    ["slot 4", [{ type: "write", address: 0n, slot: 4 }]],
    ["slot -1", [{ type: "write", address: 0n, slot: -1 }]],
    ["the same slot", [{ type: "write", address: 0n, slot: 1 }, {
      type: "write",
      address: 8n,
      slot: 1,
    }]],
    ["five", Array<HardwareBreakpoint>(5).fill({ type: "execute", address: 0n })],
  ];
  for (const [what, breakpoints] of refused) {
    assertCode("EINVAL", () => encodeBreakpoints(breakpoints), what);
  }
});
