/**
 * Reads snappy as Kafka uses it: the raw block format (google/snappy format_description.txt), alone or in the framing of
 * xerial's snappy-java, which Java's producer and librdkafka write.
 */
import { StreamsError } from "../errors.ts";

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version, lowest compatible version. */
const XERIAL_HEADER_BYTES = 16;

export function decompressSnappy(input: Buffer): Buffer {
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decompressBlock(input);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < input.length; ) {
    if (at + 4 > input.length) throw corrupt("a block's length is truncated");
    const length = input.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > input.length) throw corrupt("a block is truncated");
    blocks.push(decompressBlock(input.subarray(at, at + length)));
    at += length;
  }
  return Buffer.concat(blocks);
}

function decompressBlock(input: Buffer): Buffer {
  let at = 0;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw corrupt("the input ends too early");
    return byte;
  };
  const little = (bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += next() * 2 ** (8 * i);
    return value;
  };

  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = next();
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
    if (shift >= 28) throw corrupt("the length is invalid");
  }
  // A block grows at most 64 bytes for 3 read; more is a lie that would cost the memory.
  if (length > 64 * input.length) throw corrupt("the length is more than the input can hold");

  const output = Buffer.allocUnsafe(length);
  let written = 0;
  while (at < input.length) {
    const tag = next();
    const kind = tag & 3;
    if (kind === 0) {
      const code = tag >> 2;
      const size = (code < 60 ? code : little(code - 59)) + 1;
      if (at + size > input.length || written + size > length) throw corrupt("a literal is too long");
      input.copy(output, written, at, at + size);
      at += size;
      written += size;
    } else {
      const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      const offset = kind === 1 ? (tag >> 5) * 256 + next() : little(kind === 2 ? 2 : 4);
      if (offset === 0 || offset > written || written + size > length)
        throw corrupt("a copy points outside the output");
      copyWithin(output, written, offset, size);
      written += size;
    }
  }
  if (written !== length) throw corrupt("the output is shorter than declared");
  return output;
}

/** Copies from `offset` back; the two may overlap, which repeats what was just written. */
export function copyWithin(output: Buffer, at: number, offset: number, size: number): void {
  if (offset >= size) {
    output.copyWithin(at, at - offset, at - offset + size);
    return;
  }
  for (let i = 0; i < size; i++) output[at + i] = output[at + i - offset] ?? 0;
}

function corrupt(what: string): StreamsError {
  return new StreamsError("STREAMS_CODEC", `A record batch compressed with snappy is corrupt: ${what}.`);
}
