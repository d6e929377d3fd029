/** What the test driver does to a pipeline: the same from the same seed, and the same table whatever it does. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import {
  bruteForce,
  type Reading,
  readingTopic,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import { agg, createStreamApp, type KeyState } from "../index.ts";
import { chanceOf, shuffledWithin } from "./chance.ts";

const from = readingTopic("in");
const counted = readingTopic("counted");
const kpis = resultTopic("kpis");
const START_MS = 1_700_000_000_000;
const shape = {
  sizeMs: 2_000,
  everyMs: 1_000,
  idleAfterMs: 2_000,
  allowedLatenessMs: 60_000,
  maxFutureMs: 60_000,
};

function driverOf(seed: number, commit: "each-step" | "by-hand" = "by-hand") {
  const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
  const count = (reading: Reading, counts: KeyState<number>) => {
    counts.set((counts.get() ?? 0) + 1);
    return { ...reading, x: counts.get() ?? 0 };
  };
  app.dataframe(from).applyStateful(count, { store: "counts" }).toTopic(counted);
  app
    .dataframe(from)
    .groupBy(({ key }) => key.charAt(0), { name: "floor" })
    .trailingWindow("2s", { every: "1s" })
    .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
    .toTopic(kpis);
  return app.testDriver({ seed, startMs: START_MS, commit });
}

const readings = fc.array(
  fc.record({ key: fc.constantFrom("1a", "1b", "2a"), gapMs: fc.nat({ max: 900 }), x: fc.nat({ max: 9 }) }),
  { minLength: 1, maxLength: 30 },
);
const trouble = fc.array(fc.constantFrom("crash", "restart", "rebalance", "replay", "commit", "nothing"), {
  maxLength: 12,
});

/** Event times rise; the order of arrival is the driver's. */
function listOf(gaps: readonly { key: string; gapMs: number; x: number }[]): Reading[] {
  let atMs = START_MS;
  return gaps.map(({ key, gapMs, x }) => {
    atMs += gapMs;
    return { key, atMs, x };
  });
}

function play(seed: number, list: readonly Reading[], script: readonly string[]) {
  const driver = driverOf(seed);
  const chunk = Math.ceil(list.length / (script.length + 1));
  for (let i = 0; i <= script.length; i++) {
    driver.pipeOutOfOrder(from, list.slice(i * chunk, (i + 1) * chunk), { places: 4 });
    const what = script[i];
    if (what === "crash") driver.crash();
    if (what === "restart") driver.restart();
    if (what === "rebalance") driver.rebalance();
    if (what === "replay") driver.replay();
    if (what === "commit") driver.commit();
  }
  driver.advanceWallClock("30s");
  return {
    told: driver.read(kpis),
    counts: driver.readStore("counts"),
    letters: driver.readDeadLetters(from),
  };
}

test("the same seed and script give the same results, to the last header; the table does not depend on them", () => {
  fc.assert(
    fc.property(readings, trouble, fc.nat(), fc.nat(), (gaps, script, seed, other) => {
      const list = listOf(gaps);
      const first = play(seed, list, script);
      expect(play(seed, list, script)).toEqual(first);
      expect(first.letters).toEqual([]);
      const floors = list.map((reading) => ({ ...reading, key: reading.key.charAt(0) }));
      const untilMs = (list.at(-1)?.atMs ?? 0) + 20_000;
      expect(valuesOf(first.told)).toEqual(bruteForce(floors, shape, untilMs));
      expect(valuesOf(play(other, list, []).told)).toEqual(valuesOf(first.told));
      const keys = new Set(list.map(({ key }) => key));
      const counts = Object.fromEntries(
        [...keys].map((key) => [key, list.filter((each) => each.key === key).length]),
      );
      expect(first.counts).toEqual(counts);
    }),
    { numRuns: 200 },
  );
});

test("a replay recomputes everything: positions, stores and repartition topics start over, written records stay", () => {
  const driver = driverOf(1, "each-step");
  driver.pipe(from, { key: "1a", atMs: START_MS, x: 5 }).pipe(from, { key: "1a", atMs: START_MS + 10, x: 5 });
  expect(driver.read(counted).map(({ x }) => x)).toEqual([1, 2]);
  driver.replay();
  expect(driver.read(counted).map(({ x }) => x)).toEqual([1, 2]);
  expect(driver.readStore("counts")).toEqual({ "1a": 2 });
});

test("another order has all of the list, each at most so far from where it was; seeds differ", () => {
  const list = Array.from({ length: 50 }, (_, i) => i);
  fc.assert(
    fc.property(fc.integer(), fc.nat({ max: 10 }), (seed, places) => {
      const shuffled = shuffledWithin(list, places, chanceOf(seed));
      expect(shuffled.toSorted((left, right) => left - right)).toEqual(list);
      let highest = 0;
      for (const each of shuffled) {
        highest = Math.max(highest, each);
        expect(highest - each).toBeLessThanOrEqual(places);
      }
    }),
  );
  expect(shuffledWithin(list, 5, chanceOf(1))).not.toEqual(shuffledWithin(list, 5, chanceOf(2)));
  expect(shuffledWithin(list, 0, chanceOf(1))).toEqual(list);
});
