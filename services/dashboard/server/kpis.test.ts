import type { PipelineName } from "@kelvin/schema/live";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type KpiResult, KpiTable } from "./kpis.ts";

const all = () => true;
const without =
  (...gone: PipelineName[]) =>
  (pipeline: PipelineName) =>
    !gone.includes(pipeline);
const count = (value: number, windowEndMs: number, revision = 0): KpiResult => ({
  name: "alert_count",
  value,
  windowSeconds: 5,
  windowEndMs,
  revision,
  heardMs: windowEndMs,
});

test("the result with the highest window end and revision is kept, in whatever order they come", () => {
  const result = fc.record({ end: fc.nat(5), revision: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(result, { minLength: 1 }), (results) => {
      const table = new KpiTable(10);
      for (const { end, revision } of results) table.put("a", count(end * 10 + revision, end, revision));
      const best = Math.max(...results.map(({ end, revision }) => end * 10 + revision));
      expect(table.tiles("a", 0, all)[0]).toMatchObject({ state: "value", value: best });
    }),
  );
});

test("nothing there while all is up to date: count 0, average without a number", () => {
  expect(new KpiTable(10).tiles("a", 0, all)).toEqual([
    { name: "alert_count", state: "empty", value: 0, windowEndMs: null, because: [] },
    { name: "average_temperature", state: "empty", value: null, windowEndMs: null, because: [] },
  ]);
});

test("no false all-clear: the alert count is unknown as soon as one of its two pipelines is not up to date", () => {
  const table = new KpiTable(10);
  const states = (isUpToDate: (pipeline: PipelineName) => boolean) =>
    table.tiles("a", 1_000, isUpToDate).map(({ state, because }) => [state, ...because]);
  expect(states(without("alert"))).toEqual([["unknown", "alert"], ["empty"]]);
  expect(states(without("alert-count"))).toEqual([["unknown", "alert-count"], ["empty"]]);
  expect(states(without("average-temperature"))).toEqual([["empty"], ["unknown", "average-temperature"]]);
  table.put("a", count(0, 1_000));
  expect(states(without("alert"))[0]).toEqual(["unknown", "alert"]);
  expect(table.tiles("a", 1_000, without("alert"))[0]?.value).toBeNull();
});

test("an old number is no present one: a pipeline that lost its state never says the 0 at the end", () => {
  const table = new KpiTable(10);
  table.put("a", count(4, 100_000));
  expect(table.tiles("a", 110_000, all)[0]).toMatchObject({ state: "value", value: 4 });
  expect(table.tiles("a", 110_001, all)[0]).toMatchObject({ state: "empty", value: 0, windowEndMs: 100_000 });
});

test("an average of nothing is empty, not a number", () => {
  const table = new KpiTable(10);
  const average = { ...count(0, 1_000), name: "average_temperature", windowSeconds: 10 } as const;
  table.put("a", { ...average, value: -3.25 });
  expect(table.tiles("a", 1_000, all)[1]).toMatchObject({ state: "value", value: -3.25 });
  table.put("a", { ...average, value: null, windowEndMs: 2_000 });
  expect(table.tiles("a", 1_000, all)[1]).toMatchObject({ state: "empty", value: null });
});

test("devices beyond the limit make way", () => {
  const table = new KpiTable(2);
  for (const device of ["a", "b", "a", "c"]) table.put(device, count(1, table.size + 10, table.size));
  expect(table.size).toBe(2);
});

test("a result that claims to be of the future is over when it has expired, and the true ones count again", () => {
  const table = new KpiTable(10);
  const heard = (value: number, windowEndMs: number, heardMs: number) => ({
    ...count(value, windowEndMs),
    heardMs,
  });
  table.put("a", heard(99, Date.UTC(9999, 0), 1_000));
  expect(table.put("a", heard(1, 9_000, 9_000))).toBe(false);
  expect(table.put("a", heard(2, 12_000, 12_000))).toBe(true);
  expect(table.tiles("a", 12_000, all)[0]).toMatchObject({ state: "value", value: 2, windowEndMs: 12_000 });
  expect(table.put("a", heard(1, 9_000, 60_000))).toBe(false);
});
