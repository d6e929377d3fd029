/**
 * What the windows of all keys of one partition do, whatever their kind. Pure: time comes in by `advance`.
 *
 * Each result holds the records that were counted before its revision's position, and a window's kind decides which of
 * them. Everything here depends on the records, their order and the times given to `advance`, on nothing else.
 *
 * Late and grace, of the windows that close (hopping, sliding, session): event time less grace is the line up to which
 * windows are closed (`#closedMs`); it never goes back. A window whose end lies at the line or before it is closed: with
 * `final` it is told then, and from then on it does not change. A record is late when all windows that it would be in are
 * closed; one that is late for some of them counts in the others. Records and windows are kept until nothing that is open
 * can need them. After a restart the line is where all that was due had been told, so what was told is not told again.
 */
import type { StateLog } from "../state/block-log.ts";
import type { WindowShape } from "../topology/nodes.ts";

/** A window's value with what tells it from an earlier telling. */
export interface Told {
  readonly key: string;
  /** Inclusive. */
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly revision: number;
  /** Null where the window that was told is none any more: a session that became part of a longer one. */
  readonly value: Readonly<Record<string, unknown>> | null;
}

/** A result that could not be computed: a user's function threw on merging. */
export interface Untold extends Omit<Told, "value"> {
  readonly error: unknown;
}

/** What a record would change. */
export interface Change {
  /** Lets the record count. Returns what is to be told at once, under the given revision. */
  apply(revision: number): (Told | Untold)[];
}

export interface WindowState {
  /** How many accumulators are kept. */
  readonly size: number;
  readonly isEmpty: boolean;
  /** What of it is in the changelog. */
  readonly log: StateLog;
  /** Changes when there is something to note although no record came. */
  readonly progress: number | undefined;
  /** Goes on where all was told that event time had made due up to `clockMs`; what was kept then follows by `log.load`. */
  restore(clockMs: number | undefined): void;
  /** Whether a record of this time has come too late to be counted: every window that it would be in is closed. */
  isLate(key: string, timestampMs: number): boolean;
  /**
   * What a record that is not late would change, by all its values (of which there is at least one); nothing is changed
   * yet. Throws what a user's function throws.
   */
  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change;
  /** Event time has come to `clockMs`: tells what is due, under the given revision. */
  advance(clockMs: number, revision: number): (Told | Untold)[];
  /** What `advance` told is on its way: the records that no result needs any more can go. */
  forget(): void;
  /** Whether `advance` would tell something. */
  isDue(clockMs: number): boolean;
  /** The bounds of its windows are made by records: what time has ended is not to be decided again. */
  readonly isMadeByRecords: boolean;
}

/** Tells a result, or that it can't be computed. */
export function told(
  identity: Omit<Told, "value">,
  value: () => Readonly<Record<string, unknown>>,
): Told | Untold {
  try {
    return { ...identity, value: value() };
  } catch (error) {
    return { ...identity, error };
  }
}

/** How late a record may be and still count, in milliseconds. */
export function latenessOf(shape: WindowShape): number {
  return shape.kind === "trailing" ? shape.allowedLatenessMs : shape.graceMs;
}
