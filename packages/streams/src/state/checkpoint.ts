/**
 * Where a partition's work stands, written with the committed offset (its `metadata` in Kafka's OffsetCommit).
 *
 * Window state itself is in memory. It is rebuilt from what it was made of, the input topic: the checkpoint names the
 * oldest record that a result may still need, the reader goes back to it and adds, without telling anything, the records up
 * to the committed offset, except those that were not counted the first time. Then the work goes on where it stood.
 * Changelog topics, once they are here, replace the reading back; the clock stays as it is.
 */
import { OffsetSet } from "./offset-set.ts";

/** One window's part of it. */
export interface WindowCheckpoint {
  /** Event time that the partition's clock had reached; undefined before the first record. */
  readonly clockMs: number | undefined;
  /** Event time up to which all was told that it made due; what is due between this and the clock may not have been. */
  readonly toldMs: number | undefined;
  /** Records at or after `rewindTo` that this window did not count (too late, too far in the future, failed). */
  readonly uncounted: OffsetSet;
}

export interface Checkpoint {
  /** Whoever worked on the partition when this was written. */
  readonly owner: string;
  /**
   * Added to offsets to make revisions: 0, or, where the topic was made anew and its offsets began again, more than any
   * revision before that.
   */
  readonly revisionBase: number;
  /** The oldest record that a result may still need. */
  readonly rewindTo: number;
  readonly windows: ReadonlyMap<string, WindowCheckpoint>;
  /** The number of the last commit that had changes of stores, see changelog.ts; not there where none had. */
  readonly commits?: number;
  /** Of a repartition topic: how far each upstream partition had come, see `Origins`. */
  readonly origins: Readonly<Record<string, unknown>>;
}

/** Kafka's default `offset.metadata.max.bytes` is 4096. */
const METADATA_CHARS_MAX = 4_000;

/**
 * The checkpoint as text. Where there are more gaps of uncounted records than fit, the oldest are left out (such a record
 * would be counted after a restart); `lost` says how many.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): { text: string; lost: number } {
  for (let lost = 0; ; lost++) {
    const windows = [...checkpoint.windows].map(([name, window]) => {
      const { clockMs = null, toldMs = null, uncounted } = window;
      return [name, [clockMs, toldMs, uncounted.encode(checkpoint.rewindTo)]];
    });
    const text = JSON.stringify({
      v: 2,
      o: checkpoint.owner,
      b: checkpoint.revisionBase,
      r: checkpoint.rewindTo,
      w: Object.fromEntries(windows),
      ...(Object.keys(checkpoint.origins).length > 0 && { u: checkpoint.origins }),
      ...(checkpoint.commits !== undefined && { c: checkpoint.commits }),
    });
    if (text.length <= METADATA_CHARS_MAX) return { text, lost };
    const dropped = [...checkpoint.windows.values()].filter(({ uncounted }) => uncounted.dropOldest());
    if (dropped.length === 0) return { text: "", lost };
  }
}

/** Reads a checkpoint; undefined for anything else: other tools commit offsets too, with any metadata. */
export function decodeCheckpoint(text: string | null): Checkpoint | undefined {
  if (text === null || text === "") return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(json) || json.v !== 2) return undefined;
  const { o: owner, b: revisionBase, r: rewindTo, w: windows, u: origins = {}, c: commits } = json;
  if (typeof owner !== "string" || !isInteger(revisionBase) || !isInteger(rewindTo) || !isObject(windows))
    return undefined;
  if (!isObject(origins) || (commits !== undefined && !isInteger(commits))) return undefined;
  const decoded = new Map<string, WindowCheckpoint>();
  for (const [name, window] of Object.entries(windows)) {
    if (!Array.isArray(window)) return undefined;
    const [clockMs, toldMs, uncounted]: unknown[] = window;
    if (!isIntegerOrNull(clockMs) || !isIntegerOrNull(toldMs) || typeof uncounted !== "string")
      return undefined;
    decoded.set(name, {
      clockMs: clockMs ?? undefined,
      toldMs: toldMs ?? undefined,
      uncounted: OffsetSet.decode(uncounted, rewindTo),
    });
  }
  return {
    owner,
    revisionBase,
    rewindTo,
    windows: decoded,
    origins,
    ...(commits !== undefined && { commits }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function isIntegerOrNull(value: unknown): value is number | null {
  return value === null || isInteger(value);
}
