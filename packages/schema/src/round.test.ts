import * as fc from "fast-check";
import { expect, test } from "vitest";
import { round2 } from "./round.ts";

test("halves go away from zero, also where the double lies a little below", () => {
  expect(round2(1.005)).toBe(1.01);
  expect(round2(-1.005)).toBe(-1.01);
  expect(round2(303.005)).toBe(303.01);
  expect(round2(-0.001)).toBe(0);
});

test("the result is the nearest hundredth, and rounding it again changes nothing", () => {
  fc.assert(
    fc.property(fc.double({ min: -273.15, max: 1_000_000, noNaN: true }), (value) => {
      const rounded = round2(value);
      expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.005 + 1e-9);
      expect(round2(rounded)).toBe(rounded);
      expect(Number(rounded.toFixed(2))).toBe(rounded);
    }),
  );
});
