import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { Fd, type HugePages, Mapping } from "../../ffi/mod.ts";
import { assertCode } from "../support/codes.ts";
import { isMapped, mappedBytes, needing, openFiles, openTargets } from "../support/host.ts";

const KIB = 1024;
const GIB = 2 ** 30;
const kinds = { anonymous: Mapping.anonymous, memfd: Mapping.memfd } as const;

const [reserved2M, reserved1G] = [2048, 1048576].map((kilobytes) => {
  const path = `/sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/free_hugepages`;
  try {
    return Number(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
});

for (const [kind, map] of Object.entries(kinds)) {
  Deno.test(`${kind} memory is zeroed, and keeps what is written to it`, () => {
    using mapping = map(64 * KIB, "test memory");
    const bytes = new Uint8Array(mapping.buffer);
    assertEquals([mapping.size, bytes.length], [64 * KIB, 64 * KIB]);
    assert(bytes.every((byte) => byte === 0));
    bytes.fill(0xa5);
    assert(new Uint8Array(mapping.buffer).every((byte) => byte === 0xa5));
    assertEquals(mapping.buffer, mapping.buffer);
  });

  Deno.test(`${kind} memory of one page is mapped while it is open and not afterwards`, () => {
    const mapping = map(4 * KIB, "test memory");
    const { address } = mapping;
    assert(isMapped(address));
    mapping.close();
    assert(!isMapped(address));
    mapping.close();
  });

  Deno.test(`views of ${kind} memory have length 0 once it is closed`, () => {
    const mapping = map(64 * KIB, "test memory");
    const { buffer } = mapping;
    const bytes = new Uint8Array(buffer);
    const part = new BigUint64Array(buffer, 4096, 8);
    const view = new DataView(buffer);
    mapping.close();
    assertEquals([bytes.length, part.length, buffer.byteLength], [0, 0, 0]);
    assertEquals([bytes[0], part[0]], [undefined, undefined]);
    bytes[0] = 1;
    assert(buffer.detached);
    let message = "";
    try {
      view.getUint8(0);
    } catch (error) {
      message = String(error);
    }
    assertStringIncludes(message, "TypeError");
  });

  Deno.test(`closed ${kind} memory has neither buffer nor address`, () => {
    const mapping = map(4 * KIB, "test memory");
    mapping.close();
    const error = assertCode("EBADF", () => mapping.buffer);
    assertStringIncludes(error.hint!, "test memory was closed");
    assertCode("EBADF", () => mapping.address);
  });

  Deno.test(`64 GiB of ${kind} memory cost nothing until touched`, () => {
    const before = mappedBytes();
    using mapping = map(64 * GIB, "test memory");
    assertGreater(mappedBytes(), before + 63 * GIB);
    const bytes = new Uint8Array(mapping.buffer);
    for (const at of [0, 4 * GIB + 1, 33 * GIB, 64 * GIB - 1]) {
      bytes[at] = 0x5a;
      assertEquals(bytes[at], 0x5a);
    }
    assertEquals(bytes[5 * GIB], 0);
  });

  Deno.test(`a size of ${kind} memory that no page divides is EINVAL before anything is mapped`, () => {
    const [files, mapped] = [openFiles(), mappedBytes()];
    // deno-lint-ignore no-explicit-any -- what the types forbid
    const wrong: any[] = [0, -4096, 1, 4095, 4097, 0.5, NaN, Infinity, 2 ** 53, "4096", undefined];
    for (const size of wrong) assertCode("EINVAL", () => map(size, "test memory"), String(size));
    for (const hugePages of ["2M", "1G"] as const) {
      const error = assertCode("EINVAL", () => map(4096, "test memory", { hugePages }));
      assertStringIncludes(error.hint!, hugePages === "2M" ? "2097152" : "1073741824");
    }
    const huge = "4K" as HugePages;
    assertCode("EINVAL", () => map(4096, "test memory", { hugePages: huge }));
    assertEquals(openFiles(), files);
    assert(mappedBytes() < mapped + GIB);
  });

  Deno.test(`more ${kind} memory than there is address space is ENOMEM, and leaves nothing behind`, () => {
    const [files, mapped] = [openFiles(), mappedBytes()];
    // The first is too much for the processor, the second for an ArrayBuffer.
    for (const size of [2 ** 52, 2 ** 46]) {
      const error = assertCode("ENOMEM", () => map(size, "test memory"));
      assert(error.hint !== undefined);
    }
    assertEquals(openFiles(), files);
    assert(mappedBytes() < mapped + GIB);
  });

  Deno.test(`${kind} memory lies to huge pages as the guest sees it, and takes no more room`, () => {
    const huge = 2 ** 21;
    const before = mappedBytes();
    using mappings = new DisposableStack();
    let [count, bytes] = [0, 0];
    for (const guestPhysAddr of [undefined, 0, 4096, 2 ** 20, 2 ** 21, 2 ** 32 - 4096]) {
      for (const size of [huge, huge + 4096, 5 * huge]) {
        const mapping = mappings.use(map(size, "test memory", { guestPhysAddr }));
        const phase = Number(mapping.address % BigInt(huge));
        assertEquals(phase, (guestPhysAddr ?? 0) % huge, `${guestPhysAddr} ${size}`);
        new Uint8Array(mapping.buffer).fill(1);
        count++;
        bytes += size;
      }
    }
    // The runtime's own memory may grow meanwhile.
    assertLess(mappedBytes() - before, bytes + count * huge / 2);
  });

  Deno.test(`transparent huge pages for ${kind} memory work without any preparation`, () => {
    using mapping = map(4 * 2 ** 20, "test memory", { hugePages: "transparent" });
    const bytes = new Uint8Array(mapping.buffer);
    bytes[bytes.length - 1] = 7;
    assertEquals(bytes.at(-1), 7);
  });

  Deno.test(
    needing(
      "no free 2 MiB pages",
      reserved2M === 0,
      `2M pages of ${kind} memory without reserved ones are ENOMEM, and leave nothing behind`,
    ),
    () => {
      const [files, mapped] = [openFiles(), mappedBytes()];
      const error = assertCode("ENOMEM", () => map(2 ** 21, "memory", { hugePages: "2M" }));
      assertStringIncludes(error.hint!, "vm.nr_hugepages");
      assertEquals(openFiles(), files);
      assert(mappedBytes() < mapped + GIB);
    },
  );

  Deno.test(
    needing(
      "no free 1 GiB pages",
      reserved1G === 0,
      `1G pages of ${kind} memory without reserved ones are ENOMEM`,
    ),
    () => {
      const error = assertCode("ENOMEM", () => map(GIB, "memory", { hugePages: "1G" }));
      assertStringIncludes(error.hint!, "huge pages");
    },
  );

  Deno.test(
    needing("a free 2 MiB page", (reserved2M ?? 0) > 0, `2M pages of ${kind} memory are real ones`),
    () => {
      using mapping = map(2 ** 21, "memory", { hugePages: "2M" });
      new Uint8Array(mapping.buffer)[0] = 1;
      const address = mapping.address.toString(16);
      const smaps = Deno.readTextFileSync("/proc/self/smaps");
      const entry = smaps.slice(smaps.indexOf(address));
      assertStringIncludes(entry.slice(0, 2000), "KernelPageSize:     2048 kB");
    },
  );

  Deno.test(`a transferred buffer of ${kind} memory keeps its views readable after close`, () => {
    const mapping = map(64 * KIB, "test memory");
    const { address } = mapping;
    new Uint8Array(mapping.buffer).fill(0x77);
    const stolen = new Uint8Array(mapping.buffer.transfer());
    assertEquals(stolen[100], 0x77);
    mapping.close();
    // The addresses stay taken, and what lay there is gone.
    assert(isMapped(address));
    assertEquals(stolen.length, 64 * KIB);
    assert(stolen.every((byte) => byte === 0));
    stolen.fill(1);
    mapping.close();
    assert(stolen.every((byte) => byte === 1));
  });

  Deno.test(`a clone of ${kind} memory that took the buffer along is safe to use after close`, () => {
    const mapping = map(64 * KIB, "test memory");
    const { buffer } = mapping;
    new Uint8Array(buffer)[5] = 5;
    const clone = structuredClone(buffer, { transfer: [buffer] });
    assertEquals([mapping.buffer.byteLength, new Uint8Array(clone)[5]], [0, 5]);
    mapping.close();
    assertEquals(new Uint8Array(clone)[5], 0);
  });

  Deno.test(`a buffer of ${kind} memory transferred to another size is safe to use after close`, () => {
    for (const size of [0, 1, 4096, 200 * KIB]) {
      const mapping = map(64 * KIB, "test memory");
      new Uint8Array(mapping.buffer).fill(9);
      const copy = new Uint8Array(mapping.buffer.transfer(size));
      mapping.close();
      assertEquals(copy.length, size);
      assert(copy.subarray(0, 64 * KIB).every((byte) => byte === 9 || byte === 0));
    }
  });
}

Deno.test("a memfd is open as long as its mapping, and other mappings of it share the memory", () => {
  const count = () => openTargets().filter((name) => name.startsWith("/memfd:kvm-guest")).length;
  const before = count();
  {
    using mapping = Mapping.memfd(64 * KIB, "shared memory");
    assertEquals(count(), before + 1);
    using other = Mapping.shared(mapping.fd!, 4 * KIB, "second view", 4 * KIB);
    new Uint8Array(mapping.buffer)[4 * KIB + 3] = 0xcd;
    assertEquals(new Uint8Array(other.buffer)[3], 0xcd);
  }
  assertEquals(count(), before);
});

Deno.test("a shared mapping outlives the descriptor that it was made from", () => {
  const mapping = Mapping.memfd(4 * KIB, "shared memory");
  using other = Mapping.shared(mapping.fd!, 4 * KIB, "second view");
  new Uint8Array(mapping.buffer)[0] = 1;
  mapping.close();
  assertEquals(new Uint8Array(other.buffer)[0], 1);
});

Deno.test("what can't be mapped is an error that names it", () => {
  using fd = Fd.open("/dev/kvm", "KVM");
  const error = assertCode("ENODEV", () => Mapping.shared(fd, 4 * KIB, "run page"));
  assertStringIncludes(error.message, "Cannot map the run page: mmap: ENODEV");
  fd.close();
  assertCode("EBADF", () => Mapping.shared(fd, 4 * KIB, "run page"));
});

Deno.test("more reserved memory than the host has is ENOMEM where sparse memory is not", () => {
  const overcommit = Number(Deno.readTextFileSync("/proc/sys/vm/overcommit_memory"));
  const size = 2 ** 42;
  if (overcommit !== 1) {
    const error = assertCode("ENOMEM", () => Mapping.anonymous(size, "memory", { reserve: true }));
    assertStringIncludes(error.hint!, "too little memory");
  }
  if (overcommit !== 2) Mapping.anonymous(size, "memory").close();
});

Deno.test("300 mappings come and go without a trace", () => {
  const [files, mapped] = [openFiles(), mappedBytes()];
  for (let turn = 0; turn < 300; turn++) {
    using mapping = (turn % 2 ? Mapping.memfd : Mapping.anonymous)(GIB, "memory");
    new Uint8Array(mapping.buffer)[turn] = 1;
  }
  assertEquals(openFiles(), files);
  assert(mappedBytes() < mapped + GIB);
});
