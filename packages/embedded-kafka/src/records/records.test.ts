/** Batches and the records in them: Apache Kafka's own bytes, checksums, and what is refused. */
import { readFileSync } from "node:fs";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DecodeError } from "../protocol/decode-error.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { placeBatch, readClientBatch, readHeader, stampAppendTime } from "./batch.ts";
import { crc32c } from "./crc32c.ts";
import { decompressLz4 } from "./lz4.ts";
import { buildBatch, readRecords } from "./record.ts";
import { decompressSnappy } from "./snappy.ts";

/** The same three records by each codec, made by Apache Kafka's own classes: see golden/main.ts. */
const golden: Record<string, string> = JSON.parse(
  readFileSync(new URL("../../golden/batches.json", import.meta.url), "utf8"),
);
const goldenRecords = [
  {
    offset: 40,
    timestampMs: 1_700_000_000_000,
    key: Buffer.from("k"),
    value: Buffer.from("value value value value"),
    headers: [
      { key: "kind", value: Buffer.from("é") },
      { key: "none", value: null },
    ],
  },
  { offset: 41, timestampMs: 1_700_000_000_005, key: null, value: Buffer.from("v2"), headers: [] },
  { offset: 42, timestampMs: 1_700_000_000_003, key: Buffer.from("k3"), value: null, headers: [] },
];

test("the CRC-32C of 123456789 is e3069283", () => {
  expect(crc32c(Buffer.from("123456789")).toString(16)).toBe("e3069283");
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

test("the CRC-32C in steps of sixteen bytes equals the one bit by bit", () => {
  const plain = (bytes: Uint8Array) => {
    let crc = 0xffff_ffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
    }
    return ~crc >>> 0;
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 8 }), (bytes, start) => {
      const from = Math.min(start, bytes.length);
      expect(crc32c(Buffer.from(bytes), from)).toBe(plain(bytes.subarray(from)));
    }),
  );
});

test.each(Object.keys(golden))("a batch of Kafka's with codec %s is accepted and read", (codec) => {
  const bytes = Buffer.from(golden[codec] ?? "", "hex");
  expect(readClientBatch(bytes)).toMatchObject({
    baseOffset: 40,
    lastOffsetDelta: 2,
    count: 3,
    producerId: -1,
  });
  expect([...readRecords(bytes)]).toEqual(goldenRecords);
});

test("an uncompressed batch of ours is Kafka's, byte for byte", () => {
  const bytes = buildBatch({
    baseOffset: 40,
    baseTimestampMs: 1_700_000_000_000,
    records: goldenRecords,
  });
  expect(bytes.toString("hex")).toBe(golden["none"]);
});

const maybeBytes = (maxLength: number) =>
  fc.option<Buffer>(fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes)));
const record = fc.record({
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  key: maybeBytes(8),
  value: maybeBytes(200),
  headers: fc.array(
    fc.record({
      key: fc.string({ unit: "grapheme", maxLength: 5 }),
      value: maybeBytes(5),
    }),
    { maxLength: 3 },
  ),
});
const compressors: readonly [number, (bytes: Buffer) => Buffer][] = [
  [0, (bytes) => bytes],
  [1, (bytes) => zlib.gzipSync(bytes)],
  [4, (bytes) => zlib.zstdCompressSync(bytes)],
];

test("records come back from a batch as they were", () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 10 }),
      fc.constantFrom(...compressors),
      fc.nat({ max: 2 ** 40 }),
      (records, [attributes, compress], baseOffset) => {
        const bytes = buildBatch({ records, baseOffset, baseTimestampMs: 1000, attributes, compress });
        expect("count" in readClientBatch(bytes)).toBe(true);
        expect([...readRecords(bytes)]).toEqual(
          records.map((one, index) => ({ ...one, offset: baseOffset + index })),
        );
      },
    ),
  );
});

