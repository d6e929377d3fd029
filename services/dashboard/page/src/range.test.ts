import fc from "fast-check";
import { expect, test } from "vitest";
import { type AxisState, nextAxis, rangeFor, SHRINK_AFTER_MS, withLimit } from "./range.ts";

const value = fc.integer({ min: -20_000, max: 40_000 }).map((hundredths) => hundredths / 100);

test("a range holds its values, with round ends and not more than 12 steps", () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const { min, max, step } = rangeFor(Math.min(a, b), Math.max(a, b));
      expect(min).toBeLessThanOrEqual(Math.min(a, b));
      expect(max).toBeGreaterThanOrEqual(Math.max(a, b));
      const steps = (max - min) / step;
      expect(steps).toBeCloseTo(Math.round(steps), 6);
      expect(steps).toBeLessThanOrEqual(12);
    }),
  );
});

test("the axis always holds what is drawn, whatever comes", () => {
  const moves = fc.array(fc.tuple(value, value, fc.integer({ min: 50, max: 5_000 })), { maxLength: 60 });
  fc.assert(
    fc.property(moves, (all) => {
      let axis: AxisState | undefined;
      let nowMs = 0;
      for (const [a, b, stepMs] of all) {
        nowMs += stepMs;
        axis = nextAxis(axis, Math.min(a, b), Math.max(a, b), nowMs);
        expect(axis.range.min).toBeLessThanOrEqual(Math.min(a, b));
        expect(axis.range.max).toBeGreaterThanOrEqual(Math.max(a, b));
      }
    }),
  );
});

test("the axis stands still while the values move within it", () => {
  let axis = nextAxis(undefined, 7, 37, 0);
  const first = axis.range;
  for (let second = 1; second < 100; second++) {
    axis = nextAxis(axis, 7 + (second % 5), 37 - (second % 7), second * 1000);
    expect(axis.range).toBe(first);
  }
});

test("the axis grows at once, and keeps its other end", () => {
  const before = nextAxis(undefined, 10, 30, 0);
  const after = nextAxis(before, 10, 75, 1);
  expect(after.range).toEqual({ min: 0, max: 80, step: 20 });
  expect(before.range.min).toBeGreaterThanOrEqual(0);
});

test("the axis shrinks only after the values have needed less for 10 s without a break", () => {
  let axis = nextAxis(undefined, 0, 100, 0);
  const wide = axis.range;
  axis = nextAxis(axis, 20, 30, 1_000);
  axis = nextAxis(axis, 20, 30, 1_000 + SHRINK_AFTER_MS - 1);
  expect(axis.range).toBe(wide);
  axis = nextAxis(axis, 0, 100, 1_000 + SHRINK_AFTER_MS);
  axis = nextAxis(axis, 20, 30, 2_000 + SHRINK_AFTER_MS);
  expect(axis.range).toBe(wide);
  axis = nextAxis(axis, 20, 30, 2_000 + 2 * SHRINK_AFTER_MS);
  expect(axis.range.max).toBeLessThan(50);
});

test("the limit belongs to the range, unless it would press the line flat", () => {
  expect(withLimit(10, 25, 29.85)).toEqual({ low: 10, high: 29.85 });
  expect(withLimit(35, 40, 29.85)).toEqual({ low: 29.85, high: 40 });
  expect(withLimit(-41, -40, 29.85)).toEqual({ low: -41, high: -40 });
  expect(withLimit(10, 25, undefined)).toEqual({ low: 10, high: 25 });
});
