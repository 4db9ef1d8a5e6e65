import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { Fd, KvmError, Mapping, PoolRun } from "../../ffi/mod.ts";
import { mappedBytes } from "../support/host.ts";

/** KVM_GET_API_VERSION, which does not wait. */
const GET_API_VERSION = { request: 0xae00 };

Deno.test("of two ioctls at once the second is EBUSY", async () => {
  using fd = Fd.open("/dev/kvm", "KVM");
  using mapping = Mapping.anonymous(4096, "page");
  const pool = new PoolRun(mapping, 0);
  const first = pool.run(fd.number, GET_API_VERSION);
  await assertRejects(() => pool.run(fd.number, GET_API_VERSION), KvmError, "EBUSY");
  assertEquals([await first, pool.running], [12, false]);
  assertEquals(await pool.run(fd.number, GET_API_VERSION), 12);
  pool.close();
  await assertRejects(() => pool.run(fd.number, GET_API_VERSION), KvmError, "EBADF");
});

Deno.test("for a mapping that is closed there is none, and nothing stays of the attempt", () => {
  const mapping = Mapping.anonymous(4096, "page");
  mapping.close();
  const attempts = 40_000;
  const before = mappedBytes();
  for (let turn = 0; turn < attempts; turn++) assertThrows(() => new PoolRun(mapping, 0), KvmError);
  // The runtime's own heap moves by less than half a page for each.
  assertLess(mappedBytes(), before + attempts * 2048);
});
