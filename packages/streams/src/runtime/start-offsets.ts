/** Decides where the work on a partition starts: pure, so that every case can be looked at. */
import { type Checkpoint, decodeCheckpoint } from "../state/checkpoint.ts";

export interface PartitionOffsets {
  /** The oldest record there is. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
  /** The group's committed offset; negative where there is none (-1), or where Kafka was told "earliest" (-2). */
  readonly committed: number;
  readonly metadata: string | null;
}

/** What this process knows of the partition from before. */
export interface EarlierWork {
  readonly owner: string;
  readonly nextOffset: number;
}

export type Start =
  /** Nobody else worked on it meanwhile: go on where we stood. */
  | { readonly kind: "continue"; readonly offset: number }
  /** Go on from the group's position, with the state that its checkpoint describes. */
  | {
      readonly kind: "resume";
      readonly position: number;
      readonly readFrom: number;
      readonly checkpoint?: Checkpoint;
    }
  /** No position that means anything: start here, with empty state. `why` says what happened, if something did. */
  | { readonly kind: "fresh"; readonly offset: number; readonly why?: "topic-recreated" | "records-gone" };

export type StartFrom = "earliest" | "latest";

export function startOf(
  offsets: PartitionOffsets,
  earlier: EarlierWork | undefined,
  startFrom: StartFrom,
): Start {
  const { low, high, committed } = offsets;
  const checkpoint = decodeCheckpoint(offsets.metadata);
  if (earlier !== undefined && committed >= 0 && checkpoint?.owner === earlier.owner) {
    if (earlier.nextOffset >= low && earlier.nextOffset <= high)
      return { kind: "continue", offset: earlier.nextOffset };
  }
  if (committed < 0) {
    // The group had a position here, or was told to begin at the beginning: this is a topic made anew, all of it unread.
    if (earlier !== undefined) return { kind: "fresh", offset: low, why: "topic-recreated" };
    if (committed === -2) return { kind: "fresh", offset: low };
    return { kind: "fresh", offset: startFrom === "earliest" ? low : high };
  }
  if (committed > high) return { kind: "fresh", offset: low, why: "topic-recreated" };
  if (committed < low) return { kind: "fresh", offset: low, why: "records-gone" };
  if (checkpoint === undefined) return { kind: "resume", position: committed, readFrom: committed };
  const readFrom = Math.min(committed, Math.max(low, checkpoint.rewindTo));
  return { kind: "resume", position: committed, readFrom, checkpoint };
}
