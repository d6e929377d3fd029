/**
 * The trailing window against brute force. P1 to P8 and P10 are the properties of the window's definition:
 * docs in packages/streams/README.md. P9 (a rebalance in mid-window) needs a group: runtime/runner.integration.test.ts.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lives, type Step } from "../../test-support/lives.ts";
import {
  Bench,
  bruteForce,
  type Reading,
  recordOf,
  tableOf,
  trailingSource,
  valuesOf,
} from "../../test-support/readings.ts";
import type { TrailingWindowShape } from "../topology/nodes.ts";

const HUGE_MS = 1_000_000_000;
const runs = { numRuns: 400 };

const shapes = fc
  .record({ everyMs: fc.integer({ min: 1, max: 20 }), panes: fc.integer({ min: 1, max: 6 }) })
  .map(
    ({ everyMs, panes }): TrailingWindowShape => ({
      sizeMs: everyMs * panes,
      everyMs,
      idleAfterMs: 5,
      allowedLatenessMs: HUGE_MS,
      maxFutureMs: HUGE_MS,
    }),
  );

const reading = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  atMs: fc.integer({ min: 0, max: 300 }),
  x: fc.integer({ min: -1_000, max: 1_000 }),
});
const readingLists = fc.array(reading, { minLength: 1, maxLength: 25 });

function ascending(list: readonly Reading[]): Reading[] {
  return list.toSorted((left, right) => left.atMs - right.atMs);
}

function lastMs(list: readonly Reading[]): number {
  return Math.max(...list.map(({ atMs }) => atMs));
}

/** Works on all of them, then lets event time run on alone until everything is told. */
async function told(list: readonly Reading[], shape: TrailingWindowShape, runOnMs = 0): Promise<Bench> {
  const bench = new Bench(trailingSource(shape));
  for (const [offset, each] of list.entries()) await bench.partition.process(recordOf(each, offset));
  if (runOnMs > 0) await bench.partition.elapse(runOnMs, true);
  return bench;
}

const zero: Step = { kind: "record", value: { key: "a", atMs: 0, x: 0 } };
const silence: Step = { kind: "silence", ms: 20_000 };
const kill: Step = { kind: "kill" };
const firstNote: Step[] = [zero, silence, zero, kill, zero, kill];
const manyLate: Step[] = [zero, silence, zero, zero, zero, kill, zero];
const secondKill: Step[] = [zero, silence, zero, kill, kill, zero];
const second: TrailingWindowShape = {
  sizeMs: 1_000,
  everyMs: 1_000,
  idleAfterMs: 5,
  allowedLatenessMs: HUGE_MS,
  maxFutureMs: HUGE_MS,
};
// A second kill, before anything was noted, after time that passed alone.
const noteLost: Step[] = [
  zero,
  { kind: "silence", ms: 1_000 },
  kill,
  { kind: "silence", ms: 6_000 },
  kill,
  { kind: "commit" },
  kill,
  zero,
  { kind: "commit" },
  { kind: "commit" },
];
const at = (seconds: number, key: string): Step => ({
  kind: "record",
  value: { key, atMs: seconds * 1_000, x: 0 },
});
const stopBetween: Step[] = [
  at(275, "a"),
  { kind: "silence", ms: 14_000 },
  at(170, "b"),
  at(187, "b"),
  kill,
  { kind: "stop" },
  kill,
  at(187, "b"),
];
const tenSeconds: TrailingWindowShape = { ...second, sizeMs: 10_000 };

