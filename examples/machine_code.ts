/**
 * Unit tests for machine code, in the language it is written in.
 *
 *     deno test --allow-ffi --allow-run=nasm examples/machine_code.ts
 */

import { assertGuest } from "../src/testing/mod.ts";

const clamp = `
        mov     rax, rdi        ; clamp(value, low, high)
        cmp     rax, rsi
        cmovl   rax, rsi
        cmp     rax, rdx
        cmovg   rax, rdx
        hlt
`;

for (const [value, low, high, result] of [[5n, 1n, 9n, 5n], [0n, 1n, 9n, 1n], [10n, 1n, 9n, 9n]]) {
  Deno.test(`clamp(${value}, ${low}, ${high}) is ${result}`, () => {
    assertGuest(
      { code: clamp, registers: { rdi: value, rsi: low, rdx: high } },
      { registers: { rax: result } },
    );
  });
}
