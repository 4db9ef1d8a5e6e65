import { assertEquals } from "@std/assert";
import { runUntil } from "../support/machine.ts";
import { Guest } from "./guest.ts";

/** mov eax, [0xd0000000]; hlt; the same in protected and in long mode but for its size */
const interrupted32 = Uint8Array.of(0xa1, 0, 0, 0, 0xd0, 0xf4);
/** out 0x80, al; hlt; in every mode */
const interrupted = Uint8Array.of(0xe6, 0x80, 0xf4);
/** mov al, 1; add al, 1; add al, 1; hlt; in every mode */
const counting = Uint8Array.of(0xb0, 1, 4, 1, 4, 1, 0xf4);

for (const protocol of ["flat16", "flat32", "flat64"] as const) {
  Deno.test(`A ${protocol} kernel runs on a vCPU that another one left in an instruction`, () => {
    using guest = new Guest();
    const { vcpu } = guest;
    for (
      const [before, code, reason] of [
        [protocol, interrupted, "io"],
        ["flat32", interrupted32, "mmio"],
      ] as const
    ) {
      guest.load(code, { protocol: before });
      runUntil(vcpu, reason);
      guest.load(counting, { protocol });
      runUntil(vcpu, "hlt");
      assertEquals(vcpu.getRegs().rax & 0xffn, 3n);
    }
  });
}
