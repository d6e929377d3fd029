/** Types flow through every operation: a wrong payload or field is a compile error. Checked as part of `pnpm types`. */
import { expect, expectTypeOf, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createStreamApp, type IsJson, type KeyState, type StreamingDataFrame } from "../index.ts";

const app = createStreamApp({ name: "types", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
const readings = app.dataframe(readingTopic("in"));

test("flatMap and applyAsync give what their functions give", () => {
  expectTypeOf(readings.flatMap(({ key, x }) => [key, x])).toEqualTypeOf<
    StreamingDataFrame<string | number>
  >();
  expectTypeOf(readings.flatMap(async ({ key }) => new Set([key]))).toEqualTypeOf<
    StreamingDataFrame<string>
  >();
  // @ts-expect-error no list
  readings.flatMap(({ x }) => x);
  expectTypeOf(readings.applyAsync(async ({ x }) => x, { concurrency: 2 })).toEqualTypeOf<
    StreamingDataFrame<number>
  >();
  // @ts-expect-error what does not wait needs no concurrency
  readings.applyAsync(({ x }) => x, { concurrency: 2 });
  // @ts-expect-error how many at once is everybody's own choice
  expect(() => readings.applyAsync(async ({ x }) => x, {})).toThrow(/concurrency is undefined/);
  // @ts-expect-error no such field
  readings.applyAsync(async ({ nothing }) => nothing, { concurrency: 2 });
});

test("branches keep the type or narrow it, and have the names that were given", () => {
  const mixed = readings.apply((reading): Reading | string => (reading.x > 0 ? reading : reading.key));
  const parts = mixed.branch({
    texts: (value): value is string => typeof value === "string",
    others: (value) => typeof value !== "string",
  });
  expectTypeOf(parts.texts).toEqualTypeOf<StreamingDataFrame<string>>();
  expectTypeOf(parts.otherwise).toEqualTypeOf<StreamingDataFrame<Reading | string>>();
  // @ts-expect-error no branch of that name
  expect(parts.nothing).toBeUndefined();
  // @ts-expect-error no such field
  readings.branch({ hot: ({ celsius }) => celsius > 30 });
  // @ts-expect-error a number is no answer
  readings.branch({ hot: ({ x }) => x });
});

test("merged streams have both types", () => {
  const texts = readings.apply(({ key }) => key);
  expectTypeOf(readings.merge(texts)).toEqualTypeOf<StreamingDataFrame<Reading | string>>();
  // @ts-expect-error a text is no reading
  readings.merge(texts).toTopic(readingTopic("out"));
});

test("groupBy keeps the type, wants a text, and a codec for what JSON does not carry", () => {
  expectTypeOf(readings.groupBy(({ key }) => key, { name: "a" })).toEqualTypeOf<
    StreamingDataFrame<Reading>
  >();
  // @ts-expect-error a key is a text
  readings.groupBy(({ x }) => x, { name: "b" });
  // @ts-expect-error it needs a name
  expect(() => readings.groupBy(({ key }) => key, {})).toThrow(/groupBy is named "undefined"/);
  expectTypeOf<IsJson<Reading>>().toEqualTypeOf<true>();
  expectTypeOf<
    IsJson<{ readonly a: readonly (string | null)[]; readonly b?: { readonly c: number } }>
  >().toEqualTypeOf<true>();
  expectTypeOf<IsJson<Date>>().toEqualTypeOf<false>();
  expectTypeOf<IsJson<{ readonly at: Date }>>().toEqualTypeOf<false>();
  expectTypeOf<IsJson<{ readonly a: readonly { readonly b: bigint }[] }>>().toEqualTypeOf<false>();
  expectTypeOf<IsJson<{ readonly seen: Set<string> }>>().toEqualTypeOf<false>();
  expectTypeOf<IsJson<Uint8Array>>().toEqualTypeOf<false>();
});

test("a function chooses among topics that take the value", () => {
  readings.toTopic(({ x }) => readingTopic(x > 1 ? "much" : "little"));
  // @ts-expect-error results are no readings
  readings.toTopic(() => resultTopic("other"));
  // @ts-expect-error nor may they be among those it is known to choose
  readings.toTopic(() => readingTopic("a"), { topics: [resultTopic("other")] });
});

test("state has its type on both sides, and is JSON", () => {
  const step = (reading: Reading, count: KeyState<number>) => {
    count.set((count.get() ?? 0) + 1);
    // @ts-expect-error a text is no count
    expect(() => count.set("1")).not.toThrow();
    return { ...reading, count: count.get() };
  };
  const stateful = readings.applyStateful(step, { store: "count", ttl: "1h" });
  expectTypeOf(stateful).toEqualTypeOf<
    StreamingDataFrame<{ key: string; atMs: number; x: number; count: number | undefined }>
  >();
  const dated = (reading: Reading, last: KeyState<Date>) => [reading, last.get()];
  // @ts-expect-error a Date comes back as a text
  readings.applyStateful(dated, { store: "last" });
  // @ts-expect-error a store has a name
  expect(() => readings.applyStateful(step, {})).toThrow(/named "undefined"/);
  // @ts-expect-error no unit
  expect(() => readings.applyStateful(step, { store: "other", ttl: "5" })).toThrow(/is not a duration/);
});

test("aggregates have their own types", () => {
  const window = readings.tumblingWindow("1s", { grace: "0s" });
  const results = window.aggregate({
    list: agg.collect(({ key }) => key),
    spread: agg.stddev(({ x }) => x),
    median: agg.quantile(0.5, ({ x }) => x, { accuracy: 0.001 }),
  });
  expectTypeOf(results.final().apply(({ value }) => value)).toEqualTypeOf<
    StreamingDataFrame<{
      readonly list: readonly string[];
      readonly spread: number | null;
      readonly median: number | null;
    }>
  >();
  const dated = readings.apply(({ atMs }) => ({ at: new Date(atMs) })).tumblingWindow("1s", { grace: "0s" });
  // @ts-expect-error a Date comes back from the changelog as a text
  dated.aggregate({ last: agg.last(({ at }) => at) });
  // @ts-expect-error and so does one within a value
  dated.aggregate({ first: agg.reduce<{ at: Date }>((left) => left) });
  expectTypeOf(dated.aggregate({ last: agg.last(({ at }) => at.getTime()) }).final()).toExtend<object>();
  // @ts-expect-error a text has no deviation
  window.aggregate({ spread: agg.stddev((reading: Reading) => reading.key) });
  // @ts-expect-error no such word
  readings.update(() => undefined, { onFailure: "ignore" });
});
