import fc from "fast-check";
import { expect, test } from "vitest";
import { inTimeOrder, Series } from "./series.ts";

const KEEP_MS = 100_000;
/** The spare that is kept beyond it, for the line's way in from the left. */
const SPARE_MS = 5_000;

test("holds every reading of the window, in the order of the topic, whatever the arrival", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: -3_000, max: 5_000 }), fc.float({ noNaN: true })), {
    maxLength: 2_000,
  });
  fc.assert(
    fc.property(steps, (arrivals) => {
      const series = new Series(KEEP_MS);
      const told: { timeMs: number; celsius: number }[] = [];
      let timeMs = 1_000_000;
      for (const [step, celsius] of arrivals) {
        timeMs += step;
        told.push({ timeMs, celsius });
        series.add(timeMs, celsius);
        series.expire(Math.max(...told.slice(-50).map((reading) => reading.timeMs)));
      }
      const newestMs = Math.max(0, ...told.map((reading) => reading.timeMs));
      const wanted = told.filter((reading) => reading.timeMs >= newestMs - KEEP_MS);
      const held = series.since(newestMs - KEEP_MS);
      expect([...held.timesMs]).toEqual(wanted.map((reading) => reading.timeMs));
      expect([...held.celsius]).toEqual(wanted.map((reading) => reading.celsius));
    }),
    { numRuns: 100 },
  );
});

test("drops what is too old, and only that", () => {
  const series = new Series(KEEP_MS);
  for (let second = 0; second < 500; second++) series.add(second * 1000, second);
  series.expire(499_000);
  expect(series.since(0).celsius[0]).toBe((499_000 - KEEP_MS - SPARE_MS) / 1000);
  expect(series.length).toBe(106);
});

test("never holds more than its count, the newest win, and it is known from when on all are there", () => {
  const series = new Series(KEEP_MS, 1_000);
  for (let i = 0; i < 1_000; i++) series.add(i, i);
  expect(series.wholeSinceMs).toBe(-Infinity);
  for (let i = 1_000; i < 5_000; i++) series.add(i, i);
  expect(series.length).toBe(1_000);
  expect(series.wholeSinceMs).toBe(4_000);
  expect(series.since(0).celsius[0]).toBe(4_000);
});

test("gives copies: a picture that was taken stays as it was", () => {
  const series = new Series(KEEP_MS);
  series.add(1, 20);
  const taken = series.since(0);
  for (let i = 2; i < 2_000; i++) series.add(i, 30);
  series.expire(1_000_000);
  expect([...taken.celsius]).toEqual([20]);
});

test("a step back in time is sorted for drawing; readings of one instant keep their order", () => {
  const sorted = inTimeOrder({
    timesMs: Float64Array.of(10, 30, 20, 20, 40),
    celsius: Float64Array.of(1, 2, 3, 4, 5),
  });
  expect([...sorted.timesMs]).toEqual([10, 20, 20, 30, 40]);
  expect([...sorted.celsius]).toEqual([1, 3, 4, 2, 5]);
});
