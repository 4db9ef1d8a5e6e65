/**
 * `kvm run`: boots a kernel in a machine.
 *
 * @module
 */

import { type Command, Status } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { parseRun } from "./options.ts";
import { runMachine } from "./start.ts";
import { RunStatus } from "./status.ts";

const help = `Boots a kernel in a virtual machine, with this terminal as its first serial port.

Usage: kvm run [OPTION...] KERNEL

KERNEL, or --kernel FILE, is a bzImage (vmlinuz), an ELF or Multiboot image, a boot sector, or a
piece of NASM source (.asm). Flat code of other kinds needs --protocol.

What is started:
  --initrd FILE            the initial ramdisk
  --append TEXT            the kernel's command line
  --module FILE[=TEXT]     a Multiboot or PVH module with its own command line; repeatable
  --protocol NAME          linux, elf, pvh, multiboot, flat16, flat32 or flat64; by default what
                           the image looks like, and flat64 for source but for boot sectors
  --load-address ADDRESS   where a flat or relocatable image goes
  --entry ADDRESS          where a flat or ELF image begins

The machine:
  -m, --memory SIZE        RAM, such as 512M or 2G and more than 1M; a bare number is MiB; 256 by
                           default
  --cpus N, --smp N        vCPUs; 1 by default
  --cpu MODEL              host or baseline, and features: host,-avx512f,+x2apic
  --fw-cfg NAME=FILE       a file that the guest finds through fw_cfg; repeatable

Its consoles:
  --serial TARGET          COM1, and repeated COM2 to COM4; stdio for COM1 by default
  --debugcon TARGET        ports 0xe9 and 0x402; none by default
TARGET is stdio, none, file:PATH, or pty, whose path is told on standard error. A file is emptied
when the machine starts. A named pipe waits for who reads it, before the machine starts.

How it ends:
  --no-reboot              a reset ends the machine
  --triple-fault WHAT      error (the default), or reset as on a PC
  --timeout SECONDS        ends the machine after that time
HLT ends nothing: it waits for an interrupt, for ever where none is enabled. Code of one's own ends
with an OUT to port 0xf4, or of the word 0x2000 to 0x604. There is no BIOS behind INT:
a boot sector that wants one ends as a crash.

And:
  --boot-timer             tell when the guest writes to the boot timer
  -q, --quiet              tell nothing that is not asked for, and is not wrong
  -h, --help               show this

On a terminal all keys are the guest's, Ctrl-C too. Ctrl-A x ends the machine; Ctrl-A h shows what
else there is. Input from elsewhere reaches the guest as it is, and its end ends nothing.

Exit status:
  0        the guest switched itself off, or --no-reboot; or Ctrl-A x; or nobody reads its output
           any more, as with kvm run ... | head
  CODE     the guest wrote CODE to port 0xf4; of it, the low 8 bits
  124      --timeout is over
  125      wrong arguments, a file or KVM that can't be used: the machine did not start or go on
  126      the guest crashed: a triple fault, or an instruction that KVM can't emulate; standard
           error has its registers
  128 + N  signal N, such as 130 for Ctrl-C where input is no terminal
A guest that wants to be understood keeps to 0 to 123.

Needs --allow-ffi and --allow-read; --allow-write for file:PATH, --allow-run=nasm for source; and
access to /dev/kvm.

Examples:
  kvm run vmlinuz --initrd initrd.img --append console=ttyS0 -m 512 --cpus 2
  kvm run kernel.elf --serial file:boot.log --timeout 60 --no-reboot
  kvm run boot-sector.asm
  echo hello | kvm run --quiet echo.bin --protocol flat64
`;

/** `kvm run`. */
export const run: Command = {
  summary: "boot a kernel in a virtual machine",
  help,
  failed: RunStatus.FAILED,
  async run(args: readonly string[], out: Terminal, err: Terminal): Promise<number> {
    const options = parseRun(args);
    if (options === undefined) {
      out.write(help);
      return Status.OK;
    }
    return await runMachine(options, err);
  },
};
