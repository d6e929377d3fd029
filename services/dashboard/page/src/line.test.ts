import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestIndex, pointsOf } from "./line.ts";

const options = {
  gapMs: 3_000,
  convert: (celsius: number) => celsius,
  fromMs: 0,
  toMs: 100_000,
  pixels: 800,
};

function columns(readings: readonly (readonly [number, number])[]) {
  return {
    timesMs: Float64Array.from(readings, ([timeMs]) => timeMs),
    celsius: Float64Array.from(readings, ([, celsius]) => celsius),
  };
}

test("few readings: each is a point", () => {
  const points = pointsOf(
    columns([
      [0, 20],
      [1_000, 21],
      [2_000, 22],
    ]),
    options,
  );
  expect(points).toEqual([
    { x: 0, y: 20 },
    { x: 1_000, y: 21 },
    { x: 2_000, y: 22 },
  ]);
});

test("a pause longer than the gap breaks the line, one as long does not", () => {
  const points = pointsOf(
    columns([
      [0, 20],
      [3_000, 21],
      [6_001, 22],
    ]),
    options,
  );
  expect(points.map(({ y }) => y)).toEqual([20, 21, Number.NaN, 22]);
});

test("values are converted to the unit shown", () => {
  const points = pointsOf(columns([[0, 20]]), { ...options, convert: (celsius) => celsius + 273.15 });
  expect(points).toEqual([{ x: 0, y: 293.15 }]);
});

const dense = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -50, max: 150 })), {
  minLength: 100,
  maxLength: 3_000,
});

test("many readings: no more than 4 points a pixel, and no peak, gap, first or last is lost", () => {
  fc.assert(
    fc.property(dense, fc.integer({ min: 5, max: 40 }), (steps, pixels) => {
      let timeMs = 0;
      const readings = steps.map(([step, celsius]): [number, number] => {
        timeMs += step;
        return [timeMs, celsius];
      });
      const all = columns(readings);
      const toMs = timeMs + 1;
      const points = pointsOf(all, { ...options, gapMs: 50, toMs, pixels });
      const drawn = points.filter(({ y }) => !Number.isNaN(y));
      const breaks = points.length - drawn.length;
      const gaps = steps.slice(1).filter(([step]) => step > 50).length;
      expect(breaks).toBe(gaps);
      expect(drawn.length).toBeLessThanOrEqual(Math.max(4 * pixels, 4 * (pixels + gaps)));
      const values = readings.map(([, celsius]) => celsius);
      expect(Math.max(...drawn.map(({ y }) => y))).toBe(Math.max(...values));
      expect(Math.min(...drawn.map(({ y }) => y))).toBe(Math.min(...values));
      expect(drawn[0]).toEqual({ x: readings[0]?.[0], y: values[0] });
      expect(drawn.at(-1)).toEqual({ x: timeMs, y: values.at(-1) });
      const times = drawn.map(({ x }) => x);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

test("the nearest reading is the one with the smallest distance", () => {
  const times = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(times, fc.integer({ min: -50, max: 1_050 }), (unsorted, timeMs) => {
      const sorted = Float64Array.from(unsorted).sort();
      const found = sorted[nearestIndex(sorted, timeMs)] ?? Number.NaN;
      const best = Math.min(...[...sorted].map((time) => Math.abs(time - timeMs)));
      expect(Math.abs(found - timeMs)).toBe(best);
    }),
  );
});

test("where nothing is, nothing is near", () => {
  expect(nearestIndex(new Float64Array(0), 5)).toBe(-1);
});
