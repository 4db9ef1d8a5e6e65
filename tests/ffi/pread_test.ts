import { assertEquals } from "@std/assert";
import { Mapping, pread } from "../../ffi/mod.ts";
import { assertCode } from "../support/codes.ts";

const bytes = (length: number) => new Uint8Array(new ArrayBuffer(length));

Deno.test("pread fills a buffer from an offset, and a part of one", () => {
  using mapping = Mapping.memfd(4096, "file");
  new Uint8Array(mapping.buffer).set([1, 2, 3, 4], 100);
  const buffer = bytes(6);
  pread(mapping.fd!, buffer.subarray(1, 5), 100);
  assertEquals([...buffer], [0, 1, 2, 3, 4, 0]);
  pread(mapping.fd!, bytes(0), 4096);
});

Deno.test("pread beyond the end is EIO, and after close EBADF", () => {
  const mapping = Mapping.memfd(4096, "file");
  assertCode("EIO", () => pread(mapping.fd!, bytes(8), 4092));
  mapping.close();
  assertCode("EBADF", () => pread(mapping.fd!, bytes(8), 0));
});
