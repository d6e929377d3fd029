/** Types flow from topic to topic: checked by the compiler, as part of `pnpm types`. */
import { expect, expectTypeOf, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createStreamApp, type StreamingDataFrame, type WindowResult } from "../index.ts";

const app = createStreamApp({ name: "types", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
const readings = app.dataframe(readingTopic("in"));

test("values keep their type on their way", () => {
  expectTypeOf(readings).toEqualTypeOf<StreamingDataFrame<Reading>>();
  expectTypeOf(readings.apply(({ x }) => x)).toEqualTypeOf<StreamingDataFrame<number>>();
  expectTypeOf(readings.apply(async ({ key }) => key)).toEqualTypeOf<StreamingDataFrame<string>>();
  expectTypeOf(readings.filter(({ x }) => x > 1)).toEqualTypeOf<StreamingDataFrame<Reading>>();
  const odd = (value: number | string): value is number => typeof value === "number";
  expectTypeOf(readings.apply((r): number | string => r.x).filter(odd)).toEqualTypeOf<
    StreamingDataFrame<number>
  >();
});

test("a window's result has a field for each aggregate, of its own type", () => {
  const results = readings.trailingWindow("5s", { every: "1s" }).aggregate({
    count: agg.count(),
    mean: agg.mean((reading) => reading.x),
    last: agg.last((reading) => reading.key),
    most: agg.reduce((left, right) => (left.x > right.x ? left : right)),
  });
  expectTypeOf(results).toEqualTypeOf<
    StreamingDataFrame<
      WindowResult<{
        readonly count: number;
        readonly mean: number | null;
        readonly last: string | null;
        readonly most: Reading | null;
      }>
    >
  >();
});

test("windows that close say when they are told; a session that is told while it grows may be taken back", () => {
  const count = { count: agg.count() };
  type Counted = WindowResult<{ readonly count: number }>;
  const tumbling = readings.tumblingWindow("5s", { grace: "1s" }).aggregate(count);
  expectTypeOf(tumbling.final()).toEqualTypeOf<StreamingDataFrame<Counted>>();
  const hopping = readings.hoppingWindow("5s", { every: "1s", grace: "1s" }).aggregate(count);
  expectTypeOf(hopping.current()).toEqualTypeOf<StreamingDataFrame<Counted>>();
  const sliding = readings.slidingWindow("5s", { grace: "1s" }).aggregate(count);
  expectTypeOf(sliding.final()).toEqualTypeOf<StreamingDataFrame<Counted>>();
  const sessions = readings.sessionWindow("5s", { grace: "1s" }).aggregate(count);
  expectTypeOf(sessions.final()).toEqualTypeOf<StreamingDataFrame<Counted>>();
  expectTypeOf(sessions.current()).toEqualTypeOf<
    StreamingDataFrame<WindowResult<{ readonly count: number } | null>>
  >();
  // @ts-expect-error how long to wait for late records is everybody's own choice
  readings.tumblingWindow("6s", {});
  // @ts-expect-error first it has to be said when it is told
  expect(() => tumbling.toTopic).not.toThrow();
});

test("a topic takes only its own payload", () => {
  readings.toTopic(readingTopic("same"));
  // @ts-expect-error readings are no results
  readings.toTopic(resultTopic("other"));
  // @ts-expect-error a field is missing
  readings.apply(({ key, atMs }) => ({ key, atMs })).toTopic(readingTopic("less"));
  // @ts-expect-error a field has another type
  readings.apply((reading) => ({ ...reading, x: "1" })).toTopic(readingTopic("wrong"));
  const window = readings.trailingWindow("5s", { every: "1s", name: "w" });
  // @ts-expect-error no such field
  window.aggregate({ mean: agg.mean((reading) => reading.nothing) });
});
