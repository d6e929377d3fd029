/** applyStateful on the test driver; killed between any two steps: state/stores.properties.test.ts. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import {
  Bench,
  bruteForce,
  type Reading,
  readingTopic,
  recordOf,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import { agg, createStreamApp, type KeyState } from "../index.ts";

const from = readingTopic("readings");
const second = readingTopic("second");
const to = readingTopic("out");
const kpis = resultTopic("kpis");
const START_MS = 1_700_000_000_000;
const at = (atMs: number, x: number, key = "a"): Reading => ({ key, atMs, x });
const appOf = () => createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });

/** Each reading becomes the sum of its key so far; a negative one starts over. */
function summed(reading: Reading, sum: KeyState<number>): Reading {
  if (reading.x < 0) sum.delete();
  else sum.set((sum.get() ?? 0) + reading.x);
  return { ...reading, x: sum.get() ?? 0 };
}

test("each key has its own state, it lasts over crashes, and the driver shows it", () => {
  const app = appOf();
  app.dataframe(from).applyStateful(summed, { store: "sums" }).toTopic(to);
  const driver = app.testDriver({ commit: "by-hand" });
  driver
    .pipe(from, at(1, 2))
    .pipe(from, at(2, 5, "b"))
    .pipe(from, at(3, 3))
    .commit();
  expect(driver.read(to).map(({ x }) => x)).toEqual([2, 5, 5]);
  driver.pipe(from, at(4, 10)).crash();
  // The one that was not committed is processed again, from what was.
  expect(driver.read(to).map(({ x }) => x)).toEqual([15, 15]);
  expect(driver.readStore("sums")).toEqual({ a: 15, b: 5 });
  driver.pipe(from, at(5, -1)).restart();
  expect(driver.readStore("sums")).toEqual({ b: 5 });
  expect(() => driver.readStore("nothing")).toThrow(/no store "nothing"/);
  expect(app.describe("text")).toContain("apply summed with sums");
});

test("a record that fails has changed nothing, whichever try; a value's time to live is event time", () => {
  const app = appOf();
  const failing = (reading: Reading, sum: KeyState<number>) => {
    const result = summed(reading, sum);
    if (reading.x === 7) throw new RangeError("seven");
    return result;
  };
  app.dataframe(from).applyStateful(failing, { store: "sums", ttl: "1s" }).toTopic(to);
  const driver = app.testDriver();
  driver.pipe(from, at(1, 1)).pipe(from, at(2, 7)).pipe(from, at(1_001, 2)).pipe(from, at(2_002, 4));
  expect(driver.read(to).map(({ x }) => x)).toEqual([1, 3, 4]);
  expect(driver.readDeadLetters(from)).toMatchObject([{ code: "failed", step: "apply failing with sums" }]);
});

test("with questions under way ahead, a stateful step has what all records before it have changed", async () => {
  const later = fc.scheduler();
  await fc.assert(
    fc.asyncProperty(
      later,
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      async (scheduler, isFirst, concurrency) => {
        const app = appOf();
        const ask = async (reading: Reading) => {
          await scheduler.schedule(Promise.resolve());
          return reading;
        };
        const readings = app.dataframe(from);
        if (isFirst)
          readings.applyStateful(summed, { store: "sums" }).applyAsync(ask, { concurrency }).toTopic(to);
        else readings.applyAsync(ask, { concurrency }).applyStateful(summed, { store: "sums" }).toTopic(to);
        const [source] = app.topology.sources;
        if (source === undefined) throw new RangeError("The app reads no topic.");
        const bench = new Bench(source);
        const records = [1, 2, 3, 4, 5, 6].map((x, offset) => recordOf(at(offset, x), offset));
        const work = async () => {
          for (const [i, record] of records.entries()) {
            for (const next of records.slice(i)) if (!bench.partition.begin(next)) break;
            await bench.partition.process(record);
          }
        };
        await scheduler.waitFor(work());
        const sums = bench.out
          .map(({ value }) => to.decode(value))
          .map((each) => (each.ok ? each.value.x : Number.NaN));
        expect(sums).toEqual([1, 3, 6, 10, 15, 21]);
      },
    ),
    { numRuns: 100 },
  );
});

test("what can't be is refused when it is described", () => {
  const app = appOf();
  const readings = app.dataframe(from);
  const stateful = readings.applyStateful(summed, { store: "sums" });
  expect(() => readings.applyStateful(summed, { store: "sums" })).toThrow(
    /The name "sums" is already in use/,
  );
  expect(() => readings.applyStateful(summed, { store: "my sums" })).toThrow(/can't be part of a topic name/);
  const both = readings.merge(app.dataframe(second));
  expect(() => both.applyStateful(summed, { store: "both" })).toThrow(/follows a merge of several topics/);
  const named = { grace: "0s", name: "last minute" } as const;
  expect(() => stateful.tumblingWindow("1s", named).aggregate({ n: agg.count() }).final()).toThrow(
    /A window is named "last minute", which can't be part of a topic name/,
  );
});

test("a window behind a stateful step has what that made of each record, once, whatever crashes", () => {
  const script = fc.array(
    fc.oneof(
      fc.record({ key: fc.constantFrom("a", "b"), gapMs: fc.nat({ max: 900 }) }),
      fc.constantFrom("commit" as const, "crash" as const, "restart" as const),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(script, (steps) => {
      const app = appOf();
      const counted = app.dataframe(from).applyStateful(summed, { store: "sums" });
      counted
        .trailingWindow("3s", { every: "1s" })
        .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
        .toTopic(kpis);
      const driver = app.testDriver({ startMs: START_MS, commit: "by-hand" });
      const sums = new Map<string, number>();
      const made: Reading[] = [];
      let atMs = START_MS;
      for (const each of steps) {
        if (typeof each === "string") driver[each]();
        else {
          atMs += each.gapMs;
          driver.pipe(from, at(atMs, 1, each.key), { timestampMs: atMs });
          sums.set(each.key, (sums.get(each.key) ?? 0) + 1);
          made.push(at(atMs, sums.get(each.key) ?? 0, each.key));
        }
      }
      driver.advanceWallClock("20s").crash();
      driver.advanceWallClock("20s");
      const shape = { sizeMs: 3_000, everyMs: 1_000, idleAfterMs: 0, allowedLatenessMs: 0, maxFutureMs: 0 };
      if (made.length > 0)
        expect(valuesOf(driver.read(kpis))).toEqual(bruteForce(made, shape, atMs + 10_000));
    }),
    { numRuns: 200 },
  );
});
