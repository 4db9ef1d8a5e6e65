import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { NestedError } from "../../../tools/nested/error.ts";
import { allowedProcessors, processorOf } from "../../../tools/nested/processors.ts";

const allowed = (list: string) =>
  allowedProcessors(`Cpus_allowed:\tf\nCpus_allowed_list:\t${list}\n`);

Deno.test("a process's processors are a list of numbers and ranges", () => {
  assertEquals(allowed("0"), [0]);
  assertEquals(allowed("0-3"), [0, 1, 2, 3]);
  assertEquals(allowed("1,4-5,63"), [1, 4, 5, 63]);
});

Deno.test("a system that tells no processors is an error", () => {
  assertThrows(() => allowedProcessors("Name:\tdeno\n"), NestedError);
});

Deno.test("machines side by side have different processors, as far as there are any", () => {
  const all = allowedProcessors(Deno.readTextFileSync("/proc/self/status"));
  assert(all.includes(processorOf(0)));
  assertEquals(processorOf(all.length), processorOf(0));
  if (all.length > 1) assertNotEquals(processorOf(1), processorOf(0));
});