const good = () => buildBatch({ records: [{ value: Buffer.from("v") }], baseTimestampMs: 1 });
function changed(change: (bytes: Buffer) => Buffer | undefined, fixCrc = true): Buffer {
  const bytes = good();
  const result = change(bytes) ?? bytes;
  if (fixCrc) result.writeUInt32BE(crc32c(result, 21), 17);
  return result;
}

test.each([
  ["no bytes", Buffer.alloc(0), errorCode.invalidRecord],
  ["an older format", changed((b) => void b.writeInt8(1, 16)), errorCode.invalidRecord],
  ["a length beyond the bytes", changed((b) => void b.writeInt32BE(1000, 8)), errorCode.invalidRecord],
  ["a negative length", changed((b) => void b.writeInt32BE(-20, 8)), errorCode.corruptMessage],
  ["two batches", changed((b) => Buffer.concat([b, good()]), false), errorCode.invalidRecord],
  ["a wrong checksum", changed((b) => void b.writeUInt32BE(1, 17), false), errorCode.corruptMessage],
  ["a changed byte", changed((b) => void b.writeUInt8(0xff, b.length - 1), false), errorCode.corruptMessage],
  ["no records", changed((b) => void b.writeInt32BE(0, 57)), errorCode.invalidRecord],
  ["a count that does not fit", changed((b) => void b.writeInt32BE(2, 57)), errorCode.invalidRecord],
  ["an unknown codec", changed((b) => void b.writeInt16BE(5, 21)), errorCode.unknownServerError],
  ["a control batch", changed((b) => void b.writeInt16BE(0x20, 21)), errorCode.invalidRecord],
])("a client's batch with %s is refused", (_what, bytes, code) => {
  expect(readClientBatch(bytes)).toMatchObject({ errorCode: code });
});

test("placing a batch leaves its checksum right; stamping it makes a new one", () => {
  const bytes = good();
  placeBatch(bytes, 2 ** 40 + 7, 3);
  expect(readClientBatch(bytes)).toMatchObject({ baseOffset: 2 ** 40 + 7, leaderEpoch: 3 });
  stampAppendTime(bytes, 123_456);
  expect(readClientBatch(bytes)).toMatchObject({ logAppendTime: true, maxTimestamp: 123_456 });
  expect([...readRecords(bytes)][0]?.timestampMs).toBe(123_456);
});

test("compressed bytes that are wrong or cut give a decode error", () => {
  for (const codec of ["gzip", "snappy", "lz4", "zstd"]) {
    const bytes = Buffer.from(golden[codec] ?? "", "hex");
    for (let length = 62; length < bytes.length - 1; length++) {
      // A checksum or an end mark that is cut off need not be missed, a record must.
      try {
        expect([...readRecords(bytes.subarray(0, length))]).toEqual(goldenRecords);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  }
});

test("an unknown codec is a decode error when records are read", () => {
  const bytes = good();
  bytes.writeInt16BE(6, 21);
  expect(readHeader(bytes).codec).toBe(6);
  expect(() => [...readRecords(bytes)]).toThrow(DecodeError);
});

test("what swells beyond the limit is refused before it is allocated", () => {
  const snappy = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
  expect(() => decompressSnappy(snappy, 1000)).toThrow(DecodeError);
  // Literals, then a match that repeats one byte for ever.
  const block = Buffer.concat([
    Buffer.from([0x1f, 0x61, 0x01, 0x00]),
    Buffer.alloc(50, 255),
    Buffer.from([0]),
  ]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  const lz4 = Buffer.concat([Buffer.from("04224d18604082", "hex"), size, block, Buffer.alloc(4)]);
  expect(() => decompressLz4(lz4, 1000)).toThrow(DecodeError);
  expect(decompressLz4(lz4, 100_000).length).toBeGreaterThan(12_000);
});

test("any bytes at all give output or a decode error from the decoders", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decompressSnappy, decompressLz4]) {
        const framed = Buffer.concat([
          decode === decompressLz4 ? Buffer.from("04224d18604082", "hex") : Buffer.alloc(0),
          Buffer.from(bytes),
        ]);
        try {
          expect(decode(framed, 10_000).length).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
