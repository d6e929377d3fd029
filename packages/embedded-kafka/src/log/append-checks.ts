/** What a topic's settings and the client's version say about a batch that is to be appended. */
import { errorCode } from "../protocol/error-codes.ts";
import { type BatchHeader, ZSTD } from "../records/batch.ts";
import { readRecords } from "../records/record.ts";
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
  | { readonly errorCode: number; readonly message: string };

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
  if (header.maxTimestamp > newestMs) {
    return {
      errorCode: errorCode.invalidTimestamp,
      message: `timestamp ${header.maxTimestamp} is more than message.timestamp.after.max.ms ahead of ${nowMs}`,
    };
  }
  const oldestMs = nowMs - config.timestampBeforeMaxMs;
  if (oldestMs <= 0) return null;
  for (const record of readRecords(bytes)) {
    if (record.timestampMs < oldestMs) {
      return {
        errorCode: errorCode.invalidTimestamp,
        message: `timestamp ${record.timestampMs} is more than message.timestamp.before.max.ms behind ${nowMs}`,
      };
    }
  }
  return null;
}

/** A compacted topic is about keys. */
function keyRefusal(bytes: Buffer, config: LogConfig): AppendResult | null {
  if (!config.compacts) return null;
  for (const record of readRecords(bytes)) {
    if (record.key === null) {
      return {
        errorCode: errorCode.invalidRecord,
        message: "a compacted topic takes no record without a key",
      };
    }
  }
  return null;
}
