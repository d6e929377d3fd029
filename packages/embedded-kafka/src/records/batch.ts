/**
 * The header of a record batch, format 2: https://kafka.apache.org/documentation/#recordbatch
 *
 * The broker reads and patches the header in place; the records behind it stay as the client sent them.
 */
import { errorCode } from "../protocol/error-codes.ts";
import { crc32c } from "./crc32c.ts";

/** Bytes before the first record. */
export const HEADER_BYTES = 61;
/** Bytes that the length field at 8 does not count: the base offset and the length itself. */
const LENGTH_FROM = 12;
const CRC_FROM = 21;
const MAGIC = 2;

const CODEC_MASK = 0b0000_0111;
const LOG_APPEND_TIME = 0b0000_1000;
export const TRANSACTIONAL = 0b0001_0000;
export const CONTROL = 0b0010_0000;
/** The base timestamp is the time at which tombstones and markers in the batch may go (KIP-534). */
const DELETE_HORIZON = 0b0100_0000;

/** Names of the codecs by the number in the attributes. */
export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = (typeof codecs)[number];

export const ZSTD = 4;
export const NO_PRODUCER = -1;
export const NO_PRODUCER_EPOCH = -1;

/** What the header of one batch says. `bytes` is the batch and nothing else. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly codec: number;
  readonly logAppendTime: boolean;
  readonly transactional: boolean;
  readonly control: boolean;
  /** From when on the batch's tombstones or its marker may go (KIP-534); null before compaction has seen them. */
  readonly deleteHorizonMs: number | null;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

export function readHeader(bytes: Buffer): BatchHeader {
  const attributes = bytes.readInt16BE(21);
  return {
    baseOffset: readInt64(bytes, 0),
    leaderEpoch: bytes.readInt32BE(12),
    codec: attributes & CODEC_MASK,
    logAppendTime: (attributes & LOG_APPEND_TIME) !== 0,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    deleteHorizonMs: (attributes & DELETE_HORIZON) === 0 ? null : readInt64(bytes, 27),
    lastOffsetDelta: bytes.readInt32BE(23),
    baseTimestamp: readInt64(bytes, 27),
    maxTimestamp: readInt64(bytes, 35),
    producerId: readInt64(bytes, 43),
    producerEpoch: bytes.readInt16BE(51),
    baseSequence: bytes.readInt32BE(53),
    count: bytes.readInt32BE(57),
  };
}

/** Whether the attributes say so; for whoever wants to know nothing else. */
export function isTransactional(bytes: Buffer): boolean {
  return (bytes.readInt16BE(21) & TRANSACTIONAL) !== 0;
}

/** Exact up to 2^53. */
function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}

/** Why a client's bytes are not a batch that may be appended. */
export interface BatchProblem {
  readonly errorCode: number;
  readonly message: string;
  /** True where the bytes are not one batch, and so never come as far as a log. */
  readonly isUnreadable: boolean;
}

function problem(code: number, message: string, isUnreadable = true): BatchProblem {
  return { errorCode: code, message, isUnreadable };
}

/**
 * Reads what a client wants to append: exactly one batch of format 2 with a right length, checksum and count, a known
 * codec, and not a control batch.
 */
export function readClientBatch(bytes: Buffer): BatchHeader | BatchProblem {
  if (bytes.length < HEADER_BYTES) {
    return problem(errorCode.invalidRecord, `${bytes.length} bytes hold no record batch`);
  }
  const format = bytes.readInt8(16);
  if (format !== MAGIC) {
    // 0 and 1 are formats of old; anything else is none.
    const code = format === 0 || format === 1 ? errorCode.invalidRecord : errorCode.corruptMessage;
    return problem(code, `record batch of format ${format}, only 2 is served`);
  }
  const length = bytes.readInt32BE(8) + LENGTH_FROM;
  if (length > bytes.length) {
    return problem(errorCode.invalidRecord, `record batch of ${length} bytes, only ${bytes.length} came`);
  }
  if (length < HEADER_BYTES) return problem(errorCode.corruptMessage, `record batch of ${length} bytes`);
  if (crc32c(bytes, CRC_FROM, length) !== bytes.readUInt32BE(17)) {
    return problem(errorCode.corruptMessage, "checksum of the record batch is wrong");
  }
  if (length < bytes.length) {
    return problem(errorCode.invalidRecord, "more than one record batch for one partition");
  }
  const header = readHeader(bytes);
  if (header.count <= 0 || header.count !== header.lastOffsetDelta + 1) {
    return problem(
      errorCode.invalidRecord,
      `record batch counts ${header.count} records and ends at offset delta ${header.lastOffsetDelta}`,
      false,
    );
  }
  if (header.codec >= codecs.length) {
    // As Apache Kafka answers it: its own exception has no error of its own.
    return problem(errorCode.unknownServerError, `unknown compression codec ${header.codec}`, false);
  }
  if (header.control) return problem(errorCode.invalidRecord, "clients may not write control batches", false);
  return header;
}

/** Gives a batch its place in the log. Both fields are outside the checksum. */
export function placeBatch(bytes: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt64(bytes, 0, baseOffset);
  bytes.writeInt32BE(leaderEpoch, 12);
}

/** What compaction changes in a batch's header. Base offset, last offset, producer and sequence stay. */
export interface HeaderChange {
  readonly codec: number;
  readonly count: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** The base timestamp is the batch's delete horizon. */
  readonly hasDeleteHorizon: boolean;
}

/** A batch with the header of another one, changed, and other records. */
export function batchLike(original: Buffer, records: Buffer, change: HeaderChange): Buffer {
  const bytes = Buffer.concat([original.subarray(0, HEADER_BYTES), records]);
  bytes.writeInt32BE(bytes.length - LENGTH_FROM, 8);
  const kept = original.readInt16BE(21) & ~CODEC_MASK & ~DELETE_HORIZON;
  bytes.writeInt16BE(kept | change.codec | (change.hasDeleteHorizon ? DELETE_HORIZON : 0), 21);
  writeInt64(bytes, 27, change.baseTimestamp);
  writeInt64(bytes, 35, change.maxTimestamp);
  bytes.writeInt32BE(change.count, 57);
  bytes.writeUInt32BE(crc32c(bytes, CRC_FROM), 17);
  return bytes;
}

/** The size of the batch at a place in a file; null where too little is there to tell, or no batch can be so small. */
export function batchSizeAt(bytes: Buffer, at: number): number | null {
  if (at + HEADER_BYTES > bytes.length) return null;
  const size = bytes.readInt32BE(at + 8) + LENGTH_FROM;
  return size < HEADER_BYTES ? null : size;
}

/** Whether stored bytes are a whole batch of format 2 with a right checksum. */
export function isIntact(bytes: Buffer): boolean {
  return (
    bytes.length >= HEADER_BYTES &&
    bytes.readInt8(16) === MAGIC &&
    bytes.readInt32BE(8) + LENGTH_FROM === bytes.length &&
    crc32c(bytes, CRC_FROM) === bytes.readUInt32BE(17)
  );
}

/** `message.timestamp.type=LogAppendTime`: all records get this time, and the checksum follows. */
export function stampAppendTime(bytes: Buffer, timeMs: number): void {
  bytes.writeInt16BE(bytes.readInt16BE(21) | LOG_APPEND_TIME, 21);
  writeInt64(bytes, 35, timeMs);
  bytes.writeUInt32BE(crc32c(bytes, CRC_FROM), 17);
}
