/**
 * Options that fingers know from QEMU.
 *
 * @module
 */

const DISK = "there are no disks yet, a kernel boots from --initrd";
const NETWORK = "there is no network yet";
const DISPLAY = "there is no display, the console is this terminal";
const FIRMWARE = "no firmware runs, kernels are loaded directly";
const MACHINE = "there is one kind of machine, a PC without PCI";
const ALWAYS_KVM = "not needed, every machine runs on KVM";
const DEBUGGER = "there is no debugger yet";
const MONITOR = "there is no monitor, Ctrl-A h shows what the console can do";

/** What to do here instead, by what stands behind QEMU's hyphen. */
const instead: Readonly<Record<string, string>> = {
  "nographic": "not needed, the console is this terminal anyway",
  "enable-kvm": ALWAYS_KVM,
  "accel": ALWAYS_KVM,
  "machine": MACHINE,
  "M": MACHINE,
  "hda": DISK,
  "hdb": DISK,
  "cdrom": DISK,
  "drive": DISK,
  "blockdev": DISK,
  "net": NETWORK,
  "netdev": NETWORK,
  "nic": NETWORK,
  "display": DISPLAY,
  "vga": DISPLAY,
  "vnc": DISPLAY,
  "bios": FIRMWARE,
  "pflash": FIRMWARE,
  "boot": FIRMWARE,
  "s": DEBUGGER,
  "S": DEBUGGER,
  "gdb": DEBUGGER,
  "monitor": MONITOR,
  "qmp": MONITOR,
  "device": "the devices are a PC's, none can be added here",
  "chardev": "name a file or a terminal with --serial or --debugcon",
  "daemonize": "leave the terminal with --serial, and this to the shell",
};

/** Options that have another name here. */
export const renamed: Readonly<Record<string, string>> = { fw_cfg: "fw-cfg", smp: "cpus" };

/**
 * What is wrong with an argument, if it is one of QEMU's, or of its kind: a word behind one hyphen.
 * To others, that is a letter for each option, and "-machine" memory of "achine".
 */
export function complainOfQemu(arg: string, names: readonly string[]): string | undefined {
  const [, hyphens = "", name = ""] = /^(--?)([A-Za-z][\w-]*)(?:=.*)?$/s.exec(arg) ?? [];
  const long = renamed[name] ?? name;
  if (hyphens === "-" && name.length > 1 && names.includes(long)) {
    return `Write two hyphens: --${long} for ${arg}`;
  }
  const hint = Object.hasOwn(instead, name) ? instead[name] : undefined;
  if (hint !== undefined) return `Unknown option '${hyphens}${name}': ${hint}`;
  const isWord = hyphens === "-" && name.length > 1 && !/^[qh]*(?:m\d.*)?$/.test(name);
  return isWord ? `Unknown option '-${name}'` : undefined;
}
