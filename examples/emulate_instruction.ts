/**
 * Steps over an instruction that the host's KVM can't emulate, by doing what it would have done.
 *
 * Where a processor's own virtualization runs the guest, the hook is never called; a KVM that
 * interprets privileged code lacks POPCNT, for one, and asks. Either way the guest prints 4.
 *
 * `deno run --allow-ffi examples/emulate_instruction.ts`
 */

import { type InternalErrorAnswer, type InternalErrorEvent, Machine } from "../src/machine/mod.ts";

/** mov ebx, 0x1248; popcnt eax, ebx; add al, '0'; out to COM1; mov al, 0; out to the debug exit */
const kernel = Uint8Array.of(
  ...[0xbb, 0x48, 0x12, 0x00, 0x00],
  ...[0xf3, 0x0f, 0xb8, 0xc3],
  ...[0x04, 0x30, 0x66, 0xba, 0xf8, 0x03, 0xee],
  ...[0xb0, 0x00, 0xe6, 0xf4, 0xeb, 0xfe],
);

const names = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] as const;

/** POPCNT between 32-bit registers (SDM volume 2, "POPCNT"): F3 0F B8 /r. */
function emulatePopcnt({ vcpu, exit }: InternalErrorEvent): InternalErrorAnswer {
  const [prefix, escape, opcode, modrm = 0] = exit.instruction ?? [];
  if (prefix !== 0xf3 || escape !== 0x0f || opcode !== 0xb8 || modrm < 0xc0) return "stop";
  const regs = vcpu.getRegs();
  const source = BigInt.asUintN(32, regs[names[modrm & 7]!]);
  const count = [...source.toString(2)].filter((bit) => bit === "1").length;
  regs[names[modrm >> 3 & 7]!] = BigInt(count);
  regs.rip += 4n;
  vcpu.setRegs(regs);
  return "resume";
}

await using machine = await Machine.boot({
  kernel,
  protocol: "flat64",
  memory: "2M",
  console: { output: (bytes) => void Deno.stdout.writeSync(bytes) },
  onInternalError(event) {
    console.log(`KVM does not know ${event.exit.instruction?.toHex()}`);
    return emulatePopcnt(event);
  },
});
await machine.finished;
console.log();
