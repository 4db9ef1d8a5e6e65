import { assertEquals } from "@std/assert";
import { placeOfFile } from "../../ffi/mod.ts";
import { openLinks } from "../support/host.ts";

Deno.test("the place of a regular file is the one that the runtime tells", () => {
  const path = Deno.makeTempFileSync();
  try {
    using _file = Deno.openSync(path);
    const [fd] = openLinks().find(([, target]) => target === path)!;
    const { dev, ino } = Deno.statSync(path);
    assertEquals(placeOfFile(fd), { dev, ino: ino! });
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("what is no regular file, or no descriptor, has no place", () => {
  using _device = Deno.openSync("/dev/null");
  const [fd] = openLinks().find(([, target]) => target === "/dev/null")!;
  assertEquals([placeOfFile(fd), placeOfFile(-1), placeOfFile(2 ** 20)], [
    undefined,
    undefined,
    undefined,
  ]);
});
