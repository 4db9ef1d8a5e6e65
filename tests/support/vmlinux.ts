/**
 * The ELF image within a bzImage.
 *
 * @module
 */

import { unpackLz4Legacy } from "./lz4.ts";

// Offsets in the setup header (Linux, Documentation/arch/x86/boot.rst).
const SETUP_SECTS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** What the kernel's build appends to the payload: its size. */
const SIZE_BYTES = 4;

const LZ4 = "lz4";

const magics: Readonly<Record<string, string>> = {
  "fd377a585a": "xz",
  "1f8b08": "gzip",
  "28b52ffd": "zstd",
  "02214c18": LZ4,
};

/** Unpacks it, by the tool that its compression wants. */
export async function extractVmlinux(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = ((view.getUint8(SETUP_SECTS) || 4) + 1) * SECTOR +
    view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true) - SIZE_BYTES;
  const payload = image.slice(start, start + length);
  const head = payload.subarray(0, 5).toHex();
  const tool = Object.entries(magics).find(([magic]) => head.startsWith(magic))?.[1];
  if (tool === undefined) throw new Error(`a kernel compressed in another way: ${head}`);
  if (tool === LZ4) return unpackLz4Legacy(payload);
  const process = new Deno.Command(tool, {
    args: ["-dc"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // It may end before it has read what lies behind its data.
  const written = writer.write(payload).then(() => writer.close()).catch(() => {});
  const { stdout, stderr } = await process.output();
  await written;
  if (stdout.length > 0) return stdout;
  throw new Error(`${tool} unpacked nothing: ${new TextDecoder().decode(stderr)}`);
}
