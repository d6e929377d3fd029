/** The records inside a batch: https://kafka.apache.org/documentation/#record */
import { Reader } from "../protocol/reader.ts";
import { Writer } from "../protocol/writer.ts";
import { HEADER_BYTES, readHeader } from "./batch.ts";
import { decompress } from "./compression.ts";
import { crc32c } from "./crc32c.ts";

/** A name and some bytes that go along with a record; names may repeat, and their order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** One record as a consumer sees it. */
export interface StoredRecord {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/**
 * The records of a batch, in order, decompressed.
 *
 * @throws DecodeError where the records are not what the header says.
 */
export function* readRecords(batch: Buffer): Generator<StoredRecord> {
  const header = readHeader(batch);
  const reader = new Reader(decompress(header.codec, batch.subarray(HEADER_BYTES)));
  for (let i = 0; i < header.count; i++) {
    const record = reader.nested(reader.varint());
    record.int8();
    const timestampDelta = record.varlong();
    const offset = header.baseOffset + record.varint();
    const key = nullableBytes(record);
    const value = nullableBytes(record);
    const headers = readRecordHeaders(record);
    record.expectEnd();
    const timestampMs = header.logAppendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
    yield { offset, timestampMs, key, value, headers };
  }
  reader.expectEnd();
}

function nullableBytes(reader: Reader): Buffer | null {
  const length = reader.varint();
  return length === -1 ? null : reader.slice(length);
}

function readRecordHeaders(reader: Reader): RecordHeader[] {
  const count = reader.varint();
  if (count < 0 || count * 2 > reader.remaining) throw reader.error(`${count} record headers`);
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    headers.push({ key: reader.utf8(reader.varint()), value: nullableBytes(reader) });
  }
  return headers;
}

/** A record to be written: what is left out is null, empty, or the batch's base timestamp. */
export interface NewRecord {
  readonly timestampMs?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly RecordHeader[];
}

export interface NewBatch {
  readonly records: readonly NewRecord[];
  readonly baseTimestampMs: number;
  readonly baseOffset?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** Codec in bits 0 to 2, and the other bits of the attributes. */
  readonly attributes?: number;
  /** Compresses the records where the attributes name a codec. */
  readonly compress?: (records: Buffer) => Buffer;
}

/** Builds a batch of format 2: for tests, and for the markers that end a transaction. */
export function buildBatch(batch: NewBatch): Buffer {
  const plain = new Writer();
  let maxTimestampMs = batch.baseTimestampMs;
  batch.records.forEach((record, index) => {
    const timestampMs = record.timestampMs ?? batch.baseTimestampMs;
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs);
    const body = recordBody(record, timestampMs - batch.baseTimestampMs, index);
    plain.varint(body.length);
    plain.bytes(body);
  });
  const records = batch.compress === undefined ? plain.concat() : batch.compress(plain.concat());
  const writer = new Writer(HEADER_BYTES);
  writer.int64(batch.baseOffset ?? 0);
  writer.int32(HEADER_BYTES - 12 + records.length);
  writer.int32(-1);
  writer.int8(2);
  writer.uint32(0);
  writer.int16(batch.attributes ?? 0);
  writer.int32(batch.records.length - 1);
  writer.int64(batch.baseTimestampMs);
  writer.int64(maxTimestampMs);
  writer.int64(batch.producerId ?? -1);
  writer.int16(batch.producerEpoch ?? -1);
  writer.int32(batch.baseSequence ?? -1);
  writer.int32(batch.records.length);
  const whole = Buffer.concat([writer.concat(), records]);
  whole.writeUInt32BE(crc32c(whole, 21), 17);
  return whole;
}

function recordBody(record: NewRecord, timestampDelta: number, offsetDelta: number): Buffer {
  const body = new Writer();
  body.int8(0);
  body.varlong(timestampDelta);
  body.varint(offsetDelta);
  writeNullable(body, record.key ?? null);
  writeNullable(body, record.value ?? null);
  const headers = record.headers ?? [];
  body.varint(headers.length);
  for (const header of headers) {
    writeNullable(body, Buffer.from(header.key));
    writeNullable(body, header.value);
  }
  return body.concat();
}

function writeNullable(writer: Writer, value: Buffer | null): void {
  writer.varint(value === null ? -1 : value.length);
  if (value !== null) writer.bytes(value);
}
