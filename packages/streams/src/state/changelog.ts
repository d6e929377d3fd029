/**
 * The changelog of a store: a compacted topic in which the last record of a key is its value.
 *
 * Each commit of a partition has a number, one more than the one before, which stands in the changes that belong to it and
 * in the checkpoint that ends it. So whoever takes over knows of each change whether it counts: those of a commit that was
 * never ended are left out, their records will be worked on again, and nothing counts twice. What such a change hides is
 * written once more with the next commit.
 */
import type { IncomingRecord, OutgoingRecord, TopicLike } from "../ports.ts";
import type { Store, StoredValue } from "./store.ts";

/** One change of one key. */
export interface ChangelogEntry {
  readonly store: string;
  readonly key: string;
  /** Undefined: it is deleted. */
  readonly stored: StoredValue | undefined;
  /** The commit that it belongs to. */
  readonly commit: number;
}

const COMMIT_HEADER = "kelvin-commit";

/** How long superseded values are kept at least: they are needed again where the last commit was not ended. */
const COMPACTION_LAG_MS = 60 * 60 * 1000;

export function changelogTopicName(app: string, store: string): string {
  return `${app}-${store}-changelog`;
}

/** As it is created: with as many partitions as the topic that the store belongs to. */
export function changelogTopic(app: string, store: string, partitions: number) {
  return {
    name: changelogTopicName(app, store),
    partitions,
    configEntries: {
      "cleanup.policy": "compact",
      "min.compaction.lag.ms": String(COMPACTION_LAG_MS),
      "segment.bytes": String(50 * 1024 * 1024),
    },
  } satisfies Pick<TopicLike<never>, "name" | "partitions" | "configEntries">;
}

/** `wallMs` is when it is written: compaction goes by that. */
export function changelogRecord(
  app: string,
  partition: number,
  { store, key, stored, commit }: ChangelogEntry,
  wallMs: number,
): OutgoingRecord {
  return {
    topic: changelogTopicName(app, store),
    partition,
    key,
    value: stored === undefined ? null : Buffer.from(`{"t":${stored.setMs},"v":${stored.json}}`),
    timestampMs: wallMs,
    headers: { [COMMIT_HEADER]: String(commit) },
  };
}

/** Undefined for what is no record of a changelog. */
export function changelogEntryOf(
  store: string,
  { key, value, headers }: Pick<IncomingRecord, "key" | "value" | "headers">,
): ChangelogEntry | undefined {
  const commit = Number(headers[COMMIT_HEADER] ?? Number.NaN);
  if (key === null || !Number.isSafeInteger(commit)) return undefined;
  const name = Buffer.from(key).toString("utf8");
  if (value === null) return { store, key: name, stored: undefined, commit };
  const json = parsed(value);
  if (typeof json !== "object" || json === null || !("t" in json) || !("v" in json)) return undefined;
  if (typeof json.t !== "number") return undefined;
  return { store, key: name, stored: { json: JSON.stringify(json.v), setMs: json.t }, commit };
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Fills a store from its changelog, read from its beginning to its end. */
export class Restoration {
  readonly #store: Store;
  readonly #committed: number;
  /** Keys whose last record does not count. */
  readonly #hidden = new Set<string>();

  /** `committed` is the number of the last commit that was ended; 0 where nothing counts. */
  constructor(store: Store, committed: number) {
    this.#store = store;
    this.#committed = committed;
  }

  take({ key, stored, commit }: ChangelogEntry): void {
    if (commit > this.#committed) {
      this.#hidden.add(key);
      return;
    }
    this.#hidden.delete(key);
    this.#store.restore(key, stored);
  }

  end(): void {
    for (const key of this.#hidden) this.#store.differs(key);
  }
}
