import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Errno, errnoName, KvmError } from "../../ffi/mod.ts";
import { hasProgram, needing } from "../support/host.ts";

Deno.test("a message says what failed, which call refused, the errno's name and what to do", () => {
  const error = new KvmError({
    operation: "create vCPU 3",
    call: "KVM_CREATE_VCPU",
    errno: 17,
    hint: "Choose another id",
  });
  assertEquals(error.message, "Cannot create vCPU 3: KVM_CREATE_VCPU: EEXIST. Choose another id");
  assertEquals(
    [error.name, error.code, error.errno, error.call, error.operation, error.hint],
    ["KvmError", "EEXIST", 17, "KVM_CREATE_VCPU", "create vCPU 3", "Choose another id"],
  );
});

Deno.test("a message leaves out the call and the hint where there is none", () => {
  const error = new KvmError({ operation: "read memory", errno: Errno.EFAULT });
  assertEquals(error.message, "Cannot read memory: EFAULT");
  assertEquals([error.call, error.hint], [undefined, undefined]);
});

Deno.test("a KvmError is an Error with a stack that names the caller", () => {
  function culprit(): KvmError {
    return new KvmError({ operation: "x", errno: 1 });
  }
  const error = culprit();
  assertInstanceOf(error, Error);
  assert(error.stack?.includes("culprit"));
  assertEquals(String(error), "KvmError: Cannot x: EPERM");
});

Deno.test("an unknown error number is named by its number", () => {
  assertEquals(errnoName(9999), "errno 9999");
  assertEquals(errnoName(0), "errno 0");
  assertEquals(errnoName(NaN), "errno NaN");
  assertEquals(new KvmError({ operation: "x", errno: 512 }).code, "errno 512");
});

Deno.test("every error number that the library tells apart has its name", () => {
  for (const [name, number] of Object.entries(Errno)) assertEquals(errnoName(number), name);
});

Deno.test(needing("gcc", hasProgram("gcc"), "error names are those of the system"), () => {
  // A name that stands for the same number as another (EWOULDBLOCK, ENOTSUP, EDEADLOCK) is an alias.
  const { stdout } = new Deno.Command("gcc", {
    args: ["-E", "-dM", "-include", "errno.h", "-x", "c", "/dev/null"],
  }).outputSync();
  const defined = [...new TextDecoder().decode(stdout).matchAll(/^#define (E\w+) (\d+)$/gm)];
  assert(defined.length > 100);
  for (const [, name, number] of defined) assertEquals(errnoName(Number(number)), name);
  const numbers = new Set(defined.map(([, , number]) => Number(number)));
  for (let errno = 1; errno < 200; errno++) {
    if (!numbers.has(errno)) assertEquals(errnoName(errno), `errno ${errno}`);
  }
});
