/** What a topic's settings and the client's version say about a batch that is to be appended. */
import { errorCode } from "../protocol/error-codes.ts";
import { type BatchHeader, ZSTD } from "../records/batch.ts";
import { readRecords, type StoredRecord } from "../records/record.ts";
import type { LogConfig } from "./log-config.ts";

export interface AppendOptions {
  readonly nowMs: number;
  readonly leaderEpoch: number;
  /** Version of the Produce request: zstd is legal from 7 on (KIP-110). */
  readonly produceVersion: number;
}

export type AppendResult =
  | {
      readonly errorCode: 0;
      readonly baseOffset: number;
      /** -1 where the records keep their own time. */
      readonly logAppendTimeMs: number;
    }
  | {
      readonly errorCode: number;
      readonly message: string;
      /** Which of the batch's records are at fault, counted from 0, where it is not the whole batch. */
      readonly badRecords?: readonly number[];
      /** True where the bytes are no batch. */
      readonly isUnreadable?: boolean;
    };

/** Why a client's batch that is whole may not be appended; null where it may. */
export function refusalOf(
  bytes: Buffer,
  header: BatchHeader,
  options: AppendOptions,
  config: LogConfig,
): AppendResult | null {
  if (header.codec === ZSTD && options.produceVersion < 7) {
    return { errorCode: errorCode.unsupportedCompressionType, message: "zstd needs Produce version 7" };
  }
  if (bytes.length > config.maxMessageBytes) {
    return {
      errorCode: errorCode.messageTooLarge,
      message: `record batch of ${bytes.length} bytes, max.message.bytes is ${config.maxMessageBytes}`,
    };
  }
  if (header.baseOffset !== 0) {
    return { errorCode: errorCode.invalidRecord, message: `offsets begin at ${header.baseOffset}, not at 0` };
  }
  if (header.producerId >= 0 && header.baseSequence < 0) {
    const message = `producer ${header.producerId} sent sequence ${header.baseSequence}`;
    return { errorCode: errorCode.invalidRecord, message };
  }
  return timestampRefusal(bytes, header, options.nowMs, config) ?? keyRefusal(bytes, config);
}

function timestampRefusal(
  bytes: Buffer,
  header: BatchHeader,
  nowMs: number,
  config: LogConfig,
): AppendResult | null {
  if (config.logAppendTime) return null;
  const newestMs = nowMs + config.timestampAfterMaxMs;
  const oldestMs = nowMs - config.timestampBeforeMaxMs;
  if (header.maxTimestamp <= newestMs && oldestMs <= 0) return null;
  const badRecords = recordsThat(
    bytes,
    ({ timestampMs }) => timestampMs > newestMs || timestampMs < oldestMs,
  );
  if (badRecords.length === 0) return null;
  return {
    errorCode: errorCode.invalidTimestamp,
    message: `timestamps outside of ${oldestMs} to ${newestMs}: message.timestamp.before.max.ms and after.max.ms`,
    badRecords,
  };
}

/** A compacted topic is about keys. */
function keyRefusal(bytes: Buffer, config: LogConfig): AppendResult | null {
  if (!config.compacts) return null;
  const badRecords = recordsThat(bytes, ({ key }) => key === null);
  if (badRecords.length === 0) return null;
  return {
    errorCode: errorCode.invalidRecord,
    message: "a compacted topic takes no record without a key",
    badRecords,
  };
}

function recordsThat(bytes: Buffer, isBad: (record: StoredRecord) => boolean): number[] {
  return [...readRecords(bytes)].flatMap((record, index) => (isBad(record) ? [index] : []));
}
