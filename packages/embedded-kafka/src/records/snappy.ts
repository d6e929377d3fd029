/**
 * Decoder of Snappy: https://github.com/google/snappy/blob/main/format_description.txt, bare or in the frames of
 * xerial's Java library, which the Java client and kafkajs write.
 */
import { DecodeError } from "../protocol/decode-error.ts";

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
/** Magic, version and compatible version. */
const XERIAL_HEADER_BYTES = 16;

export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decompressBlock(bytes, maxBytes);
  const blocks: Buffer[] = [];
  let total = 0;
  let at = XERIAL_HEADER_BYTES;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new DecodeError("snappy frame is cut", at);
    const length = bytes.readInt32BE(at);
    if (length < 0 || length > bytes.length - at - 4)
      throw new DecodeError(`snappy block of ${length} bytes`, at);
    const block = decompressBlock(bytes.subarray(at + 4, at + 4 + length), maxBytes - total);
    blocks.push(block);
    total += block.length;
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

function decompressBlock(bytes: Buffer, maxBytes: number): Buffer {
  let at = 0;
  const byte = (): number => {
    const value = bytes[at];
    if (value === undefined) throw new DecodeError("snappy block is cut", at);
    at += 1;
    return value;
  };
  const little = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += byte() * 256 ** i;
    return value;
  };
  const size = blockSize(byte);
  if (size > maxBytes) throw new DecodeError(`snappy block of ${size} bytes, ${maxBytes} allowed`, at);
  const out = Buffer.alloc(size);
  let written = 0;
  const copy = (distance: number, length: number): void => {
    if (distance === 0 || distance > written || written + length > size) {
      throw new DecodeError(`snappy copy of ${length} bytes from ${distance} back`, at);
    }
    copyBack(out, written, distance, length);
    written += length;
  };
  while (at < bytes.length) {
    const tag = byte();
    switch (tag & 3) {
      case 0: {
        const length = (tag >> 2 < 60 ? tag >> 2 : little((tag >> 2) - 59)) + 1;
        if (written + length > size || at + length > bytes.length)
          throw new DecodeError("snappy literal", at);
        bytes.copy(out, written, at, at + length);
        at += length;
        written += length;
        break;
      }
      case 1:
        copy(((tag >> 5) << 8) | byte(), ((tag >> 2) & 7) + 4);
        break;
      case 2:
        copy(little(2), (tag >> 2) + 1);
        break;
      default:
        copy(little(4), (tag >> 2) + 1);
    }
  }
  if (written !== size) throw new DecodeError(`snappy block gave ${written} of ${size} bytes`, at);
  return out;
}

/** The decompressed size, a variable-length integer of at most 32 bits. */
function blockSize(byte: () => number): number {
  let size = 0;
  for (let group = 0; group < 5; group++) {
    const value = byte();
    size += (value & 0x7f) * 2 ** (7 * group);
    if (value < 0x80) return size;
  }
  throw new DecodeError("snappy size of more than 5 bytes", 5);
}

/** Copies what was written before; source and target may overlap, which repeats the pattern. */
export function copyBack(out: Buffer, written: number, distance: number, length: number): void {
  if (distance >= length) {
    out.copy(out, written, written - distance, written - distance + length);
    return;
  }
  for (let i = 0; i < length; i++) out[written + i] = out[written + i - distance] ?? 0;
}
