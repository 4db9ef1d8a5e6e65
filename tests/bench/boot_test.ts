import { assertEquals, assertMatch } from "@std/assert";

const path = new URL("../../bench/boot.ts", import.meta.url).pathname;

async function boot(args: readonly string[], guests: string) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", path, ...args],
    env: { KVM_TEST_GUESTS: guests, NO_COLOR: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("where no kernel gets to userspace, the boot benchmark says why in one line", async () => {
  const guests = await Deno.makeTempDir();
  try {
    const missing = await boot([], guests);
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^No such file .*busybox'.*\n$/);
    await Deno.writeTextFile(`${guests}/busybox`, "no program");
    await Deno.writeTextFile(`${guests}/vmlinuz`, "no kernel");
    const wrong = await boot([], guests);
    assertEquals(wrong.code, 1);
    assertMatch(wrong.stderr, /^kvm run ended with 125 before userspace: kvm: .*\n$/);
  } finally {
    await Deno.remove(guests, { recursive: true });
  }
});

Deno.test("an option that the boot benchmark does not know is told beside its usage", async () => {
  const { code, stderr } = await boot(["--round", "1"], "/nowhere");
  assertEquals(code, 1);
  assertMatch(stderr, /^Unknown option '--round'.*\n\n.*\n\nUsage: deno task bench:boot /);
});
