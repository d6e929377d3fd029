/** Batches from which compaction has taken records: header, offsets and the records that stay are as they were. */
import { Reader } from "../protocol/reader.ts";
import { Writer } from "../protocol/writer.ts";
import { batchLike, HEADER_BYTES, readHeader } from "./batch.ts";
import { decompress, recompress } from "./compression.ts";

const PLAIN = 0;
const NO_TIMESTAMP = -1;

/** A record of which only what compaction asks about is decoded. */
export interface RawRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  /** A tombstone: it says that there is no value for the key any more. */
  readonly isTombstone: boolean;
  readonly timestampDelta: number;
  /** What follows the timestamp, from the offset to the headers. */
  readonly rest: Buffer;
}

/** @throws DecodeError where the records are not what the header says. */
export function readRawRecords(batch: Buffer): RawRecord[] {
  const { codec, count, baseOffset } = readHeader(batch);
  const plain = decompress(codec, batch.subarray(HEADER_BYTES));
  const reader = new Reader(plain);
  const records: RawRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = reader.nested(reader.varint());
    record.int8();
    const timestampDelta = record.varlong();
    const rest = plain.subarray(record.position, record.position + record.remaining);
    const offset = baseOffset + record.varint();
    const keyBytes = record.varint();
    const key = keyBytes === -1 ? null : record.slice(keyBytes);
    records.push({ offset, key, isTombstone: record.varint() === -1, timestampDelta, rest });
  }
  reader.expectEnd();
  return records;
}

/** A batch with some of its records. With a delete horizon, that is the base of their times (KIP-534). */
export function rebuildBatch(
  batch: Buffer,
  records: readonly RawRecord[],
  deleteHorizonMs: number | null,
): Buffer {
  const header = readHeader(batch);
  const baseTimestamp = deleteHorizonMs ?? header.baseTimestamp;
  const plain = new Writer();
  let newest = NO_TIMESTAMP;
  for (const { timestampDelta, rest } of records) {
    const timestampMs = header.baseTimestamp + timestampDelta;
    newest = Math.max(newest, timestampMs);
    const start = new Writer(16);
    start.int8(0);
    start.varlong(timestampMs - baseTimestamp);
    plain.varint(start.length + rest.length);
    plain.bytes(start.concat());
    plain.bytes(rest);
  }
  const { codec, bytes } = recompress(header.codec, plain.concat());
  return batchLike(batch, bytes, {
    codec,
    count: records.length,
    baseTimestamp,
    maxTimestamp: header.logAppendTime ? header.maxTimestamp : newest,
    hasDeleteHorizon: deleteHorizonMs !== null,
  });
}

/** A batch without records: it keeps the place of its producer's last sequence. */
export function emptyBatch(batch: Buffer): Buffer {
  return batchLike(batch, Buffer.alloc(0), {
    codec: PLAIN,
    count: 0,
    baseTimestamp: NO_TIMESTAMP,
    maxTimestamp: NO_TIMESTAMP,
    hasDeleteHorizon: false,
  });
}
