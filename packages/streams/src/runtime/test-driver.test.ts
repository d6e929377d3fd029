import { describe, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createStreamApp, resultHeaders } from "../index.ts";

const kafka = { brokers: ["nobody:1"] };
const from = readingTopic("in");
const to = readingTopic("out");
const kpis = resultTopic("kpis");
const START_MS = 1_700_000_000_000;
const at = (offsetMs: number, x = 1, key = "a") => ({ key, atMs: START_MS + offsetMs, x });

function appOf() {
  return createStreamApp({ name: "app", kafka, log: keptLog() });
}

function windowed() {
  const app = appOf();
  app
    .dataframe(from)
    .trailingWindow("2s", { every: "1s", allowedLateness: "10s" })
    .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
    .toTopic(kpis);
  return app;
}

/** End, count, and revision: how many records had been read. */
const brief = (results: readonly { endMs: number; revision: number; value: { count: number } | null }[]) =>
  results.map(({ endMs, revision, value }) => [endMs - START_MS, value?.count, revision]);

describe("the test driver", () => {
  test("processes a record at once, and emits windows as time passes", () => {
    const driver = windowed().testDriver();
    driver.pipe(from, at(0)).pipe(from, at(700));
    expect(driver.read(kpis)).toEqual([]);
    expect(brief(driver.pipe(from, at(1_500)).read(kpis))).toEqual([[1_000, 2, 2]]);
    expect(brief(driver.advanceWallClock("6s").read(kpis))).toEqual([
      [2_000, 3, 3],
      [3_000, 1, 3],
      [4_000, 0, 3],
    ]);
    expect(driver.advanceWallClock("60s").read(kpis)).toEqual([]);
  });

  test("a result says who it is: app, window, key, end; and its revision", () => {
    const driver = windowed().testDriver();
    driver.pipe(from, at(0)).pipe(from, at(1_000)).pipe(from, at(500));
    const [first, again] = driver.readRecords(kpis);
    expect(first?.headers).toEqual({
      [resultHeaders.id]: `app/in-trailing-2s-1s-count-sum/a/${START_MS + 1_000}`,
      [resultHeaders.revision]: "1",
      [resultHeaders.start]: String(START_MS - 1_000),
      [resultHeaders.end]: String(START_MS + 1_000),
    });
    expect(again?.headers[resultHeaders.id]).toBe(first?.headers[resultHeaders.id]);
    expect(again).toMatchObject({
      value: { revision: 3, value: { count: 2 } },
      timestampMs: START_MS + 1_000,
    });
  });

  test("late and far-off records go to the dead-letter topic", () => {
    const driver = windowed().testDriver();
    driver.pipe(from, at(20_000)).pipe(from, at(0)).pipe(from, at(200_000));
    expect(driver.readDeadLetters(from)).toMatchObject([
      { code: "late", source: { offset: 1 } },
      { code: "future", source: { offset: 2 } },
    ]);
  });

  test("a restart changes nothing; a crash tells again what was not noted, and not under a lower revision", () => {
    const driver = windowed().testDriver({ commit: "by-hand" });
    driver.pipe(from, at(0)).commit().pipe(from, at(1_200));
    expect(brief(driver.read(kpis))).toEqual([[1_000, 1, 1]]);
    expect(brief(driver.crash().read(kpis))).toEqual([[1_000, 1, 1]]);

    const other = windowed().testDriver();
    other.pipe(from, at(0)).pipe(from, at(1_200)).restart().pipe(from, at(2_000));
    expect(brief(other.read(kpis))).toEqual([
      [1_000, 1, 1],
      [2_000, 2, 2],
    ]);
  });

  test("asynchronous functions have to be waited for, and failures go to the dead-letter topic after all attempts", async () => {
    const app = appOf();
    const tried: number[] = [];
    app
      .dataframe(from)
      .apply(async (reading) => {
        tried.push(reading.x);
        if (reading.x === 1) throw new TypeError("one");
        return reading;
      })
      .toTopic(to);
    const driver = app.testDriver();
    driver.pipe(from, at(0, 1)).pipe(from, at(0, 2));
    expect(() => driver.read(to)).toThrow(/await settled/);
    await driver.settled();
    expect(driver.read(to).map(({ x }) => x)).toEqual([2]);
    expect(tried).toEqual([1, 1, 1, 2]);
    expect(driver.readDeadLetters(from)).toMatchObject([{ code: "failed", reason: "TypeError: one" }]);
  });

  test("what a pipeline writes continues into the next one, and print shows it", () => {
    const app = appOf();
    app
      .dataframe(from)
      .filter(({ x }) => x > 1)
      .toTopic(to);
    app.dataframe(to).print("hot");
    const driver = app.testDriver();
    driver.pipe(from, at(0, 1)).pipe(from, at(0, 2));
    expect(driver.readPrinted()).toEqual([{ label: "hot", value: at(0, 2) }]);
    expect(() =>
      driver.pipe(kpis, { key: "a", startMs: 0, endMs: 1, revision: 0, value: { count: 1, sum: 1 } }),
    ).toThrow(/does not read topic "kpis"/);
  });

  test("a failing result is a dead letter with the result in it; the next one is told", () => {
    const app = appOf();
    app
      .dataframe(from)
      .trailingWindow("2s", { every: "1s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .apply((result) => {
        if (result.value.count === 2) throw new RangeError("two");
        return result;
      })
      .toTopic(kpis);
    const driver = app.testDriver();
    driver.pipe(from, at(0)).pipe(from, at(1_500)).advanceWallClock("10s");
    expect(brief(driver.read(kpis)).map(([endMs]) => endMs)).toEqual([1_000, 3_000, 4_000]);
    const [letter] = driver.readDeadLetters(from);
    expect(letter).toMatchObject({ code: "result-failed", reason: "RangeError: two" });
    expect(JSON.parse(Buffer.from(letter?.value ?? []).toString())).toMatchObject({
      endMs: START_MS + 2_000,
    });
  });

  test("a record counts in all its windows or in none, however often it was tried", () => {
    const app = appOf();
    let faults = 1;
    const readings = app.dataframe(from);
    const shape = { every: "1s" } as const;
    readings
      .trailingWindow("2s", shape)
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .toTopic(kpis);
    readings
      .trailingWindow("3s", shape)
      .aggregate({
        count: agg.count(),
        sum: agg.sum(({ x }) => {
          if (faults-- > 0) throw new TypeError("once");
          return x;
        }),
      })
      .print("3s");
    const driver = app.testDriver();
    driver.pipe(from, at(0)).pipe(from, at(1_000));
    expect(brief(driver.read(kpis))).toEqual([[1_000, 1, 1]]);
    expect(driver.readDeadLetters(from)).toEqual([]);
  });
});

