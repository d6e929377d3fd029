/** P8 and P9 over the changelog: where commits fall, and whoever goes on behind them, nothing else is told. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Lives, type Step } from "../../test-support/lives.ts";
import { type Reading, windowedSource } from "../../test-support/readings.ts";
import type { WindowShape } from "../topology/nodes.ts";

const times = { idleAfterMs: 5, maxFutureMs: 1_000_000_000 };
const shapes: readonly WindowShape[] = [
  { kind: "trailing", sizeMs: 30, everyMs: 10, allowedLatenessMs: 40, ...times },
  { kind: "hopping", sizeMs: 30, everyMs: 30, tells: "final", graceMs: 20, ...times },
  { kind: "hopping", sizeMs: 30, everyMs: 20, tells: "current", graceMs: 20, ...times },
  { kind: "sliding", differenceMs: 25, tells: "final", graceMs: 20, ...times },
  { kind: "sliding", differenceMs: 25, tells: "current", graceMs: 20, ...times },
  { kind: "session", gapMs: 15, tells: "final", graceMs: 20, ...times },
  { kind: "session", gapMs: 15, tells: "current", graceMs: 20, ...times },
];

/** Some late, some too late. */
const reading: fc.Arbitrary<Reading> = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  atMs: fc.nat({ max: 300 }),
  x: fc.integer({ min: -100, max: 100 }),
});
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: reading.map((value): Step => ({ kind: "record", value })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom("commit" as const, "stop" as const, "compact" as const, "undead" as const)
      .map((kind): Step => ({ kind })),
  },
);

test.each(shapes.map((shape): [string, WindowShape] => [titleOf(shape), shape]))("%s", async (_, shape) => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 50 }), async (script) => {
      const restarted = new Lives(windowedSource(shape));
      await restarted.play(script);
      const straight = new Lives(windowedSource(shape));
      await straight.play(script.filter(({ kind }) => kind === "record"));
      expect(restarted.bench.deadLetters).toEqual(straight.bench.deadLetters);
      expect(told(restarted)).toEqual(told(straight));
      expect(restarted.bench.partition.paneCount).toBe(straight.bench.partition.paneCount);
    }),
    { numRuns: 300 },
  );
});

function titleOf(shape: WindowShape): string {
  return shape.kind === "trailing" ? shape.kind : `${shape.kind}, ${shape.tells}`;
}

/** Which key comes first of those that are due together is nobody's business. */
function told({ bench }: Lives) {
  const place = ({ revision, endMs, startMs, key }: (typeof bench.told)[number]) =>
    [revision, endMs, startMs].map((each) => String(each).padStart(6, "0")).join(" ") + key;
  return bench.told.toSorted((left, right) => (place(left) < place(right) ? -1 : 1));
}
