import { assertEquals, assertThrows } from "@std/assert";
import { kernelParts, wantedPackages, wholeSuite } from "../../../tools/nested/apt.ts";
import { NestedError } from "../../../tools/nested/error.ts";
import { parseAptShow } from "../../../tools/support/apt.ts";

Deno.test("apt's candidates name the packages' versions, the kernel's proper among them", () => {
  const shown = parseAptShow(`Package: linux-image-cloud-amd64
Source: linux-signed-amd64 (6.1.192+2)
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)
Description: Linux for x86-64 cloud (meta-package)

Package: busybox-static
Version: 1:1.35.0-4+b1

Package: memtest86+
Version: 6.10-4
Depends: debconf (>= 0.5)

`);
  assertEquals(wantedPackages(shown), [
    "linux-image-6.1.0-56-cloud-amd64=6.1.192-2",
    "busybox-static=1:1.35.0-4+b1",
    "memtest86+=6.10-4",
  ]);
  assertThrows(() => wantedPackages(shown.slice(0, 2)), NestedError, "memtest86+");
  assertThrows(() => wantedPackages([]), NestedError, "--debs");
});

Deno.test("a kernel in parts is named by what its package depends on", () => {
  const depends = "linux-base-7.3.4 (= 7.3.4-1), linux-binary-7.3.4-cloud-amd64 (= 7.3.4-1), " +
    "linux-modules-7.3.4-cloud-amd64 (= 7.3.4-1), dracut | initramfs-tools (>= 0.120)";
  assertEquals(kernelParts({ name: "linux-image-7.3.4", version: "7.3.4-1", depends }), [
    "linux-binary-7.3.4-cloud-amd64=7.3.4-1",
    "linux-modules-7.3.4-cloud-amd64=7.3.4-1",
  ]);
  assertEquals(kernelParts({ name: "", version: "", depends: "kmod, linux-base (>= 4.3~)" }), []);
});

Deno.test("backports need the suite that they renew", () => {
  assertEquals(wholeSuite("sid"), ["sid"]);
  assertEquals(wholeSuite("sid-backports"), ["sid-backports", "sid"]);
});