describe("windows that close", () => {
  const aggregates = { count: agg.count(), sum: agg.sum<{ x: number }>(({ x }) => x) };

  test("final: told once, when their end and grace have passed, be it by time alone", () => {
    const app = appOf();
    app.dataframe(from).tumblingWindow("2s", { grace: "1s" }).aggregate(aggregates).final().toTopic(kpis);
    const driver = app.testDriver();
    driver.pipe(from, at(0)).pipe(from, at(2_500)).pipe(from, at(1_900));
    expect(driver.read(kpis)).toEqual([]);
    driver.pipe(from, at(3_000)).pipe(from, at(1_999));
    expect(brief(driver.read(kpis))).toEqual([[2_000, 2, 3]]);
    expect(driver.readDeadLetters(from)).toMatchObject([{ code: "late", source: { offset: 4 } }]);
    expect(brief(driver.advanceWallClock("10s").read(kpis))).toEqual([[4_000, 2, 5]]);
    expect(driver.restart().advanceWallClock("10s").read(kpis)).toEqual([]);
  });

  test("current: told with each record that changes them", () => {
    const app = appOf();
    const windows = app.dataframe(from).hoppingWindow("2s", { every: "1s", grace: "0s" });
    windows.aggregate(aggregates).current().toTopic(kpis);
    const driver = app.testDriver();
    driver.pipe(from, at(500));
    expect(brief(driver.read(kpis))).toEqual([
      [1_000, 1, 1],
      [2_000, 1, 1],
    ]);
    // Its first window is closed by then, its second is not.
    driver.pipe(from, at(1_200)).read(kpis);
    driver.pipe(from, at(900));
    expect(brief(driver.read(kpis))).toEqual([[2_000, 3, 3]]);
  });

  test("a session that grows takes back what it was; one that is over is told by time alone, also after a crash", () => {
    const app = appOf();
    const sessions = app.dataframe(from).sessionWindow("1s", { grace: "0s" });
    sessions.aggregate(aggregates).current().toTopic(kpis);
    sessions.aggregate(aggregates).final().print("over");
    const driver = app.testDriver({ commit: "by-hand" });
    driver.pipe(from, at(0)).pipe(from, at(800)).commit();
    expect(brief(driver.read(kpis))).toEqual([
      [1, 1, 1],
      [1, undefined, 2],
      [801, 2, 2],
    ]);
    const [first] = driver.advanceWallClock("4s").readPrinted();
    // Told when it is noted that it is over, so that whoever comes next knows it too.
    expect(first).toBeUndefined();
    const over = { label: "over", value: { startMs: START_MS, endMs: START_MS + 801, value: { count: 2 } } };
    expect(driver.commit().readPrinted()).toMatchObject([over]);
    expect(driver.crash().pipe(from, at(1_700)).readDeadLetters(from)).toMatchObject([{ code: "late" }]);
    driver.commit().crash();
    expect(driver.advanceWallClock("4s").readPrinted()).toEqual([]);
  });
});

