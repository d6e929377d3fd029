/** Decides where processing of a partition starts: pure, so that every case can be tested. */
import type { PartitionOffsets } from "../io/offsets.ts";
import { type Checkpoint, decodeCheckpoint } from "../state/checkpoint.ts";

const EARLIEST = -2;

/** What this process knows of the partition from before. */
export interface EarlierWork {
  readonly owner: string;
  readonly nextOffset: number;
  readonly revisionBase: number;
}

export type Start =
  /** Nobody else processed it meanwhile: continue from the position in memory. */
  | { readonly kind: "continue"; readonly offset: number }
  /** Go on from the group's position, with the state that its checkpoint describes. */
  | {
      readonly kind: "resume";
      readonly position: number;
      readonly checkpoint?: Checkpoint;
    }
  /** No position that means anything: start here, with empty state. `why` says what happened, if something did. */
  | {
      readonly kind: "fresh";
      readonly offset: number;
      /** What is added to offsets to make revisions. */
      readonly revisionBase: number;
      readonly why?: "topic-recreated" | "records-gone";
    };

/**
 * How much farther than it noted a killed process may have come in a topic that was then recreated: by far more records
 * than there can be between two commits.
 */
const UNNOTED_RECORDS_MAX = 2 ** 32;

/** Where a group without committed offsets starts. Kafka's `auto.offset.reset`. */
export type StartFrom = "earliest" | "latest";

/** What to do if records were deleted before they were processed. */
export type OnRecordsGone = "earliest" | "latest" | "fail";

export function startOf(
  offsets: PartitionOffsets,
  earlier: EarlierWork | undefined,
  startFrom: StartFrom,
  onRecordsGone: OnRecordsGone,
): Start {
  const { low, high, committed } = offsets;
  const checkpoint = decodeCheckpoint(offsets.metadata);
  if (earlier !== undefined && committed >= 0 && checkpoint?.owner === earlier.owner) {
    if (earlier.nextOffset >= low && earlier.nextOffset <= high)
      return { kind: "continue", offset: earlier.nextOffset };
  }
  // Offsets that begin again must not make revisions that do: readers keep the highest.
  const revisionBase = earlier?.revisionBase ?? checkpoint?.revisionBase ?? 0;
  const farthest = Math.max(0, committed, earlier?.nextOffset ?? 0);
  const isKnown = earlier !== undefined || checkpoint !== undefined || committed > 0;
  const recreated: Start = {
    kind: "fresh",
    offset: low,
    revisionBase: isKnown ? revisionBase + farthest + UNNOTED_RECORDS_MAX : 0,
    why: "topic-recreated",
  };
  const gone: Start = {
    kind: "fresh",
    offset: onRecordsGone === "latest" ? high : low,
    revisionBase,
    why: "records-gone",
  };
  if (committed < 0) {
    // We stood somewhere and the group's position is lost: either retention overtook us, and the client was told to begin
    // at the beginning (-2), or the topic (or the whole broker) was recreated, and all of it is unread.
    if (earlier !== undefined) return earlier.nextOffset < low ? gone : recreated;
    if (committed === EARLIEST) return { kind: "fresh", offset: low, revisionBase: 0 };
    return { kind: "fresh", offset: startFrom === "earliest" ? low : high, revisionBase: 0 };
  }
  if (committed > high) return recreated;
  if (committed < low) return gone;
  return { kind: "resume", position: committed, ...(checkpoint !== undefined && { checkpoint }) };
}
