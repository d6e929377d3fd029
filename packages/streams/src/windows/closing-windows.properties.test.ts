/** Tumbling, hopping, sliding and session windows against brute force; against Kafka Streams: kafka-streams.golden.test.ts. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bruteForceTable,
  type ClosingShape,
  expected,
  readTable,
} from "../../test-support/closing-windows.ts";
import { Lives, type Step } from "../../test-support/lives.ts";
import { Bench, type Reading, recordOf, windowedSource } from "../../test-support/readings.ts";
import type { WindowTells } from "../topology/nodes.ts";

const START_MS = 1_000_000;
const FAR_MS = 1_000_000_000;
const kinds = ["tumbling", "hopping", "sliding", "session"] as const;
const numRuns = 400;

function shapesOf(kind: (typeof kinds)[number]): fc.Arbitrary<ClosingShape> {
  return fc
    .record({
      tells: fc.constantFrom<WindowTells>("final", "current"),
      sizeMs: fc.integer({ min: 1, max: 60 }),
      hop: fc.integer({ min: 1, max: 60 }),
      graceMs: fc.integer({ min: 0, max: 60 }),
    })
    .map(({ tells, sizeMs, hop, graceMs }) => {
      const common = { tells, graceMs, idleAfterMs: 5, maxFutureMs: FAR_MS };
      if (kind === "sliding") return { kind, differenceMs: sizeMs - 1, ...common };
      if (kind === "session") return { kind, gapMs: sizeMs, ...common };
      return {
        kind: "hopping",
        sizeMs,
        everyMs: kind === "hopping" ? Math.min(hop, sizeMs) : sizeMs,
        ...common,
      };
    });
}

const key = fc.constantFrom("a", "b");
const x = fc.integer({ min: -100, max: 100 });
const readings = fc.array(fc.record({ key, atMs: fc.integer({ min: 0, max: 400 }), x }), {
  minLength: 1,
  maxLength: 30,
});

/** What happens beside records, and how often. */
const events: fc.WeightedArbitrary<Step>[] = [
  { weight: 2, arbitrary: fc.constant({ kind: "commit" }) },
  { weight: 1, arbitrary: fc.constant({ kind: "unheard" }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 120 }).map((ms) => ({ kind: "silence", ms })) },
  { weight: 1, arbitrary: fc.constant({ kind: "kill" }) },
  { weight: 1, arbitrary: fc.constant({ kind: "stop" }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "unended" }, { kind: "compact" }, { kind: "undead" }) },
];

/** Records that come at most so much after their event time, as the wall clock says. */
function punctual(latenessMs: number): fc.Arbitrary<Step[]> {
  const record = fc.record({ key, x, late: fc.integer({ min: 0, max: latenessMs }) });
  const late = record.map(
    ({ late: lateMs, ...value }): Step => ({ kind: "record", value: { ...value, atMs: -lateMs } }),
  );
  return fc
    .array(fc.oneof({ weight: 6, arbitrary: late }, ...events), { minLength: 3, maxLength: 40 })
    .map((script) => {
      let wallMs = START_MS;
      return script.map((step) => {
        if (step.kind === "silence") wallMs += step.ms;
        if (step.kind !== "record") return step;
        return { ...step, value: { ...step.value, atMs: wallMs + step.value.atMs } };
      });
    });
}

/** Records of any event time. */
const unpunctual: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .record({ key, atMs: fc.integer({ min: 0, max: 400 }), x })
        .map((value): Step => ({ kind: "record", value })),
    },
    ...events,
  ),
  { minLength: 3, maxLength: 40 },
);

describe.each(kinds)("%s windows", (kind) => {
  const shapes = shapesOf(kind);

  test("hold what they should, and what is late for all of them is a dead letter", async () => {
    await fc.assert(
      fc.asyncProperty(readings, shapes, async (list, shape) => {
        const bench = new Bench(windowedSource(shape));
        for (const [offset, each] of list.entries()) await bench.partition.process(recordOf(each, offset));
        const { table, late } = expected(list, shape);
        expect(bench.deadLetters).toEqual(late.map((offset) => ({ code: "late", offset })));
        // A last record, of somebody else, closes all that is open.
        const end = { key: "end", atMs: FAR_MS, x: 0 };
        await bench.partition.process(recordOf(end, list.length));
        expect(readTable(bench.told.filter((each) => each.key !== "end"))).toEqual(table);
        if (shape.tells === "final") {
          const names = bench.told.map((each) => `${each.key} ${each.startMs} ${each.endMs}`);
          expect(new Set(names).size).toBe(names.length);
        }
      }),
      { numRuns },
    );
  });

  test("live with silences and killed at any record, they come out as by brute force", async () => {
    const cases = shapes.chain((shape) => fc.tuple(fc.constant(shape), punctual(shape.graceMs)));
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, script]) => {
        const lives = new Lives(windowedSource(shape));
        lives.bench.wallMs = START_MS;
        await lives.play(script);
        await lives.settle(10_000);
        expect(lives.bench.deadLetters).toEqual([]);
        expect(readTable(lives.bench.told)).toEqual(bruteForceTable(lives.log, shape));
        expect(lives.bench.partition.paneCount).toBe(0);
      }),
      { numRuns: 2 * numRuns },
    );
  });
});

test("sessions killed at any record hold all records but those that were refused, whatever is late", async () => {
  await fc.assert(
    fc.asyncProperty(unpunctual, shapesOf("session"), async (script, shape) => {
      const lives = new Lives(windowedSource(shape));
      await lives.play(script);
      await lives.settle(10_000);
      const refused = new Set(lives.bench.deadLetters.map(({ offset }) => offset));
      const counted: Reading[] = lives.log.filter((_, offset) => !refused.has(offset));
      expect(readTable(lives.bench.told)).toEqual(bruteForceTable(counted, shape));
    }),
    { numRuns: 2_000 },
  );
});
