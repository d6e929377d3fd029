import { expect, test } from "vitest";
import { percentile, slope } from "./goals.ts";

test("percentiles are samples", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(samples, 0.5)).toBe(51);
  expect(percentile(samples, 0.99)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

test("the slope of a straight line is its own", () => {
  expect(slope([1, 2, 5, 9].map((x) => ({ x, y: 3 - 0.5 * x })))).toBeCloseTo(-0.5);
});
