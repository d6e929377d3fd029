import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

/** The records of a batch that kcat (librdkafka) sent to Apache Kafka 4.3.1, as Kafka stored it. */
const golden = (codec: string) =>
  readFile(new URL(`../../test-support/golden/librdkafka.${codec}`, import.meta.url));

const lines = Array.from({ length: 39 }, (_, i) =>
  JSON.stringify({
    timestamp: `2026-01-01T00:00:${String(i + 1).padStart(2, "0")}Z`,
    device_id: "machine-01",
    temperature: (i + 1) / 4,
  }),
);

/** How a compressed block tells its content: bytes as they are, or a copy of what came before. */
type Part = { readonly bytes: Buffer } | { readonly back: number; readonly size: number };

/** What the parts mean. A copy may reach into what it writes itself. */
function meaning(parts: readonly Part[]): Buffer {
  const output: number[] = [];
  for (const part of parts) {
    if ("bytes" in part) output.push(...part.bytes);
    else for (let i = 0; i < part.size; i++) output.push(output.at(-part.back) ?? 0);
  }
  return Buffer.from(output);
}

/** Literal, copy, literal, copy, ..., literal; every copy points into what there is. */
const scripts = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.nat(), fc.integer({ min: 4, max: 64 })),
    { maxLength: 20 },
  )
  .chain((pairs) => fc.tuple(fc.constant(pairs), fc.uint8Array({ minLength: 5, maxLength: 300 })))
  .map(([pairs, end]) => {
    const parts: Part[] = [];
    let written = 0;
    for (const [bytes, where, size] of pairs) {
      written += bytes.length;
      parts.push({ bytes: Buffer.from(bytes) }, { back: (where % written) + 1, size });
      written += size;
    }
    return [...parts, { bytes: Buffer.from(end) }];
  });

function snappyBlock(parts: readonly Part[]): Buffer {
  const output: number[] = [];
  for (let left = meaning(parts).length; ; left >>>= 7) {
    output.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) break;
  }
  for (const part of parts) {
    if ("bytes" in part) {
      const size = part.bytes.length - 1;
      if (size < 60) output.push(size << 2);
      else if (size < 256) output.push(60 << 2, size);
      else output.push(61 << 2, size & 0xff, size >> 8);
      output.push(...part.bytes);
    } else if (part.size <= 11 && part.back < 2_048) {
      output.push(((part.back >> 8) << 5) | ((part.size - 4) << 2) | 1, part.back & 0xff);
    } else output.push(((part.size - 1) << 2) | 2, part.back & 0xff, part.back >> 8);
  }
  return Buffer.from(output);
}

function lz4Block(parts: readonly Part[]): Buffer {
  const output: number[] = [];
  const more = (length: number): number[] => {
    if (length < 15) return [];
    const rest = length - 15;
    return [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255];
  };
  for (let i = 0; i < parts.length; i += 2) {
    const [literal, copy] = [parts[i], parts[i + 1]];
    if (literal === undefined || !("bytes" in literal)) continue;
    const match = copy !== undefined && "back" in copy ? copy : undefined;
    const size = (match?.size ?? 4) - 4;
    output.push((Math.min(15, literal.bytes.length) << 4) | Math.min(15, size));
    output.push(...more(literal.bytes.length), ...literal.bytes);
    if (match !== undefined) output.push(match.back & 0xff, match.back >> 8, ...more(size));
  }
  return Buffer.from(output);
}

function lz4Frame(block: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]),
    size,
    block,
    Buffer.alloc(4),
  ]);
}

function xerial(blocks: readonly Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const sized = blocks.map((block) => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    return Buffer.concat([size, block]);
  });
  return Buffer.concat([header, ...sized]);
}

describe("compressed batches", () => {
  test("of librdkafka are read", async () => {
    const read = {
      snappy: decompressSnappy(await golden("snappy")),
      lz4: decompressLz4(await golden("lz4")),
      zstd: await promisify(zlib.zstdDecompress)(await golden("zstd")),
    };
    for (const bytes of Object.values(read)) {
      let at = 0;
      for (const line of lines) {
        at = bytes.indexOf(line, at);
        expect(at).toBeGreaterThan(0);
      }
      expect(bytes.length).toBe(read.zstd.length);
    }
  });

  test("any snappy block is read, alone and in xerial's framing", () => {
    fc.assert(
      fc.property(scripts, scripts, (one, other) => {
        expect(decompressSnappy(snappyBlock(one))).toEqual(meaning(one));
        const framed = xerial([snappyBlock(one), snappyBlock(other)]);
        expect(decompressSnappy(framed)).toEqual(Buffer.concat([meaning(one), meaning(other)]));
      }),
      { numRuns: 500 },
    );
  });

  test("any lz4 block is read", () => {
    fc.assert(
      fc.property(scripts, (parts) => {
        expect(decompressLz4(lz4Frame(lz4Block(parts)))).toEqual(meaning(parts));
      }),
      { numRuns: 500 },
    );
  });

  test("garbage is refused with a typed error, and costs no memory", () => {
    const refused = (read: () => Buffer): void => {
      try {
        read();
      } catch (error) {
        expect(error).toMatchObject({ code: "STREAMS_CODEC" });
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), scripts, fc.nat(), (bytes, parts, where) => {
        refused(() => decompressSnappy(Buffer.from(bytes)));
        refused(() => decompressLz4(Buffer.from(bytes)));
        const broken = lz4Frame(lz4Block(parts));
        broken[where % broken.length] = (broken[where % broken.length] ?? 0) ^ 0x55;
        refused(() => decompressLz4(broken));
        refused(() => decompressSnappy(snappyBlock(parts).subarray(0, where % 50)));
      }),
      { numRuns: 500 },
    );
    expect(() => decompressSnappy(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]))).toThrow(
      /more than the input can hold/,
    );
  });
});
