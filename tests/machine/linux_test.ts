/**
 * A stock distribution's kernel.
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { GuestCrash, type MachineOptions } from "../../src/machine/mod.ts";
import { debianGuests, needsStockKernel, vmlinux, vmlinuz } from "../support/debian.ts";
import { busyboxInitrd } from "../support/initramfs.ts";
import { needing } from "../support/host.ts";
import { interpretsLevel0 } from "../support/native.ts";
import { pc } from "../support/pc.ts";

/** A shell on the console; its prompt is `READY# `. */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
export PS1='READY# '
exec setsid cttyhack sh
`;
const PROMPT = "READY# ";
/** Far more than a slow machine takes. */
const LIMIT = 240_000;

const options = (more: Partial<MachineOptions> = {}): MachineOptions => ({
  kernel: `${debianGuests}/vmlinuz`,
  initrd: busyboxInitrd(Deno.readFileSync(`${debianGuests}/busybox`), init),
  commandLine: "console=ttyS0 quiet",
  memory: "256M",
  signal: AbortSignal.timeout(LIMIT),
  ...more,
});

Deno.test(
  needsStockKernel("Linux boots with 2 vCPUs to a shell that answers, and powers off"),
  async () => {
    await using guest = await pc(options({ cpus: 2 }));
    const { machine } = guest;
    const run = async (command: string): Promise<string> => {
      await machine.serial[0]!.send(`${command}\n`);
      await guest.until(`${command}\r\n`);
      return (await guest.until(PROMPT)).slice(0, -PROMPT.length);
    };
    await guest.until(PROMPT);

    const cpuinfo = await run("grep -c '^processor' /proc/cpuinfo");
    assertEquals(cpuinfo.trim(), "2");
    const total = Number(/\d+/.exec(await run("grep MemTotal /proc/meminfo"))![0]) * 1024;
    assert(total > 180 << 20 && total < 256 << 20, `${total} bytes of memory`);
    const seconds = Number(await run("date +%s"));
    assert(Math.abs(seconds - Date.now() / 1000) < 60, `the guest's clock says ${seconds}`);
    assertEquals(await run("dmesg | grep -iE 'ACPI.*(error|warning|exception)'"), "");
    assertMatch(
      await run("dmesg | grep ttyS0"),
      /ttyS0 at I\/O 0x3f8 \(irq = 4, base_baud = 115200\) is a 16550A/,
    );
    assertMatch(await run("grep ttyS0 /proc/interrupts"), /IO-APIC +4-edge +ttyS0/);

    await machine.serial[0]!.send("poweroff -f\n");
    assertEquals(await machine.finished, { reason: "powerOff" });
  },
);

for (const protocol of ["linux", "elf", "pvh"] as const) {
  const image = protocol === "linux" ? "bzImage, and again after its reset," : "ELF image";
  Deno.test(
    needsStockKernel(`Linux boots with 1 vCPU from its ${image} by ${protocol}`),
    async () => {
      const kernel = protocol === "linux" ? vmlinuz() : await vmlinux();
      await using guest = await pc(options({ kernel, protocol }));
      await guest.until(PROMPT);
      if (protocol === "linux") {
        await guest.machine.serial[0]!.send("reboot -f\n");
        await guest.until(PROMPT);
      }
      await guest.machine.serial[0]!.send("poweroff -f\n");
      assertEquals(await guest.machine.finished, { reason: "powerOff" });
    },
  );
}

Deno.test(needsStockKernel("Linux can be killed while it boots"), async () => {
  const aborter = new AbortController();
  const commandLine = "console=ttyS0 earlyprintk=serial";
  await using guest = await pc(options({ commandLine, cpus: 2, signal: aborter.signal }));
  await guest.until("Linux version");
  aborter.abort(new Error("killed"));
  await assertRejects(() => guest.machine.finished, Error, "killed");
});

Deno.test(
  needing(
    "the guests of KVM_TEST_GUESTS, and a KVM that interprets level 0",
    debianGuests !== undefined && interpretsLevel0(),
    "where KVM can't run a stock kernel, the machine ends with a report of why",
  ),
  async () => {
    // Out of its bzImage: to unpack itself would take it minutes.
    const kernel = await vmlinux();
    await using guest = await pc(options({ kernel, cpus: 2 }));
    const error = await assertRejects(() => guest.machine.finished, GuestCrash);
    assertMatch(error.message, /vCPU 0: (KVM|triple fault)/);
    assertMatch(error.message, /^RIP [0-9a-f]{16}/m);
  },
);
