import { assertEquals } from "@std/assert";
import {
  decodeRedirection,
  DeliveryMode,
  encodeRedirection,
  msiMessage,
} from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";

Deno.test("a message has each field in its place", () => {
  assertEquals(msiMessage({ vector: 0x31 }), { addressLo: 0xfee0_0000, addressHi: 0, data: 0x31 });
  assertEquals(
    msiMessage({
      vector: 0xff,
      destId: 0x1234_56ab,
      destMode: 1,
      redirectHint: 1,
      deliveryMode: DeliveryMode.NMI,
      trigMode: 1,
    }),
    { addressLo: 0xfeea_b00c, addressHi: 0x1234_5600, data: 0xc4ff },
  );
});

Deno.test("a redirection entry is what it was decoded from", () => {
  assertEquals(encodeRedirection({ vector: 0x33, mask: 1 }), 0x1_0033n);
  for (const entry of [0n, 0xff00_0000_0001_ffffn, 0x0100_0000_0000_a930n, 0x1_0000n]) {
    assertEquals(encodeRedirection(decodeRedirection(entry)), entry);
  }
  assertEquals(decodeRedirection(0x0300_0000_0000_e831n), {
    vector: 0x31,
    deliveryMode: 0,
    destMode: 1,
    deliveryStatus: 0,
    polarity: 1,
    remoteIrr: 1,
    trigMode: 1,
    mask: 0,
    destId: 3,
  });
});

Deno.test("a field that is out of its range is refused", () => {
  const wrong = {
    vector: 0x100,
    deliveryMode: 8,
    destMode: 2,
    deliveryStatus: 2,
    polarity: -1,
    remoteIrr: 0.5,
    trigMode: NaN,
    mask: 2,
    destId: 0x100,
  };
  for (const [name, value] of Object.entries(wrong)) {
    assertCode("EINVAL", () => encodeRedirection({ [name]: value }), name);
  }
  for (const field of [{ destId: 2 ** 32 }, { redirectHint: 2 }, { vector: -1 }]) {
    assertCode("EINVAL", () => msiMessage({ vector: 0x31, ...field }), Deno.inspect(field));
  }
});
