import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { Cap } from "../../ffi/uapi/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { needing, openFiles } from "../support/host.ts";
import { becomeNobody, runScript, specifier } from "../support/subprocess.ts";

Deno.test("KVM is opened once and closed once, and takes one descriptor", () => {
  const before = openFiles();
  const kvm = Kvm.open();
  assertEquals([openFiles(), kvm.closed], [before + 1, false]);
  assertEquals(Deno.readLinkSync(`/proc/self/fd/${kvm.fd}`), "/dev/kvm");
  kvm.close();
  kvm.close();
  assertEquals([openFiles(), kvm.closed, kvm.fd], [before, true, -1]);
});

Deno.test("the API version is the stable one", () => {
  using kvm = Kvm.open();
  assertEquals(kvm.apiVersion, 12);
});

Deno.test("a device that is not there is ENOENT, and the hint says how to get KVM", () => {
  const before = openFiles();
  const error = assertCode("ENOENT", () => Kvm.open("/dev/no-kvm"));
  assertStringIncludes(error.message, "Cannot open /dev/no-kvm: open: ENOENT. ");
  assertStringIncludes(error.hint!, "modprobe");
  assertEquals(openFiles(), before);
});

Deno.test("a file that is not KVM's is ENOTTY, and is closed again", () => {
  const before = openFiles();
  for (const path of ["/dev/null", "/dev/zero"]) {
    const error = assertCode("ENOTTY", () => Kvm.open(path));
    assertEquals(error.call, "KVM_GET_API_VERSION");
    assertStringIncludes(error.hint!, "not KVM's");
  }
  assertCode("EISDIR", () => Kvm.open("/dev"));
  assertEquals(openFiles(), before);
});

Deno.test(
  needing(
    "root, and KVM closed to others",
    Deno.uid() === 0 && ownersOnly(),
    "without permission for the device it is EACCES, and the hint names the group",
  ),
  async () => {
    const { stdout, stderr } = await runScript(
      `
      import { Kvm } from ${specifier("src/kvm/mod.ts")};
      ${becomeNobody}
      try { Kvm.open(); } catch (error) { console.log(error.code, error.hint); }`,
    );
    assertStringIncludes(stdout, "EACCES", stderr);
    assertStringIncludes(stdout, "usermod -aG kvm");
  },
);

function ownersOnly(): boolean {
  return ((Deno.statSync("/dev/kvm").mode ?? 0) & 0o006) === 0;
}

Deno.test("a capability is answered by a number, by the VM as well", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertEquals([kvm.check(Cap.USER_MEMORY), vm.check(Cap.USER_MEMORY)], [1, 1]);
  assertGreater(kvm.check(Cap.NR_MEMSLOTS), 31);
  assertEquals(kvm.check(0x7fff_ffff as Cap), 0);
  assertEquals(vm.check(0xffff_ffff as Cap), 0);
});

Deno.test("what is no capability is EINVAL", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [-1, 0.5, NaN, 2 ** 32, "10", undefined, null, 1n];
  for (const cap of wrong) {
    assertCode("EINVAL", () => kvm.check(cap), String(cap));
    assertCode("EINVAL", () => vm.check(cap), String(cap));
  }
});

Deno.test("the limits are those that the host has, and fit together", () => {
  using kvm = Kvm.open();
  assertEquals(kvm.maxMemorySlots, kvm.check(Cap.NR_MEMSLOTS));
  assertGreater(kvm.recommendedVcpus, 0);
  assert(kvm.maxVcpus >= kvm.recommendedVcpus);
  assert(kvm.maxVcpuId >= kvm.maxVcpus);
  assert(kvm.vcpuMmapSize >= 4096 && kvm.vcpuMmapSize % 4096 === 0);
});

Deno.test("a VM lives on when KVM is closed", () => {
  const kvm = Kvm.open();
  using vm = kvm.createVm();
  kvm.close();
  vm.addMemory({ size: 4096 }).writeU8(0, 1);
  using vcpu = vm.createVcpu(0);
  assertEquals(vcpu.getRegs().rip, 0xfff0n);
});

Deno.test("a type of VM that the kernel lacks, or that is no number, is EINVAL", () => {
  using kvm = Kvm.open();
  const before = openFiles();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const types: any[] = [77, -1, 0.5, NaN, 2 ** 32, "0", null, 0n];
  for (const type of types) assertCode("EINVAL", () => kvm.createVm({ type }), String(type));
  assertEquals(openFiles(), before);
  kvm.createVm({ type: 0 }).close();
});

Deno.test("a VM that can't be had for want of descriptors is EMFILE, and nothing is left open", async () => {
  const { code, stdout, stderr } = await runScript(
    `
    import { EventFd, Kvm } from ${specifier("src/kvm/mod.ts")};
    const kvm = Kvm.open();
    const vm = kvm.createVm();
    const advice = ({ code, hint }) => hint.includes("ulimit -n") ? code : "no advice";
    const files = [];
    const fill = () => { try { for (;;) files.push(Deno.openSync("/dev/null")); } catch { /* all taken */ } };
    const code = (make) => { try { make(); return "made"; } catch (error) { return advice(error); } };
    fill();
    const codes = [() => Kvm.open(), () => kvm.createVm(), () => vm.createVcpu(0), () => new EventFd(),
      () => vm.addMemory({ size: 4096, backing: "memfd" })].map(code);
    files.pop().close();
    const event = new EventFd();
    codes.push(await event.wait().catch(advice));
    event.close();
    codes.push(code(() => vm.createVcpu(0)));
    console.log(codes.join(" "));`,
    { args: ["--allow-all"] },
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim(), "EMFILE EMFILE EMFILE EMFILE EMFILE EMFILE made");
});

Deno.test("KVM shows what it is when it is printed, open or closed", () => {
  const kvm = Kvm.open();
  assertStringIncludes(Deno.inspect(kvm), "Kvm");
  kvm.close();
  assertStringIncludes(Deno.inspect(kvm), "Kvm");
});
