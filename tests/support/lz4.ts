/**
 * LZ4's legacy frames, which the kernel's build makes (lz4_Frame_format.md, "Legacy frame").
 *
 * @module
 */

const MAGIC_BYTES = 4;
/** What a block of the legacy format unpacks to, at most. */
const BLOCK = 8 << 20;
const MIN_MATCH = 4;

/** Unpacks all blocks. */
export function unpackLz4Legacy(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const blocks: Uint8Array[] = [];
  for (let at = MAGIC_BYTES; at + 4 <= packed.length;) {
    const length = view.getUint32(at, true);
    at += 4;
    blocks.push(unpackBlock(packed.subarray(at, at + length)));
    at += length;
  }
  const result = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const block of blocks) {
    result.set(block, end);
    end += block.length;
  }
  return result;
}

/** Sequences of literals and matches (lz4_Block_format.md). */
function unpackBlock(packed: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK);
  let at = 0;
  let end = 0;
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble === 15) {
      for (let byte = 255; byte === 255;) sum += byte = packed[at++]!;
    }
    return sum;
  };
  while (at < packed.length) {
    const token = packed[at++]!;
    const literals = length(token >> 4);
    result.set(packed.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at >= packed.length) break;
    const offset = packed[at]! | packed[at + 1]! << 8;
    at += 2;
    const count = length(token & 15) + MIN_MATCH;
    // A match may overlap what it makes: byte by byte.
    for (let left = count; left > 0; left--, end++) result[end] = result[end - offset]!;
  }
  return result.subarray(0, end);
}
