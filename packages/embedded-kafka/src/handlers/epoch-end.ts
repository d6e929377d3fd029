/** Where the records of a leader epoch end, by which a reader that was further can tell (KIP-101, KIP-320, KIP-595). */
import type { Partition } from "../cluster/topic.ts";

export interface EpochEnd {
  /** -1 where nothing is known of the epoch. */
  readonly leaderEpoch: number;
  /** After the last record. */
  readonly endOffset: number;
}

/** An epoch may have no records: it then ends where the last one before it does that has some. */
export function endOfEpoch({ log, leaderEpoch: current }: Partition, epoch: number): EpochEnd {
  if (epoch === current) return { leaderEpoch: epoch, endOffset: log.highWatermark };
  for (let before = epoch; before >= 0 && epoch < current; before--) {
    const end = log.endOfEpoch(before);
    if (end.endOffset >= 0) return end;
  }
  return { leaderEpoch: -1, endOffset: -1 };
}

/** Where a reader has to go back to that has read up to an offset in an epoch; null where the log is what it has read. */
export function divergence(partition: Partition, readEpoch: number, fetchOffset: number): EpochEnd | null {
  // The one that it has read last is there as a rule, and then the epoch's end need not be looked for.
  if (readEpoch < 0 || partition.log.epochAt(fetchOffset - 1) === readEpoch) return null;
  const end = endOfEpoch(partition, readEpoch);
  return end.leaderEpoch < readEpoch || end.endOffset < fetchOffset ? end : null;
}
