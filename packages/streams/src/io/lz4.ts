/**
 * Reads LZ4 frames (lz4 repository: doc/lz4_Frame_format.md and lz4_Block_format.md), which Kafka uses since message
 * format 1. Checksums are not verified: Kafka's own CRC-32C covers the compressed bytes.
 */
import { StreamsError } from "../errors.ts";
import { copyWithin } from "./snappy.ts";

const MAGIC = 0x184d2204;
const BLOCK_BYTES_MAX = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304];

export function decompressLz4(input: Buffer): Buffer {
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw corrupt("it is not an LZ4 frame");
  const flags = input.readUInt8(4);
  const blockBytesMax = BLOCK_BYTES_MAX[(input.readUInt8(5) >> 4) & 7] ?? 0;
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  let at = 6 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1;

  let output = Buffer.allocUnsafe(Math.max(256, input.length * 4));
  let written = 0;
  for (;;) {
    if (at + 4 > input.length) throw corrupt("a block's size is truncated");
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (at + size > input.length) throw corrupt("a block is truncated");
    if (output.length < written + blockBytesMax) {
      const larger = Buffer.allocUnsafe(Math.max(output.length * 2, written + blockBytesMax));
      output.copy(larger, 0, 0, written);
      output = larger;
    }
    const block = input.subarray(at, at + size);
    const isStored = word >= 0x80000000;
    if (isStored && size > blockBytesMax) throw corrupt("a block is larger than the frame allows");
    written = isStored ? written + block.copy(output, written) : decompressBlock(block, output, written);
    at += size + (hasBlockChecksum ? 4 : 0);
  }
  return output.subarray(0, written);
}

function decompressBlock(input: Buffer, output: Buffer, start: number): number {
  let at = 0;
  let written = start;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw corrupt("a block ends too early");
    return byte;
  };
  const longer = (length: number): number => {
    if (length !== 15) return length;
    let total = length;
    for (;;) {
      const byte = next();
      total += byte;
      if (byte !== 255) return total;
    }
  };
  while (at < input.length) {
    const token = next();
    const literals = longer(token >> 4);
    if (at + literals > input.length || written + literals > output.length)
      throw corrupt("a literal is too long");
    input.copy(output, written, at, at + literals);
    at += literals;
    written += literals;
    // The last sequence of a block has literals alone.
    if (at >= input.length) break;
    const offset = next() + 256 * next();
    const size = longer(token & 15) + 4;
    if (offset === 0 || offset > written || written + size > output.length)
      throw corrupt("a copy points outside the output");
    copyWithin(output, written, offset, size);
    written += size;
  }
  return written;
}

function corrupt(what: string): StreamsError {
  return new StreamsError("STREAMS_CODEC", `A record batch compressed with lz4 is corrupt: ${what}.`);
}
