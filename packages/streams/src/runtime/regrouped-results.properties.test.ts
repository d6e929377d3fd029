/** Results of a window that continue under another key: each is counted there once, at least once, whatever crashes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { Lives } from "../../test-support/lives.ts";
import { bruteForce, type Reading, readingTopic, valuesOf } from "../../test-support/readings.ts";
import { agg, createStreamApp, type KeyState, type StreamingDataFrame, type WindowResult } from "../index.ts";

const from = readingTopic("in");
const START_MS = 1_700_000_000_000;
const shape = {
  sizeMs: 3_000,
  everyMs: 1_000,
  idleAfterMs: 2_000,
  allowedLatenessMs: 60_000,
  maxFutureMs: 60_000,
};

type Result = WindowResult<{ count: number; sum: number } | null>;
type Step =
  | { readonly kind: "record"; readonly key: string; readonly x: number; readonly afterMs: number }
  | { readonly kind: "commit" | "crash" | "restart" | "rebalance" | "silence" };

const record = fc.record({
  kind: fc.constant("record" as const),
  key: fc.constantFrom("1a", "1b", "2a", "2b"),
  x: fc.integer({ min: 0, max: 100 }),
  afterMs: fc.integer({ min: -1_500, max: 2_500 }),
});
const trouble = fc.record({
  kind: fc.constantFrom("commit", "crash", "restart", "rebalance", "silence", "silence"),
});
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: record }, { weight: 4, arbitrary: trouble }) satisfies fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 40 },
);

/** What a floor was told of its devices' windows, in order. */
function toldTo(results: StreamingDataFrame<Result>): void {
  results
    .groupBy(({ key }) => key.charAt(0), { name: "floor" })
    .applyStateful((result, told: KeyState<Result[]>) => told.set([...(told.get() ?? []), result]), {
      store: "told",
    });
}

const aggregates = { count: agg.count(), sum: agg.sum<Reading>(({ x }) => x) };
const asResult = (result: Result): Result => result;
const windows: Readonly<
  Record<string, (readings: StreamingDataFrame<Reading>) => StreamingDataFrame<Result>>
> = {
  trailing: (readings) =>
    readings.trailingWindow("3s", { every: "1s" }).aggregate(aggregates).apply(asResult),
  tumbling: (readings) =>
    readings.tumblingWindow("2s", { grace: "2s" }).aggregate(aggregates).final().apply(asResult),
  sliding: (readings) =>
    readings.slidingWindow("2s", { grace: "2s" }).aggregate(aggregates).final().apply(asResult),
  session: (readings) =>
    readings.sessionWindow("1s", { grace: "2s" }).aggregate(aggregates).current().apply(asResult),
};

test.each(Object.keys(windows))("%s: none is counted twice, and none is missing", (kind) => {
  fc.assert(
    fc.property(steps, (script) => {
      const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
      const results = windows[kind]?.(app.dataframe(from));
      if (results === undefined) throw new RangeError("There is no such window.");
      toldTo(results);
      const driver = app.testDriver({ startMs: START_MS, commit: "by-hand" });
      const readings: Reading[] = [];
      let nowMs = START_MS;
      for (const each of script) {
        if (each.kind === "record") {
          const atMs = nowMs + each.afterMs;
          nowMs = Math.max(nowMs, atMs);
          driver.stepWallClock(Math.max(0, atMs - driver.wallMs));
          driver.pipe(from, { key: each.key, atMs, x: each.x });
          readings.push({ key: each.key, atMs, x: each.x });
        } else if (each.kind === "silence") driver.advanceWallClock("4s");
        else driver[each.kind]();
      }
      // What time alone has made due is told once it is noted.
      for (let i = 0; i < 20; i++) driver.advanceWallClock("2s").commit();
      driver.crash();
      const told = Object.values(driver.readStore("told")).flat().filter(isResult);
      const names = told.map((each) => `${each.key} ${each.startMs} ${each.endMs} ${each.revision}`);
      expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
      if (kind === "trailing" && readings.length > 0)
        expect(valuesOf(told)).toEqual(bruteForce(readings, shape, nowMs + 30_000));
    }),
    { numRuns: 600 },
  );
});

test.each(Object.keys(windows))(
  "%s: what a killed process has told is told again, to the last header",
  async (kind) => {
    const app = createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
    const results = windows[kind]?.(app.dataframe(from));
    if (results === undefined) throw new RangeError("There is no such window.");
    toldTo(results);
    const [source] = app.topology.sources;
    if (source === undefined) throw new RangeError("The app reads no topic.");
    const script = fc.array(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({ key: fc.constantFrom("1a", "1b", "1c"), afterMs: fc.nat({ max: 900 }) }),
        },
        { weight: 2, arbitrary: fc.constant("commit" as const) },
      ),
      { minLength: 5, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const lives = new Lives(source);
        let atMs = START_MS;
        let from = 0;
        lives.bench.wallMs = START_MS;
        for (const each of steps) {
          if (each === "commit") {
            lives.commit();
            from = lives.bench.out.length;
          } else {
            atMs += each.afterMs;
            await lives.take({ key: each.key, atMs, x: 1 });
          }
        }
        const first = lives.bench.out.slice(from);
        await lives.kill();
        expect(lives.bench.out.slice(from + first.length)).toEqual(first);
      }),
      { numRuns: 500 },
    );
  },
);

function isResult(value: unknown): value is Result {
  return typeof value === "object" && value !== null && "endMs" in value && "revision" in value;
}
