/**
 * Where a partition's work stands, written with the committed offset (its `metadata` in Kafka's OffsetCommit).
 *
 * What stores and windows hold at that position is in their changelogs; the checkpoint says which blocks of them count,
 * and what is not in them: how far event time has come.
 */
import { StreamsError } from "../errors.ts";

/** How many results were told of one position in the input. */
export interface Tellings {
  readonly revision: number;
  readonly count: number;
}

/** One window's part of it. */
export interface WindowCheckpoint {
  /** Event time that the partition's clock had reached; undefined before the first record. */
  readonly clockMs: number | undefined;
  /** Event time up to which all was told that it made due; what is due between this and the clock was not. */
  readonly toldMs: number | undefined;
  /** Of a window whose results continue under another key: the last ones. */
  readonly tellings?: Tellings;
}

export interface Checkpoint {
  /** The owner of the partition when this was written: one life of the work, named like no other. */
  readonly owner: string;
  /**
   * Added to offsets to make revisions: 0, or, if the topic was recreated and its offsets began again, more than any
   * revision before that.
   */
  readonly revisionBase: number;
  readonly windows: ReadonlyMap<string, WindowCheckpoint>;
  /** The lives whose blocks are still needed, the oldest first, each with the last of its commits that was ended. */
  readonly lives: ReadonlyMap<string, number>;
  /** How many blocks there are to be found in the changelogs, at least. */
  readonly blocks: number;
  /** Of a repartition topic: how far each upstream partition had come, see `Origins`. */
  readonly origins: Readonly<Record<string, unknown>>;
  /** Of a repartition topic: the upstream partitions that are behind, see `Upstreams`, and the highest event time of its records. */
  readonly behind?:
    | { readonly upstreams: Readonly<Record<string, unknown>>; readonly seenMs: number }
    | undefined;
}

/** Kafka's default `offset.metadata.max.bytes`, which it compares with the number of characters. */
const METADATA_CHARS_MAX = 4_096;

/**
 * Where there is no room for it, who is behind is left out: event time does not wait for them then, should this life end.
 *
 * @throws {StreamsError} where Kafka would not take it: an app with dozens of windows on one topic.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const whole = textOf(checkpoint);
  const text = whole.length <= METADATA_CHARS_MAX ? whole : textOf({ ...checkpoint, behind: undefined });
  if (text.length <= METADATA_CHARS_MAX) return text;
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `The metadata of a committed offset has ${text.length} characters, but Kafka allows ${METADATA_CHARS_MAX}: a topic has too many ` +
      "windows in this app, or their names are too long. Give them shorter names, or spread them over several apps.",
  );
}

function textOf(checkpoint: Checkpoint): string {
  const { owner, revisionBase, windows, lives, blocks, origins, behind } = checkpoint;
  const times = [...windows].map(([name, { clockMs = null, toldMs = null, tellings }]) => {
    const told = tellings === undefined ? [] : [tellings.revision, tellings.count];
    return [name, [clockMs, toldMs, ...told]];
  });
  return JSON.stringify({
    v: 3,
    o: owner,
    b: revisionBase,
    w: Object.fromEntries(times),
    ...(lives.size > 0 && { l: [...lives], n: blocks }),
    ...(Object.keys(origins).length > 0 && { u: origins }),
    ...(behind !== undefined && { p: behind.upstreams, s: behind.seenMs }),
  });
}

/** Reads a checkpoint; undefined for anything else: other tools commit offsets too, with any metadata. */
export function decodeCheckpoint(text: string | null): Checkpoint | undefined {
  const json = parsed(text);
  if (!isObject(json) || json.v !== 3) return undefined;
  const { o: owner, b: revisionBase, w: windows, l: lives = [], n: blocks = 0, u: origins = {} } = json;
  if (typeof owner !== "string" || !isInteger(revisionBase) || !isObject(windows)) return undefined;
  if (!isInteger(blocks) || !isObject(origins)) return undefined;
  const times = timesOf(windows);
  const ended = livesOf(lives);
  if (times === undefined || ended === undefined) return undefined;
  const behind =
    isObject(json.p) && isInteger(json.s) ? { behind: { upstreams: json.p, seenMs: json.s } } : {};
  return { owner, revisionBase, windows: times, lives: ended, blocks, origins, ...behind };
}

function timesOf(windows: Record<string, unknown>): Map<string, WindowCheckpoint> | undefined {
  const times = new Map<string, WindowCheckpoint>();
  for (const [name, window] of Object.entries(windows)) {
    if (!Array.isArray(window)) return undefined;
    const [clockMs, toldMs, revision, count]: unknown[] = window;
    if (!isIntegerOrNull(clockMs) || !isIntegerOrNull(toldMs)) return undefined;
    const tellings = isInteger(revision) && isInteger(count) ? { tellings: { revision, count } } : {};
    times.set(name, { clockMs: clockMs ?? undefined, toldMs: toldMs ?? undefined, ...tellings });
  }
  return times;
}

function livesOf(lives: unknown): Map<string, number> | undefined {
  if (!Array.isArray(lives)) return undefined;
  const ended = new Map<string, number>();
  for (const life of lives) {
    if (!Array.isArray(life)) return undefined;
    const [owner, commit]: unknown[] = life;
    if (typeof owner !== "string" || !isInteger(commit)) return undefined;
    ended.set(owner, commit);
  }
  return ended;
}

function parsed(text: string | null): unknown {
  try {
    return text === null || text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
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
