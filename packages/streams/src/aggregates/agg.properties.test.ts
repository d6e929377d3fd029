/** Aggregates are monoids: how records are spread over panes, and how panes are merged, changes nothing. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { createStreamApp } from "../index.ts";
import { agg } from "./agg.ts";
import type { Aggregate } from "./aggregate.ts";
import { Several } from "./several.ts";

type One = Aggregate<Reading, unknown>;

const x = (reading: Reading) => reading.x;
const keep = (reading: Reading) => `${reading.key}${reading.x}`;
const numbers = (list: readonly Reading[]) => list.map(x);
/** In order of time; of equal times in order of arrival. */
const inTime = (list: readonly Reading[]) => list.toSorted((left, right) => left.atMs - right.atMs);
const total = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0);

function deviation(list: readonly number[]): number | null {
  if (list.length < 2) return null;
  const mean = total(list) / list.length;
  return Math.sqrt(total(list.map((each) => (each - mean) ** 2)) / (list.length - 1));
}

const quantile = (level: number) => (list: readonly Reading[]) =>
  numbers(list).toSorted((left, right) => left - right)[Math.floor(level * (list.length - 1))] ?? null;

/** Each aggregate, and what it should say of a list of records in their order of arrival. */
const aggregates: [
  string,
  One,
  (list: readonly Reading[]) => unknown,
  (actual: unknown, expected: unknown) => void,
][] = [
  ["count", agg.count(), (list) => list.length, same],
  ["sum", agg.sum(x), (list) => total(numbers(list)), near],
  ["mean", agg.mean(x), (list) => (list.length === 0 ? null : total(numbers(list)) / list.length), near],
  ["min", agg.min(x), (list) => (list.length === 0 ? null : Math.min(...numbers(list))), same],
  ["max", agg.max(x), (list) => (list.length === 0 ? null : Math.max(...numbers(list))), same],
  ["first", agg.first(keep), (list) => inTime(list).map(keep)[0] ?? null, same],
  ["last", agg.last(keep), (list) => inTime(list).map(keep).at(-1) ?? null, same],
  ["collect", agg.collect(keep), (list) => inTime(list).map(keep), same],
  ["stddev", agg.stddev(x), (list) => deviation(numbers(list)), near],
  ["quantile 0", agg.quantile(0, x), quantile(0), within(0.01)],
  ["quantile 0.5", agg.quantile(0.5, x), quantile(0.5), within(0.01)],
  ["quantile 0.99", agg.quantile(0.99, x, { accuracy: 0.001 }), quantile(0.99), within(0.001)],
  ["quantile 1", agg.quantile(1, x, { accuracy: 0.2 }), quantile(1), within(0.2)],
  [
    "reduce",
    agg.reduce<Reading>((left, right) => (left.x >= right.x ? left : right)),
    (list) =>
      list.reduce<Reading | null>((most, each) => (most === null || each.x > most.x ? each : most), null),
    (actual, expected) => same(xOf(actual), xOf(expected)),
  ],
];

function xOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "x" in value ? value.x : value;
}

function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

/** As far as sums in any order agree. */
function near(actual: unknown, expected: unknown): void {
  if (typeof expected !== "number" || typeof actual !== "number") return same(actual, expected);
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1_000_000, Math.abs(expected)));
}

function within(share: number) {
  return (actual: unknown, expected: unknown): void => {
    if (typeof expected !== "number" || typeof actual !== "number") return same(actual, expected);
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(share * Math.abs(expected) * (1 + 1e-9));
  };
}

const amount = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -50, max: 50 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((each) => each + 0) },
  { weight: 1, arbitrary: fc.double({ min: 1e-9, max: 1e-3, noNaN: true }) },
);
const reading = fc.record({ key: fc.constantFrom("a", "b"), atMs: fc.nat({ max: 20 }), x: amount });

