/** Windows behind `groupBy` against brute force, whatever crashes. On a broker: group-by.integration.test.ts. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import {
  bruteForce,
  type Reading,
  readingTopic,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import { agg, createStreamApp } from "../index.ts";
import { ORIGIN_HEADER } from "../topology/repartition.ts";
import { Origins, originOf, withoutOrigin } from "./origins.ts";

const from = readingTopic("in");
const kpis = resultTopic("kpis");
const START_MS = 1_700_000_000_000;
const floorOf = (key: string) => key.charAt(0);
const shape = {
  sizeMs: 3_000,
  everyMs: 1_000,
  idleAfterMs: 2_000,
  allowedLatenessMs: 60_000,
  maxFutureMs: 60_000,
};

type Step =
  | { readonly kind: "record"; readonly key: string; readonly x: number; readonly afterMs: number }
  | { readonly kind: "commit" | "crash" | "restart" | "silence" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("record" as const),
      key: fc.constantFrom("1a", "1b", "2a", "2b"),
      x: fc.integer({ min: 0, max: 100 }),
      afterMs: fc.integer({ min: -1_500, max: 2_500 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("commit", "crash", "restart", "silence") }) },
);

test("the table is the one of the records under their new key, killed at any record", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (script) => {
      const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
      app
        .dataframe(from)
        .flatMap((reading) => [reading, reading])
        .groupBy(({ key }) => floorOf(key), { name: "floor" })
        .trailingWindow("3s", { every: "1s" })
        .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
        .toTopic(kpis);
      const driver = app.testDriver({ startMs: START_MS, commit: "by-hand" });
      const counted: Reading[] = [];
      let nowMs = START_MS;
      for (const each of script) {
        if (each.kind === "record") {
          // Some are out of order, none is too late.
          const atMs = nowMs + each.afterMs;
          nowMs = Math.max(nowMs, atMs);
          driver.stepWallClock(Math.max(0, atMs - driver.wallMs));
          driver.pipe(from, { key: each.key, atMs, x: each.x });
          const grouped = { key: floorOf(each.key), atMs, x: each.x };
          counted.push(grouped, grouped);
        } else if (each.kind === "commit") driver.commit();
        else if (each.kind === "crash") driver.crash();
        else if (each.kind === "restart") driver.restart();
        else driver.advanceWallClock("1500ms");
      }
      driver.advanceWallClock("30s").crash();
      expect(driver.readDeadLetters({ name: "app-floor-repartition" })).toEqual([]);
      const table = valuesOf(driver.read(kpis));
      if (counted.length === 0) expect(table).toEqual({});
      else expect(table).toEqual(bruteForce(counted, shape, nowMs + 25_000));
    }),
    { numRuns: 400 },
  );
});

test("of what upstream partitions give again, in their order, all is known and nothing else", () => {
  const upstream = fc.constantFrom("in/0", "in/1", "other/0");
  const gives = fc.array(fc.record({ upstream, again: fc.nat({ max: 5 }), index: fc.nat({ max: 2 }) }));
  fc.assert(
    fc.property(gives, fc.nat({ max: 50 }), (list, savedAt) => {
      let origins = new Origins();
      const given = new Map<string, string[]>();
      for (const [i, { upstream: name, again, index }] of list.entries()) {
        if (i === savedAt) origins = Origins.decode(origins.encode());
        const before = given.get(name) ?? [];
        const [topic = "", partition = ""] = name.split("/");
        const next = originOf({ topic, partition: Number(partition), offset: 0 }, before.length, index);
        const record = (origin: string) => ({ headers: { [ORIGIN_HEADER]: origin } });
        for (const old of before.slice(before.length - again))
          expect(origins.isRepeated(record(old))).toBe(true);
        expect(origins.isRepeated(record(next))).toBe(false);
        origins.take(record(next));
        given.set(name, [...before, next]);
      }
    }),
    { numRuns: 1_000 },
  );
  const record = { topic: "t", partition: 0, offset: 0, key: null, value: null, timestampMs: 0 };
  expect(withoutOrigin({ ...record, headers: { a: "b", [ORIGIN_HEADER]: "in/0/0/0" } }).headers).toEqual({
    a: "b",
  });
  expect(new Origins().isRepeated({ headers: { [ORIGIN_HEADER]: "from another hand" } })).toBe(false);
});
