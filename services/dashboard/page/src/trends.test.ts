import type { Fleet } from "@kelvin/schema/live";
import { expect, test } from "vitest";
import { pathOf, Trends } from "./trends.ts";

const NOW = 1_700_000_000_000;

function fleet(nowMs: number, celsius: number, heardAgeMs = 0, id = "oven"): Fleet {
  return {
    nowMs,
    total: 1,
    inAlarm: 0,
    stale: 0,
    ids: [id],
    celsius: [celsius],
    change: [0],
    intervalMs: [1_000],
    eventAgeMs: [0],
    heardAgeMs: [heardAgeMs],
    flags: [0],
  };
}

test("what the server sent continues with one point a step", () => {
  const trends = new Trends();
  trends.told({ nowMs: NOW, stepMs: 5_000, ids: ["oven"], deciCelsius: [[211, null, 305]] });
  expect(trends.of("oven")).toEqual([21.1, null, 30.5]);
  for (let second = 1; second <= 10; second++) trends.heard(fleet(NOW + second * 1_000, second));
  expect(trends.of("oven")).toEqual([21.1, null, 30.5, 5, 10]);
});

test("20 points are kept; a silent device has gaps; one that is no longer listed is forgotten", () => {
  const trends = new Trends();
  for (let step = 0; step < 30; step++) trends.heard(fleet(NOW + step * 5_000, step, step > 27 ? 9_000 : 0));
  expect(trends.of("oven")).toHaveLength(20);
  expect(trends.of("oven").slice(-3)).toEqual([27, null, null]);
  trends.heard(fleet(NOW + 200_000, 1, 0, "fridge"));
  expect(trends.of("oven")).toEqual([]);
});

test("a path ends at the right edge, breaks at gaps, and keeps small changes small", () => {
  expect(pathOf([20], 38, 16)).toBe("");
  expect(pathOf([null, 20, null], 38, 16)).toBe("");
  expect(pathOf([20, 36], 38, 16)).toBe("M36.0 16.0L38.0 0.0");
  expect(pathOf([20, null, 36, 20], 38, 16)).toBe("M32.0 16.0M36.0 0.0L38.0 16.0");
  expect(pathOf([20, 21], 38, 16)).toBe("M36.0 9.0L38.0 7.0");
});