/** What a changelog makes of it; and nobody may change it in place. */
function stored<T>(accumulator: T): T {
  return frozen(JSON.parse(JSON.stringify(accumulator)));
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

function fold(aggregate: One, list: readonly Reading[]): unknown {
  let accumulator: unknown;
  for (const each of list)
    accumulator = frozen(aggregate.add(accumulator, aggregate.select(each, each.atMs)));
  return accumulator;
}

/** The accumulators as one; none at all where there is none. */
function merged(aggregate: One, accumulators: readonly unknown[]): unknown {
  return accumulators.reduce((left, right) => {
    if (left === undefined || right === undefined) return left ?? right;
    return frozen(aggregate.merge(left, right));
  }, undefined);
}

describe.each(aggregates)("%s", (_name, aggregate, bruteForce, compare) => {
  test("is what brute force says, spread over any panes, merged from either end, stored in between", () => {
    fc.assert(
      fc.property(fc.array(fc.array(reading, { maxLength: 70 }), { maxLength: 5 }), (panes) => {
        const expected = bruteForce(panes.flat());
        const parts = panes.map((pane) => fold(aggregate, pane));
        compare(aggregate.result(fold(aggregate, panes.flat())), expected);
        compare(aggregate.result(merged(aggregate, parts)), expected);
        // From the right: (a + (b + (c + nothing))).
        const fromRight = parts.reduceRight((right, left) => merged(aggregate, [left, right]), undefined);
        compare(aggregate.result(fromRight), expected);
        compare(
          aggregate.result(
            merged(
              aggregate,
              parts.map((part) => part && stored(part)),
            ),
          ),
          expected,
        );
      }),
      { numRuns: 300 },
    );
  });
});

test("several in one pass are each as they are alone", () => {
  const all = Object.fromEntries(aggregates.map(([name, aggregate]) => [name, aggregate]));
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 30 }), fc.array(reading, { maxLength: 30 }), (left, right) => {
      const several = new Several(all as ConstructorParameters<typeof Several>[0]);
      const folded = (list: readonly Reading[]) =>
        list.reduce<ReturnType<typeof several.add> | undefined>(
          (before, each) => several.add(before, [each], each.atMs),
          undefined,
        );
      const [one, other] = [folded(left), folded(right)];
      const result = several.result(other === undefined ? one : several.merge(one, other));
      for (const [name, aggregate, bruteForce, compare] of aggregates) {
        compare(result[name], bruteForce([...left, ...right]));
        expect(result[name]).toEqual(
          aggregate.result(merged(aggregate, [fold(aggregate, left), fold(aggregate, right)])),
        );
      }
    }),
    { numRuns: 100 },
  );
});

test("stddev keeps small differences of large values", () => {
  const list = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16].map((each) => ({ key: "a", atMs: 0, x: each }));
  expect(agg.stddev(x).result(agg.stddev(x).merge(half(list.slice(0, 2)), half(list.slice(2))))).toBeCloseTo(
    Math.sqrt(30),
    6,
  );
  function half(part: readonly Reading[]) {
    const [first, second] = part.map(x);
    return agg.stddev(x).add(agg.stddev(x).add(undefined, first ?? 0), second ?? 0);
  }
});

test("a sketch of a million values stays small", () => {
  const aggregate = agg.quantile(0.99, x);
  let sketch: ReturnType<typeof aggregate.add> | undefined;
  for (let i = 0; i < 100_000; i++) sketch = aggregate.add(sketch, 20 + ((i * 7_919) % 10_007) / 500);
  expect(JSON.stringify(sketch).length).toBeLessThan(2_000);
  const expected = 20 + (0.99 * 10_007) / 500;
  expect(Math.abs((aggregate.result(sketch) ?? 0) - expected)).toBeLessThan(0.01 * expected + 0.01);
});

test("what can't be computed is refused, in the description or as the record's fault", () => {
  expect(() => agg.quantile(95, x)).toThrow(/level of a quantile is 95; it must be from 0 to 1/);
  expect(() => agg.quantile(0.5, x, { accuracy: 0 })).toThrow(/accuracy of a quantile is 0/);
  const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
  const [from, to] = [readingTopic("in"), resultTopic("out")];
  const window = app.dataframe(from).tumblingWindow("1s", { grace: "0s" });
  const aggregates = {
    count: agg.count(),
    sum: agg.sum(x),
    p95: agg.quantile(0.95, (r: Reading) => 1 / r.x),
  };
  window.aggregate(aggregates).final().toTopic(to);
  expect(app.describe("text")).toContain("tumbling 1s, final: count = count, sum = sum, p95 = quantile-0.95");
  const driver = app.testDriver();
  driver.pipe(from, { key: "a", atMs: 1, x: 0 }).pipe(from, { key: "a", atMs: 2, x: 2 });
  expect(driver.readDeadLetters(from)).toMatchObject([
    { code: "failed", reason: expect.stringContaining("agg.quantile returned Infinity") },
  ]);
  expect(driver.advanceWallClock("9s").read(to)).toMatchObject([{ value: { count: 1, sum: 2 } }]);
});
