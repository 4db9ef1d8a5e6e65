/**
 * The ELF image within a bzImage.
 *
 * @module
 */

import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { unpackLz4Legacy } from "./lz4.ts";

// Offsets in the setup header (Linux, Documentation/arch/x86/boot.rst).
const SETUP_SECTS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** What the kernel's build appends to the payload: its size. */
const SIZE_BYTES = 4;

type Unpack = (packed: Uint8Array) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

/** By what the payload begins with, in hexadecimal. */
const formats: Readonly<Record<string, Unpack>> = {
  "fd377a585a": unpackXz,
  "1f8b08": (packed) => Uint8Array.from(gunzipSync(packed)),
  "28b52ffd": (packed) => Uint8Array.from(zstdDecompressSync(packed)),
  "02214c18": unpackLz4Legacy,
};

/** Unpacks it, by whatever it is compressed with. */
export async function extractVmlinux(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = ((view.getUint8(SETUP_SECTS) || 4) + 1) * SECTOR +
    view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true) - SIZE_BYTES;
  const payload = image.slice(start, start + length);
  const head = payload.subarray(0, 5).toHex();
  const unpack = Object.entries(formats).find(([magic]) => head.startsWith(magic))?.[1];
  if (unpack === undefined) throw new Error(`a kernel compressed in another way: ${head}`);
  return await unpack(payload);
}

/** The runtime has no XZ. */
async function unpackXz(packed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const process = new Deno.Command("xz", {
    args: ["-dc"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // It may end before it has read what lies behind its data.
  const written = writer.write(packed).then(() => writer.close()).catch(() => {});
  const { stdout, stderr } = await process.output();
  await written;
  if (stdout.length > 0) return stdout;
  throw new Error(`xz unpacked nothing: ${new TextDecoder().decode(stderr)}`);
}
