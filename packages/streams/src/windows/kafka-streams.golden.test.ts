/**
 * P11: tumbling, hopping, sliding and session windows are Kafka Streams'. The files in `golden/` say what its
 * TopologyTestDriver told; `golden/README.md` says how they are made.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Bench, recordOf, windowedSource } from "../../test-support/readings.ts";
import type { WindowShape } from "../topology/nodes.ts";

interface Case {
  readonly tells: "final" | "current";
  readonly sizeMs: number;
  readonly everyMs: number;
  readonly graceMs: number;
  readonly records: readonly (readonly [key: string, atMs: number, x: number])[];
  /** For each record: key, start, end, count, sum. */
  readonly told: readonly (readonly Row[])[];
}

type Row = readonly [key: string, startMs: number, endMs: number, count: number | null, sum: number | null];

function isCase(json: unknown): json is Case {
  return typeof json === "object" && json !== null && "records" in json && "told" in json && "tells" in json;
}

function casesOf(kind: string): Case[] {
  const lines = readFileSync(new URL(`../../golden/${kind}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const json: unknown = JSON.parse(line);
    if (!isCase(json)) throw new TypeError(`golden/${kind}.jsonl holds a line of another shape`);
    return json;
  });
}

function shapeOf(kind: string, { tells, sizeMs, everyMs, graceMs }: Case): WindowShape {
  const common = { tells, graceMs, idleAfterMs: 1, maxFutureMs: Number.MAX_SAFE_INTEGER / 2 };
  if (kind === "sliding") return { kind, differenceMs: sizeMs, ...common };
  if (kind === "session") return { kind, gapMs: sizeMs, ...common };
  return { kind: "hopping", sizeMs, everyMs, ...common };
}

/** What each window became by the last record, in Kafka Streams' words: there the end is inside where records make it. */
function rows(kind: string, told: Bench["told"]): Row[] {
  const inside = kind === "sliding" || kind === "session" ? 1 : 0;
  const last = new Map(told.map((each) => [`${each.key} ${each.startMs} ${each.endMs - inside}`, each]));
  return [...last]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, { key, startMs, endMs, value }]) => [
      key,
      startMs,
      endMs - inside,
      value?.count ?? null,
      value?.sum ?? null,
    ]);
}

test.each(["tumbling", "hopping", "sliding", "session"])(
  "%s windows tell after each record what Kafka Streams tells",
  async (kind) => {
    const cases = casesOf(kind);
    expect(cases.length).toBeGreaterThanOrEqual(50);
    let count = 0;
    for (const [number, each] of cases.entries()) {
      const bench = new Bench(windowedSource(shapeOf(kind, each)));
      for (const [offset, [key, atMs, x]] of each.records.entries()) {
        const before = bench.told.length;
        await bench.partition.process(recordOf({ key, atMs, x }, offset));
        const told = rows(kind, bench.told.slice(before));
        expect({ number, offset, told }).toEqual({ number, offset, told: each.told[offset] });
        count += told.length;
      }
    }
    expect(count).toBeGreaterThan(500);
  },
);