describe("describing", () => {
  test("as text and as a mermaid diagram", () => {
    const app = appOf();
    const readings = app.dataframe(from);
    readings
      .filter(function hot({ x }) {
        return x > 30;
      })
      .toTopic(to);
    readings
      .trailingWindow("10s", { every: "1s" })
      .aggregate({ mean: agg.mean(({ x }) => x) })
      .print("kpi");
    expect(app.describe("text")).toBe(
      [
        "app",
        "  from topic in",
        "    filter hot",
        "      to topic out",
        "    last 10s every 1s: mean = mean",
        "      print kpi",
      ].join("\n"),
    );
    expect(app.describe("mermaid")).toBe(
      [
        "flowchart LR",
        "  %% app",
        '  topic_in[("in")]',
        '  n0["filter hot"]',
        '  topic_out[("out")]',
        '  n1["last 10s every 1s: mean = mean"]',
        '  n2["print kpi"]',
        "  topic_in --> n0",
        "  n0 --> topic_out",
        "  topic_in --> n1",
        "  n1 --> n2",
      ].join("\n"),
    );
  });

  test("windows that close, with when they are told", () => {
    const app = appOf();
    const readings = app.dataframe(from);
    const count = { count: agg.count() };
    readings.tumblingWindow("10s", { grace: "1s" }).aggregate(count).final();
    readings.hoppingWindow("10s", { every: "4s", grace: "1s" }).aggregate(count).current();
    readings.slidingWindow("500ms", { grace: "1s" }).aggregate(count).final();
    readings.sessionWindow("1m", { grace: "1s" }).aggregate(count).current();
    expect(app.describe("text").split("\n").slice(2)).toEqual([
      "    tumbling 10s, final: count = count",
      "    hopping 10s every 4s, current: count = count",
      "    sliding 500ms, final: count = count",
      "    sessions 1m apart, current: count = count",
    ]);
    expect(() => readings.hoppingWindow("1s", { every: "2s", grace: "0s" }).aggregate(count).final()).toThrow(
      /would be in no window/,
    );
    expect(() => readings.sessionWindow("0s", { grace: "0s" }).aggregate(count).final()).toThrow(/more than/);
  });

  test("what can't run is refused when it is described, with what to do", () => {
    const app = appOf();
    const readings = app.dataframe(from);
    const counted = () => readings.trailingWindow("5s", { every: "1s" }).aggregate({ count: agg.count() });
    counted();
    expect(counted).toThrow(/Two windows are named "in-trailing-5s-1s-count"; set the option name/);
    expect(() => readings.trailingWindow("5s", { every: "2s" }).aggregate({ count: agg.count() })).toThrow(
      /multiple/,
    );
    expect(() => app.dataframe({ ...from })).toThrow(/two different definitions/);
    // @ts-expect-error no unit
    expect(() => readings.trailingWindow("5", { every: "1s" }).aggregate({ count: agg.count() })).toThrow(
      /is not a duration/,
    );
  });
});
