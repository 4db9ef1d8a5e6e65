import { assert, assertEquals } from "@std/assert";
import { fuzzLoaders } from "./fuzz.ts";

Deno.test("2,000 changed images are loaded within their regions, or refused with nothing written", () => {
  const { count, loaded, refused } = fuzzLoaders({ seed: 1, count: 2000 });
  assertEquals(count, 2000);
  assert(loaded > 200, `only ${loaded} loaded`);
  for (const code of ["ENOEXEC", "ENOMEM", "E2BIG", "EINVAL"]) {
    assert((refused[code] ?? 0) > 20, `${code}: ${refused[code]}`);
  }
});

Deno.test("The same seed gives the same inputs", () => {
  const options = { seed: 99, count: 50 };
  assertEquals(fuzzLoaders(options), fuzzLoaders(options));
});