describe("trailing window", () => {
  test("P1: the final table equals brute force, whatever the order of arrival", async () => {
    await fc.assert(
      fc.asyncProperty(readingLists, shapes, async (list, shape) => {
        const bench = await told(list, shape);
        expect(valuesOf(bench.told)).toEqual(bruteForce(list, shape, lastMs(list)));
        expect(bench.deadLetters).toEqual([]);
      }),
      runs,
    );
  });

  test("P2: the order of arrival does not matter", async () => {
    const twoOrders = readingLists.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(twoOrders, shapes, async ([one, other], shape) => {
        expect(valuesOf((await told(one, shape)).told)).toEqual(valuesOf((await told(other, shape)).told));
      }),
      runs,
    );
  });

  test("P3: of records in order each result is told once, ascending", async () => {
    await fc.assert(
      fc.asyncProperty(readingLists.map(ascending), shapes, async (list, shape) => {
        const bench = await told(list, shape, 2 * shape.sizeMs + 10);
        for (const key of ["a", "b", "c"]) {
          const ends = bench.told.filter((each) => each.key === key).map(({ endMs }) => endMs);
          expect(ends).toEqual([...new Set(ends)].toSorted((left, right) => left - right));
        }
      }),
      runs,
    );
  });

  test("P4: after silence the last value is the empty one, told once", async () => {
    await fc.assert(
      fc.asyncProperty(readingLists, shapes, async (list, shape) => {
        const bench = await told(list, shape, 2 * shape.sizeMs + 10);
        for (const key of new Set(list.map((each) => each.key))) {
          const ends = bench.told.filter((each) => each.key === key).map(({ endMs }) => endMs);
          const last = tableOf(bench.told).get(`${key}@${Math.max(...ends)}`);
          expect(last?.value).toEqual({ count: 0, sum: 0 });
          expect(ends.filter((endMs) => endMs === Math.max(...ends))).toHaveLength(1);
        }
      }),
      runs,
    );
  });

  test("P5: killed at any record and restored from an older checkpoint, whatever the dead write on, the table is the same", async () => {
    // In seconds, so that what the runtime allows for corrected wall clocks is small beside it.
    const late = reading.map((value) => ({
      kind: "record" as const,
      value: { ...value, atMs: value.atMs * 1_000 },
    }));
    const long = shapes.map((shape) => ({
      ...shape,
      sizeMs: shape.sizeMs * 1_000,
      everyMs: shape.everyMs * 1_000,
    }));
    const steps: fc.Arbitrary<Step[]> = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: late },
        { weight: 2, arbitrary: fc.constant({ kind: "commit" as const }) },
        {
          weight: 2,
          arbitrary: fc.integer({ min: 1, max: 60_000 }).map((ms) => ({ kind: "silence" as const, ms })),
        },
        { weight: 1, arbitrary: fc.constant({ kind: "kill" as const }) },
        { weight: 1, arbitrary: fc.constant({ kind: "stop" as const }) },
        {
          weight: 2,
          arbitrary: fc
            .constantFrom("unheard" as const, "unended" as const, "compact" as const, "undead" as const)
            .map((kind) => ({ kind })),
        },
      ),
      { minLength: 3, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, long, async (script, shape) => {
        const lives = new Lives(trailingSource(shape));
        await lives.play(script);
        const { bench, log } = lives;
        if (log.length === 0) return;
        await bench.partition.elapse(1, false);
        await bench.partition.elapse(1_000_000, true);
        const clockMs = bench.partition.clockMs ?? 0;
        expect(valuesOf(bench.told)).toEqual(bruteForce(log, shape, clockMs));
        // Worked on again from the beginning, for instance with a mended pipeline: the new results replace the old ones.
        const before = bench.told.length;
        bench.partition = bench.fresh(0);
        for (const [offset, each] of log.entries()) await bench.partition.process(recordOf(each, offset));
        await bench.partition.elapse(1_000_000, true);
        const again = bench.told.slice(before);
        const old = tableOf(bench.told.slice(0, before));
        for (const [at, { revision }] of tableOf(again)) {
          expect(revision).toBeGreaterThanOrEqual(old.get(at)?.revision ?? 0);
        }
      }),
      // What once failed, each found by many random scripts: lives that told results and were forgotten before they could
      // note it.
      {
        numRuns: 1_500,
        examples: [
          [firstNote, second],
          [manyLate, second],
          [secondKill, tenSeconds],
          [noteLost, { ...second, sizeMs: 6_000, everyMs: 6_000 }],
          [stopBetween, { ...second, sizeMs: 102_000, everyMs: 17_000 }],
        ],
      },
    );
  });

  test("P6: live with silences between equals a replay without, as tables", async () => {
    const withSilences = fc.array(fc.tuple(reading, fc.integer({ min: 0, max: 80 })), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(withSilences, shapes, async (script, shape) => {
        const live = new Bench(trailingSource(shape));
        for (const [offset, [each, silenceMs]] of script.entries()) {
          await live.partition.process(recordOf(each, offset));
          await live.partition.elapse(silenceMs, true);
        }
        await live.partition.elapse(10_000, true);
        const replay = await told(
          script.map(([each]) => each),
          shape,
          10_000,
        );
        expect(valuesOf(live.told)).toEqual(valuesOf(replay.told));
      }),
      runs,
    );
  });

  test("P7: every record is in its windows or in exactly one side output", async () => {
    const lateness = fc.integer({ min: 0, max: 60 });
    const ahead = fc.integer({ min: 0, max: 100 });
    await fc.assert(
      fc.asyncProperty(
        readingLists,
        shapes,
        lateness,
        ahead,
        async (list, base, allowedLatenessMs, maxFutureMs) => {
          const shape = { ...base, allowedLatenessMs, maxFutureMs };
          const bench = new Bench(trailingSource(shape));
          bench.wallMs = 150;
          // The same decision, from the definition: by the highest event time that came before.
          const expected: { code: string; offset: number }[] = [];
          const counted: Reading[] = [];
          let clockMs = Number.NEGATIVE_INFINITY;
          for (const [offset, each] of list.entries()) {
            await bench.partition.process(recordOf(each, offset));
            if (each.atMs > bench.wallMs + maxFutureMs) {
              expected.push({ code: "future", offset });
              continue;
            }
            clockMs = Math.max(clockMs, each.atMs);
            const tickMs = Math.floor(clockMs / shape.everyMs) * shape.everyMs;
            const firstEndMs = (Math.floor(each.atMs / shape.everyMs) + 1) * shape.everyMs;
            if (firstEndMs <= tickMs - allowedLatenessMs) expected.push({ code: "late", offset });
            else counted.push(each);
          }
          expect(bench.deadLetters).toEqual(expected);
          if (counted.length > 0) expect(valuesOf(bench.told)).toEqual(bruteForce(counted, shape, clockMs));
          else expect(bench.told).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("P8: how partitions interleave does not matter", async () => {
    await fc.assert(
      fc.asyncProperty(
        readingLists,
        readingLists,
        fc.array(fc.boolean()),
        shapes,
        async (one, other, turns, shape) => {
          const left = new Bench(trailingSource(shape));
          const right = new Bench(trailingSource(shape));
          let [i, j] = [0, 0];
          for (let turn = 0; i < one.length || j < other.length; turn++) {
            const a = one[i];
            const b = other[j];
            if (a !== undefined && (b === undefined || turns[turn % (turns.length + 1)] === true)) {
              await left.partition.process(recordOf(a, i++));
            } else if (b !== undefined) await right.partition.process(recordOf(b, j++));
          }
          expect(left.told).toEqual((await told(one, shape)).told);
          expect(right.told).toEqual((await told(other, shape)).told);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("P10: a wall clock that steps back or forward changes nothing", async () => {
    const silences = fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 10 });
    const steps = fc.array(fc.integer({ min: -HUGE_MS / 4, max: HUGE_MS / 4 }), {
      minLength: 1,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(readingLists, silences, steps, shapes, async (list, quietMs, jumps, shape) => {
        const told = async (wallMsAt: (offset: number) => number) => {
          const bench = new Bench(trailingSource(shape));
          for (const [offset, each] of list.entries()) {
            bench.wallMs = wallMsAt(offset);
            await bench.partition.process(recordOf(each, offset));
            bench.wallMs = wallMsAt(offset + 1);
            await bench.partition.elapse(quietMs[offset % quietMs.length] ?? 0, true);
          }
          return bench.told;
        };
        const stepped = await told((offset) => jumps[offset % jumps.length] ?? 0);
        expect(stepped).toEqual(await told(() => 0));
      }),
      runs,
    );
  });

  test("what is kept is bounded by the window, not by the keys that ever spoke", async () => {
    const shape = { sizeMs: 50, everyMs: 10, idleAfterMs: 5, allowedLatenessMs: 30, maxFutureMs: HUGE_MS };
    const bench = new Bench(trailingSource(shape));
    const sizes: number[] = [];
    for (let offset = 0; offset < 3_000; offset++) {
      await bench.partition.process(recordOf({ key: `device-${offset}`, atMs: offset, x: 1 }, offset));
      sizes.push(bench.partition.paneCount);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * 50 + 10 + 30 + 10 + 10);
  });
});
