/** Stores over the lives of a partition: whatever is killed when, each record has counted once. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Bench, type Reading, readings, recordOf } from "../../test-support/readings.ts";
import type { StatefulNode, StoreDefinition } from "../topology/nodes.ts";
import { type ChangelogEntry, changelogEntryOf, changelogRecord } from "./changelog.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

/** Counts the records of each key; a negative x takes its key's count away. */
function counting(store: StoreDefinition): StatefulNode {
  return {
    kind: "stateful",
    name: "count",
    store,
    policy: {},
    run(value, state) {
      if (typeof value === "object" && value !== null && "x" in value && Number(value.x) < 0) state.delete();
      else state.set(Number(state.get() ?? 0) + 1);
      return value;
    },
    next: [],
  };
}

type Step =
  | { readonly kind: "record"; readonly key: string; readonly x: number }
  | { readonly kind: "commit" | "unended" | "kill" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("record" as const),
      key: fc.constantFrom("a", "b", "c"),
      x: fc.integer({ min: -1, max: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "unended" as const, "kill" as const) }),
  },
);

/** One partition and its changelog, over several lives. */
class Lives {
  readonly bench: Bench;
  readonly log: Reading[] = [];
  readonly #store: StoreDefinition;
  #changelog: ReturnType<typeof changelogRecord>[] = [];
  #committed = { position: 0, text: "" };

  constructor(store: StoreDefinition) {
    this.#store = store;
    this.bench = new Bench({ kind: "source", topic: readings, next: [counting(store)] });
    this.commit(true);
  }

  async take(reading: Reading): Promise<void> {
    this.log.push(reading);
    this.bench.wallMs = Math.max(this.bench.wallMs, reading.atMs);
    await this.bench.partition.process(recordOf(reading, this.log.length - 1));
  }

  /** Not ended: the changes are with Kafka, the position is not. */
  commit(isEnded: boolean): void {
    const { partition } = this.bench;
    for (const entry of partition.takeChanges()) this.#changelog.push(changelogRecord("app", 0, entry, 0));
    const note = partition.note("me");
    if (!isEnded) return;
    this.#committed = { position: note.position, text: encodeCheckpoint(note.checkpoint).text };
    partition.noted(note);
  }

  async kill(): Promise<void> {
    const { position, text } = this.#committed;
    const partition = this.bench.fresh(position);
    const checkpoint = decodeCheckpoint(text);
    if (checkpoint !== undefined) partition.restore(checkpoint);
    const store = partition.stores.get(this.#store.name);
    if (store === undefined) throw new RangeError("the store is gone");
    const restoration = partition.restoration(store);
    for (const entry of this.#entries()) restoration.take(entry);
    restoration.end();
    this.bench.partition = partition;
    for (const [offset, reading] of this.log.entries())
      if (offset >= position) await partition.process(recordOf(reading, offset));
  }

  /** What compaction would leave: of each key the last record. */
  compact(): void {
    const last = new Map(this.#changelog.map((record) => [String(record.key), record]));
    this.#changelog = this.#changelog.filter(
      (record) => last.get(String(record.key)) === record && record.value !== null,
    );
  }

  counts(): Record<string, unknown> {
    const entries = [...(this.bench.partition.stores.get(this.#store.name)?.entries() ?? [])];
    return Object.fromEntries(
      entries.map(([key, { json }]): [string, unknown] => [key, JSON.parse(json)]).sort(),
    );
  }

  #entries(): ChangelogEntry[] {
    return this.#changelog.flatMap(({ key, value, headers = {} }) => {
      const bytes = typeof key === "string" ? Buffer.from(key) : key;
      return changelogEntryOf(this.#store.name, { key: bytes, value, headers }) ?? [];
    });
  }
}

function expected(log: readonly Reading[]): Record<string, unknown> {
  const counts = new Map<string, number>();
  for (const { key, x } of log) {
    if (x < 0) counts.delete(key);
    else counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort());
}

test("P5 of stores: killed at any record, also between changes and position, each record counts once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (script) => {
      const lives = new Lives({ name: "counts", ttlMs: undefined });
      for (const [i, each] of script.entries()) {
        if (each.kind === "record") await lives.take({ key: each.key, x: each.x, atMs: i });
        else if (each.kind === "kill") await lives.kill();
        else lives.commit(each.kind === "commit");
      }
      expect(lives.counts()).toEqual(expected(lives.log));
      lives.commit(true);
      await lives.kill();
      expect(lives.counts()).toEqual(expected(lives.log));
      // With all of it committed nothing is hidden, and the last record of each key is enough.
      lives.compact();
      await lives.kill();
      expect(lives.counts()).toEqual(expected(lives.log));
    }),
    { numRuns: 1_000 },
  );
});

test("a value is gone when its time to live is over by its key's records, and deleted when it is by anybody's", async () => {
  const lives = new Lives({ name: "counts", ttlMs: 1_000 });
  await lives.take({ key: "a", atMs: 10_000, x: 1 });
  await lives.take({ key: "a", atMs: 11_000, x: 1 });
  await lives.take({ key: "b", atMs: 11_500, x: 1 });
  expect(lives.counts()).toEqual({ a: 2, b: 1 });
  await lives.take({ key: "a", atMs: 12_001, x: 1 });
  expect(lives.counts()).toEqual({ a: 1, b: 1 });
  await lives.take({ key: "c", atMs: 12_501, x: 1 });
  lives.commit(true);
  expect(lives.counts()).toEqual({ a: 1, c: 1 });
  await lives.kill();
  expect(lives.counts()).toEqual({ a: 1, c: 1 });
});

test("a try that fails has changed nothing, and sees what it has set itself", async () => {
  const seen: unknown[] = [];
  let tries = 0;
  const node: StatefulNode = {
    ...counting({ name: "counts", ttlMs: undefined }),
    run(_value, state) {
      state.set({ n: Number(seen.length) });
      const own = state.get();
      seen.push(own);
      if (typeof own === "object" && own !== null) Object.assign(own, { n: "spoilt" });
      if (++tries < 3) throw new RangeError("not yet");
    },
  };
  const bench = new Bench({ kind: "source", topic: readings, next: [node] }, { attempts: 3 });
  await bench.partition.process(recordOf({ key: "a", atMs: 1, x: 1 }, 0));
  expect(seen).toHaveLength(3);
  expect([...(bench.partition.stores.get("counts")?.entries() ?? [])]).toEqual([
    ["a", { json: '{"n":2}', setMs: 1 }],
  ]);
});
