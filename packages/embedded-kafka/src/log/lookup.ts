/** Where in a log a time or a leader epoch is. */
import { DecodeError } from "../protocol/decode-error.ts";
import { readRecords, type StoredRecord } from "../records/record.ts";
import type { Segment, StoredBatch } from "./segment.ts";

export interface OffsetAndTimestamp {
  readonly offset: number;
  readonly timestampMs: number;
}

/** Of a log in order: nothing before its start counts, though its first segment may hold it. */
export function* batchesFrom(segments: readonly Segment[], logStartOffset: number): Generator<StoredBatch> {
  for (const segment of segments) {
    for (const batch of segment.batches) {
      if (batch.lastOffset >= logStartOffset) yield batch;
    }
  }
}

/** Index of the last segment that starts at or before an offset. */
export function segmentOf(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((segments[middle]?.baseOffset ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first record that is not older than the time; null where none is. Looks into one batch as a rule. */
export function firstAtOrAfter(
  segments: readonly Segment[],
  logStartOffset: number,
  timestampMs: number,
): OffsetAndTimestamp | null {
  for (const segment of segments) {
    if (segment.maxTimestampMs < timestampMs) continue;
    for (const batch of batchesFrom([segment], logStartOffset)) {
      if (batch.maxTimestampMs < timestampMs) continue;
      const found = findIn(batch, logStartOffset, (record) => record.timestampMs >= timestampMs);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The first record with the greatest timestamp; null in an empty log. */
export function withMaxTimestamp(
  segments: readonly Segment[],
  logStartOffset: number,
): OffsetAndTimestamp | null {
  let greatest: StoredBatch | null = null;
  for (const batch of batchesFrom(segments, logStartOffset)) {
    if (greatest === null || batch.maxTimestampMs > greatest.maxTimestampMs) greatest = batch;
  }
  if (greatest === null) return null;
  const { maxTimestampMs } = greatest;
  return findIn(greatest, logStartOffset, (record) => record.timestampMs === maxTimestampMs);
}

/**
 * The first record in a batch that is wanted. A client may have sent records that can't be read: they are found by
 * what the batch's header says, so that one bad batch does not stop those who look for a time.
 */
function findIn(
  batch: StoredBatch,
  logStartOffset: number,
  isWanted: (record: StoredRecord) => boolean,
): OffsetAndTimestamp | null {
  try {
    for (const record of readRecords(batch.bytes)) {
      if (isWanted(record) && record.offset >= logStartOffset) return record;
    }
    return null;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { offset: Math.max(batch.baseOffset, logStartOffset), timestampMs: batch.maxTimestampMs };
  }
}

/**
 * The largest leader epoch up to `epoch` that has records in the log, and the offset after the last of them; -1 twice
 * where no record is of that epoch or a later one (KIP-101, KIP-279).
 */
export function endOfEpoch(
  segments: readonly Segment[],
  logStartOffset: number,
  epoch: number,
): { leaderEpoch: number; endOffset: number } {
  let leaderEpoch = -1;
  let endOffset = logStartOffset;
  let newest = -1;
  for (const batch of batchesFrom(segments, logStartOffset)) {
    newest = batch.leaderEpoch;
    if (newest > epoch) break;
    leaderEpoch = newest;
    endOffset = batch.lastOffset + 1;
  }
  if (newest < epoch) return { leaderEpoch: -1, endOffset: -1 };
  return { leaderEpoch: leaderEpoch < 0 ? epoch : leaderEpoch, endOffset };
}
