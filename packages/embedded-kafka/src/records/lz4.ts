/** Decoder of LZ4 frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. Checksums are not verified. */
import { DecodeError } from "../protocol/decode-error.ts";
import { copyBack } from "./snappy.ts";

const MAGIC = 0x184d_2204;
const UNCOMPRESSED = 0x8000_0000;
/** Block sizes by their number in the frame header, 4 to 7. */
const BLOCK_BYTES = [0, 0, 0, 0, 1 << 16, 1 << 18, 1 << 20, 1 << 22];

export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new DecodeError("not an LZ4 frame", 0);
  const flags = bytes.readUInt8(4);
  const blockBytes = BLOCK_BYTES[(bytes.readUInt8(5) >> 4) & 7] ?? 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  let out = Buffer.alloc(Math.min(maxBytes, Math.max(blockBytes, bytes.length * 4)));
  let written = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new DecodeError("LZ4 frame is cut", at);
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) return out.subarray(0, written);
    const length = size % UNCOMPRESSED;
    if (at + length > bytes.length) throw new DecodeError(`LZ4 block of ${length} bytes`, at);
    const needed = written + Math.max(blockBytes, size >= UNCOMPRESSED ? length : 0);
    if (needed > out.length && out.length < maxBytes) {
      const grown = Buffer.alloc(Math.min(maxBytes, Math.max(needed, out.length * 2)));
      out.copy(grown, 0, 0, written);
      out = grown;
    }
    const block = bytes.subarray(at, at + length);
    written = size >= UNCOMPRESSED ? copyBlock(block, out, written) : decodeBlock(block, out, written);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
}

function copyBlock(block: Buffer, out: Buffer, written: number): number {
  if (written + block.length > out.length) throw new DecodeError("LZ4 frame is larger than allowed", written);
  block.copy(out, written);
  return written + block.length;
}

function decodeBlock(block: Buffer, out: Buffer, from: number): number {
  let at = 0;
  let written = from;
  const byte = (): number => {
    const value = block[at];
    if (value === undefined) throw new DecodeError("LZ4 block is cut", at);
    at += 1;
    return value;
  };
  const longer = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let more: number;
      do {
        more = byte();
        length += more;
      } while (more === 255);
    }
    return length;
  };
  while (at < block.length) {
    const token = byte();
    const literals = longer(token >> 4);
    if (at + literals > block.length || written + literals > out.length) {
      throw new DecodeError(`LZ4 literal of ${literals} bytes`, at);
    }
    block.copy(out, written, at, at + literals);
    at += literals;
    written += literals;
    if (at === block.length) break;
    const distance = byte() | (byte() << 8);
    const length = longer(token & 15) + 4;
    if (distance === 0 || distance > written || written + length > out.length) {
      throw new DecodeError(`LZ4 match of ${length} bytes from ${distance} back`, at);
    }
    copyBack(out, written, distance, length);
    written += length;
  }
  return written;
}
