/** Stores over the lives of a partition: whatever is killed when, each record has counted once. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Lives, type Step } from "../../test-support/lives.ts";
import { Bench, type Reading, readings, recordOf } from "../../test-support/readings.ts";
import type { SourceNode, StatefulNode, StoreDefinition } from "../topology/nodes.ts";

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

function countingSource(ttlMs?: number): SourceNode {
  return { kind: "source", topic: readings, next: [counting({ name: "counts", ttlMs })] };
}

const keys = fc.constantFrom("a", "b", "c");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ key: keys, atMs: fc.nat({ max: 100 }), x: fc.integer({ min: -1, max: 5 }) })
      .map((value): Step => ({ kind: "record", value })),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(
        "commit" as const,
        "unheard" as const,
        "unended" as const,
        "kill" as const,
        "stop" as const,
      )
      .map((kind): Step => ({ kind })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("compact" as const, "undead" as const).map((kind): Step => ({ kind })),
  },
);

function countsOf({ bench }: Lives): Record<string, unknown> {
  const entries = [...(bench.partition.stores.get("counts")?.entries() ?? [])];
  return Object.fromEntries(
    entries.map(([key, { json }]): [string, unknown] => [key, JSON.parse(json)]).sort(),
  );
}

function expected(log: readonly Reading[]): Record<string, unknown> {
  const counts = new Map<string, number>();
  for (const { key, x } of log) {
    if (x < 0) counts.delete(key);
    else counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort());
}

test("P5 of stores: killed at any record, compacted at any moment, and with the dead writing on, each record counts once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (script) => {
      const lives = new Lives(countingSource());
      await lives.play(script);
      expect(countsOf(lives)).toEqual(expected(lives.log));
      await lives.play([{ kind: "stop" }, { kind: "compact" }, { kind: "kill" }]);
      expect(countsOf(lives)).toEqual(expected(lives.log));
    }),
    { numRuns: 2_000 },
  );
});

test("a process that was given up and writes on takes nothing from its successor, though Kafka keeps its words", async () => {
  const lives = new Lives(countingSource());
  const at = (x: number): Reading => ({ key: "a", atMs: 1, x });
  await lives.take(at(1));
  lives.commit();
  await lives.take(at(1));
  // It has counted the second record, and is given up before it has written that down.
  await lives.kill();
  await lives.take(at(1));
  lives.commit();
  await lives.play([{ kind: "undead" }, { kind: "compact" }, { kind: "kill" }]);
  expect(countsOf(lives)).toEqual({ a: 3 });
});

test("a value is gone when its time to live is over by its key's records, and deleted when it is by anybody's", async () => {
  const lives = new Lives(countingSource(1_000));
  lives.bench.wallMs = 100_000;
  await lives.take({ key: "a", atMs: 10_000, x: 1 });
  await lives.take({ key: "a", atMs: 11_000, x: 1 });
  await lives.take({ key: "b", atMs: 11_500, x: 1 });
  expect(countsOf(lives)).toEqual({ a: 2, b: 1 });
  await lives.take({ key: "a", atMs: 12_001, x: 1 });
  expect(countsOf(lives)).toEqual({ a: 1, b: 1 });
  await lives.take({ key: "c", atMs: 12_501, x: 1 });
  lives.commit();
  expect(countsOf(lives)).toEqual({ a: 1, c: 1 });
  await lives.kill();
  expect(countsOf(lives)).toEqual({ a: 1, c: 1 });
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
