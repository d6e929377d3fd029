/**
 * The bytes of Produce 7 and Fetch 4 requests, by hand: a bench of a broker does not share its encoder, and no client
 * library's own work is in the way. https://kafka.apache.org/protocol
 */
import { randomBytes } from "node:crypto";

const PRODUCE = { key: 0, version: 7 };
const FETCH = { key: 1, version: 4 };
const CLIENT_ID = Buffer.from("bench");
/** Of a batch of format 2, before its records. */
const BATCH_HEADER_BYTES = 61;
/** Of a record: length, attributes, deltas, key, value's length, headers; each in its longest form here. */
const RECORD_FRAME_BYTES = 16;

const int8 = (value: number) => Buffer.from([value & 0xff]);
const int16 = (value: number) => fill(2, (b) => b.writeInt16BE(value));
const int32 = (value: number) => fill(4, (b) => b.writeInt32BE(value));
const int64 = (value: number) => fill(8, (b) => b.writeBigInt64BE(BigInt(value)));
const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

function fill(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

function request({ key, version }: typeof PRODUCE, ...body: readonly Buffer[]): Buffer {
  const head = [int16(key), int16(version), int32(0), int16(CLIENT_ID.length), CLIENT_ID];
  const whole = Buffer.concat([...head, ...body]);
  return Buffer.concat([int32(whole.length), whole]);
}

/** One batch for one partition, to be acknowledged. */
export function produceFrame(topic: string, partition: number, batch: Buffer): Buffer {
  const timeoutMs = 30_000;
  const partitionData = [int32(1), int32(partition), int32(batch.length), batch];
  return request(PRODUCE, int16(-1), int16(-1), int32(timeoutMs), int32(1), text(topic), ...partitionData);
}

/** From an offset of one partition on, and answered at once. */
export function fetchFrame(topic: string, partition: number, offset: number, maxBytes: number): Buffer {
  const [noReplica, maxWaitMs, minBytes, readUncommitted] = [int32(-1), int32(0), int32(1), int8(0)];
  const wanted = [int32(1), int32(partition), int64(offset), int32(maxBytes)];
  const limits = [maxWaitMs, minBytes, int32(maxBytes), readUncommitted];
  return request(FETCH, noReplica, ...limits, int32(1), text(topic), ...wanted);
}

/** Where the error code of the only partition is in an answer, counted from its length field. */
export const produceErrorAt = (topic: string) => 4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4;
export const fetchErrorAt = (topic: string) => produceErrorAt(topic) + 4;

/** One batch with one record, of about so many bytes in all. */
export function batchOf(bytes: number): Buffer {
  const value = randomBytes(Math.max(bytes - BATCH_HEADER_BYTES - RECORD_FRAME_BYTES, 1));
  // Attributes, timestamp delta, offset delta; no key; the value; no headers.
  const body = Buffer.concat([Buffer.from([0, 0, 0, 1]), varint(value.length), value, Buffer.from([0])]);
  const records = Buffer.concat([varint(body.length), body]);
  const nowMs = Date.now();
  const noProducer = [int64(-1), int16(-1), int32(-1)];
  const checked = Buffer.concat([
    ...[int16(0), int32(0), int64(nowMs), int64(nowMs), ...noProducer, int32(1), records],
  ]);
  const [leaderEpoch, magic] = [int32(-1), int8(2)];
  const counted = Buffer.concat([leaderEpoch, magic, int32(crc32c(checked) | 0), checked]);
  return Buffer.concat([int64(0), int32(counted.length), counted]);
}

/** Zigzag, seven bits a byte. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

/** Bit by bit: each batch is made once. */
function crc32c(bytes: Buffer): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc;
}
