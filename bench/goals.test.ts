import { expect, test } from "vitest";
import { missedGates, percentile, slope } from "./goals.ts";

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

test("a gate that is missed is named with its value and its bound; what is no gate is only told", () => {
  const goal = { what: "frames", must: 11, aim: 10, unit: "/s", isGate: true };
  expect(missedGates([{ ...goal, value: 11 }])).toEqual([]);
  expect(missedGates([{ ...goal, value: 40 }])).toEqual(["frames: 40 /s, must be 11 /s"]);
  expect(missedGates([{ ...goal, value: Number.NaN }])).toHaveLength(1);
  expect(missedGates([{ ...goal, value: 40, isGate: false }])).toEqual([]);
  expect(missedGates([{ ...goal, value: 40, notJudged: "too few of them" }])).toEqual([]);
});
