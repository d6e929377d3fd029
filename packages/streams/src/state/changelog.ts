/**
 * The changelog of a store or a window: a compacted topic whose records are the blocks of block-log.ts.
 *
 * The name of a block is its record's key, so that each is written once, by one life of the work alone. A position's note
 * says which lives there were and what the last commit of each was that was ended ({@link Checkpoint}). So whoever takes
 * over knows of each block whether it counts, whatever else was written:
 *
 * - of a commit that was never ended nothing counts; its records are processed again, and nothing counts twice;
 * - what a process writes that was given up and does not know it (a zombie) is of a life whose last commit is known: it is
 *   not read, and it replaces nothing;
 * - a block is deleted when a commit that needs it no more was ended, so it is there as long as anybody may need it.
 *
 * What does not count is deleted by whoever finds it.
 */
import { createHash } from "node:crypto";
import type { IncomingRecord, OutgoingRecord, TopicLike } from "../ports.ts";
import type { BlockId } from "./block-log.ts";

/** One record of a changelog. */
export interface Change {
  /** The state that it belongs to. */
  readonly state: string;
  readonly id: BlockId;
  /** Undefined: the block is deleted. */
  readonly text: string | undefined;
}

/** A name that fits into a topic's: Kafka allows letters, digits, ".", "_" and "-". */
export function isTopicPart(name: string): boolean {
  return /^[\w.-]{1,100}$/.test(name);
}

/** Of a store the name that its author gave it, of a window the same, or what was made of what it holds. */
export function changelogTopicName(app: string, state: string): string {
  return `${topicPart(app)}-${topicPart(state)}-changelog`;
}

/** The name as a part of a topic's. Names of groups, and those made of topics and results, may hold anything and be long. */
export function topicPart(name: string): string {
  if (isTopicPart(name)) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, 90).replaceAll(/[^\w.-]/g, "_")}-${hash}`;
}

/**
 * As it is created: with as many partitions as the topic that the state belongs to. Small segments, as Kafka compacts
 * closed ones alone and a restore reads all there is.
 */
export function changelogTopic(app: string, state: string, partitions: number) {
  return {
    name: changelogTopicName(app, state),
    partitions,
    configEntries: {
      "cleanup.policy": "compact",
      "min.cleanable.dirty.ratio": "0.3",
      "segment.bytes": String(16 * 1024 * 1024),
      "segment.ms": String(10 * 60 * 1000),
    },
  } satisfies Pick<TopicLike<never>, "name" | "partitions" | "configEntries">;
}

/** `wallMs` is when it is written: compaction goes by that. */
export function changelogRecord(
  app: string,
  partition: number,
  { state, id, text }: Change,
  wallMs: number,
): OutgoingRecord {
  return {
    topic: changelogTopicName(app, state),
    partition,
    key: `${id.owner}/${id.commit}/${id.part}`,
    value: text === undefined ? null : Buffer.from(text),
    timestampMs: wallMs,
  };
}

/** What there is in a changelog, read from its beginning to its end. */
export class ReadChangelog {
  readonly #records = new Map<string, Uint8Array>();

  take({ key, value }: Pick<IncomingRecord, "key" | "value">): void {
    if (key === null) return;
    const name = Buffer.from(key).toString("utf8");
    if (value === null) this.#records.delete(name);
    // A producer that repeats a request may write a block again, behind later ones: its place is the first.
    else this.#records.set(name, value);
  }

  /** In the order in which they were written; what is no block is left out. */
  *blocks(): Generator<{ readonly id: BlockId; readonly value: Uint8Array }> {
    for (const [name, value] of this.#records) {
      const id = blockIdOf(name);
      if (id !== undefined) yield { id, value };
    }
  }
}

/** The entries of a block that was written under that signature; undefined for anything else. */
export function entriesOf(value: Uint8Array, signature: string): readonly unknown[] | undefined {
  const json = parsed(value);
  if (typeof json !== "object" || json === null || !("s" in json) || !("e" in json)) return undefined;
  return json.s === signature && Array.isArray(json.e) ? json.e : undefined;
}

function blockIdOf(name: string): BlockId | undefined {
  const [owner = "", commit, part, ...rest] = name.split("/");
  const id = { owner, commit: Number(commit), part: Number(part) };
  const isOne = owner !== "" && rest.length === 0 && [id.commit, id.part].every(Number.isSafeInteger);
  return isOne ? id : undefined;
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString("utf8"));
  } catch {
    return undefined;
  }
}
