/** What each operation does with values, on the test driver. */
import { describe, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createStreamApp } from "../index.ts";

const from = readingTopic("in");
const second = readingTopic("second");
const to = readingTopic("out");
const other = readingTopic("other");
const kpis = resultTopic("kpis");
const START_MS = 1_700_000_000_000;
const at = (offsetMs: number, x = 1, key = "a"): Reading => ({ key, atMs: START_MS + offsetMs, x });
const xs = (readings: readonly Reading[]) => readings.map(({ x }) => x);
const appOf = (name = "app") => createStreamApp({ name, kafka: { brokers: ["nobody:1"] }, log: keptLog() });

describe("flatMap", () => {
  test("a value becomes none, one or many, in their order, under the record's key and time", async () => {
    const app = appOf();
    const repeat = (reading: Reading) => Array.from({ length: reading.x }, () => reading);
    app
      .dataframe(from)
      .flatMap(repeat)
      .flatMap(async (reading) => new Set([reading]))
      .toTopic(to);
    const driver = await app.testDriver().pipe(from, at(0, 0)).pipe(from, at(1, 2)).settled();
    expect(driver.readRecords(to)).toMatchObject([
      { key: "a", value: { x: 2 }, timestampMs: START_MS + 1 },
      { key: "a", value: { x: 2 }, timestampMs: START_MS + 1 },
    ]);
  });

  test("what is no list is the record's fault", () => {
    const app = appOf();
    const nothing: unknown = undefined;
    // @ts-expect-error a number is no list
    app.dataframe(from).flatMap(({ x }) => (x === 1 ? nothing : [x]));
    expect(app.testDriver().pipe(from, at(0)).readDeadLetters(from)).toMatchObject([
      {
        code: "failed",
        reason: "StreamsError: The function given to flatMap returned undefined; it must return an array.",
      },
    ]);
  });

  test("all values of a record count in the window behind, also after a crash, and all or none of them", () => {
    const app = appOf();
    const sum = agg.sum<Reading>(({ x }) => {
      if (x < 0) throw new RangeError("negative");
      return x;
    });
    app
      .dataframe(from)
      .flatMap((reading) => [reading, { ...reading, x: reading.x + 1 }])
      .tumblingWindow("1s", { grace: "0s" })
      .aggregate({ count: agg.count(), sum })
      .final()
      .toTopic(kpis);
    const driver = app.testDriver({ commit: "by-hand" });
    driver.pipe(from, at(0, 1)).pipe(from, at(1, -1)).commit().pipe(from, at(2, 5)).crash();
    driver.pipe(from, at(1_000));
    expect(driver.read(kpis)).toMatchObject([{ value: { count: 4, sum: 14 } }]);
    expect(driver.readDeadLetters(from)).toMatchObject([{ code: "failed", source: { offset: 1 } }]);
  });
});

describe("branch and merge", () => {
  test("a value continues in the first branch that accepts it, or in the one for the rest", () => {
    const app = appOf();
    const { hot, warm, otherwise } = app.dataframe(from).branch({
      hot: ({ x }) => x > 30,
      warm: ({ x }) => x > 20,
    });
    hot.toTopic(to);
    warm.toTopic(other);
    otherwise.print("cold");
    const driver = app.testDriver();
    for (const x of [35, 25, 5, 31]) driver.pipe(from, at(0, x));
    expect([xs(driver.read(to)), xs(driver.read(other))]).toEqual([[35, 31], [25]]);
    expect(driver.readPrinted()).toMatchObject([{ value: { x: 5 } }]);
  });

  test("branches that come together again keep the order; a value that comes by two ways comes twice", () => {
    const app = appOf();
    const readings = app.dataframe(from);
    const { odd, otherwise } = readings.branch({ odd: ({ x }) => x % 2 === 1 });
    odd
      .apply((reading) => ({ ...reading, x: reading.x * 100 }))
      .merge(otherwise)
      .toTopic(to);
    readings.merge(readings).toTopic(other);
    const driver = app.testDriver();
    for (const x of [1, 2, 3]) driver.pipe(from, at(0, x));
    expect(xs(driver.read(to))).toEqual([100, 2, 300]);
    expect(xs(driver.read(other))).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test("a window behind branches of one topic has the values of both, once", () => {
    const app = appOf();
    const { odd, otherwise } = app.dataframe(from).branch({ odd: ({ x }) => x % 2 === 1 });
    odd
      .merge(otherwise)
      .tumblingWindow("1s", { grace: "0s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(kpis);
    const driver = app.testDriver();
    for (const x of [1, 2, 3]) driver.pipe(from, at(x, x));
    expect(driver.pipe(from, at(1_000)).read(kpis)).toMatchObject([{ value: { count: 3, sum: 6 } }]);
  });

  test("two topics become one stream", () => {
    const app = appOf();
    app.dataframe(from).merge(app.dataframe(second)).toTopic(to);
    const driver = app.testDriver().pipe(from, at(0, 1)).pipe(second, at(0, 2)).pipe(from, at(0, 3));
    expect(xs(driver.read(to))).toEqual([1, 2, 3]);
  });

  test("what can't be is refused when it is described", () => {
    const app = appOf();
    const readings = app.dataframe(from);
    const both = readings.merge(app.dataframe(second));
    expect(() => both.trailingWindow("2s", { every: "1s" }).aggregate({ count: agg.count() })).toThrow(
      /"in\+second-trailing-2s-1s-count" follows a merge of several topics.*put groupBy between/,
    );
    expect(() => readings.merge(appOf("another").dataframe(from))).toThrow(/two apps/);
    expect(() => readings.branch({ otherwise: () => true })).toThrow(/named "otherwise"/);
    expect(() => readings.branch({ 1: () => true })).toThrow(/whole numbers lose their order/);
  });
});

describe("a topic that a function chooses", () => {
  test("takes each value where it belongs; what it is known to choose is drawn", () => {
    const app = appOf();
    app.dataframe(from).toTopic(({ x }) => (x > 30 ? to : other), { name: "by heat", topics: [to] });
    const driver = app.testDriver().pipe(from, at(0, 35)).pipe(from, at(0, 5));
    expect([xs(driver.read(to)), xs(driver.read(other))]).toEqual([[35], [5]]);
    expect(app.describe("text")).toContain("to topic by by heat: out");
  });
});

describe("groupBy", () => {
  const byFloor = ({ key }: Reading) => key.charAt(0);

  test("a window behind it has all values of the new key, whatever key they had, with their times and headers", () => {
    const app = appOf();
    const grouped = app.dataframe(from).groupBy(byFloor, { name: "floor" });
    grouped.update(
      (_, { headers, key, timestampMs }) => void seen.push({ key, timestampMs, headers: { ...headers } }),
    );
    grouped
      .tumblingWindow("1s", { grace: "0s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(kpis);
    const seen: unknown[] = [];
    const driver = app.testDriver();
    driver
      .pipe(from, at(0, 1, "1a"))
      .pipe(from, at(500, 2, "1b"))
      .pipe(from, at(600, 4, "2a"));
    driver.pipe(from, at(1_000, 8, "1a"));
    expect(driver.readRecords(kpis)).toMatchObject([
      { key: "1", value: { value: { count: 2, sum: 3 } } },
      { key: "2", value: { value: { count: 1, sum: 4 } } },
    ]);
    expect(seen[1]).toEqual({ key: "1", timestampMs: START_MS + 500, headers: {} });
  });

  test("what a crash makes it give again is left out, and is not late, failed or counted", () => {
    const app = appOf();
    const windows = app
      .dataframe(from)
      .groupBy(byFloor, { name: "floor" })
      .tumblingWindow("1s", { grace: "0s" });
    windows
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(kpis);
    const driver = app.testDriver({ commit: "by-hand" });
    driver.pipe(from, at(0, 1)).commit().pipe(from, at(100, 2)).pipe(from, at(200, 4)).crash().crash();
    driver.pipe(from, at(1_000, 8)).crash();
    expect(driver.read(kpis).at(-1)).toMatchObject({ value: { count: 3, sum: 7 } });
    expect(driver.readDeadLetters({ name: "app-floor-repartition" })).toEqual([]);
    expect(driver.readDeadLetters(from)).toEqual([]);
  });

  test("two topics meet in one window", () => {
    const app = appOf();
    app
      .dataframe(from)
      .merge(app.dataframe(second))
      .groupBy(byFloor, { name: "floor" })
      .tumblingWindow("1s", { grace: "0s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(kpis);
    const driver = app.testDriver().pipe(from, at(0, 1)).pipe(second, at(1, 2));
    expect(driver.pipe(second, at(1_000)).read(kpis)).toMatchObject([{ value: { count: 2, sum: 3 } }]);
  });

  test("a window's results can be windowed again behind it", () => {
    const app = appOf();
    const count = { count: agg.count(), sum: agg.sum<Reading>(({ x }) => x) };
    app
      .dataframe(from)
      .tumblingWindow("1s", { grace: "0s" })
      .aggregate(count)
      .final()
      .groupBy(() => "all", { name: "all" })
      .tumblingWindow("10s", { grace: "0s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ value }) => value.sum) })
      .final()
      .toTopic(kpis);
    const driver = app
      .testDriver()
      .pipe(from, at(0, 1, "a"))
      .pipe(from, at(1, 2, "b"))
      .pipe(from, at(1_500, 4));
    driver.advanceWallClock("1m");
    expect(driver.read(kpis)).toMatchObject([{ key: "all", value: { count: 3, sum: 7 } }]);
  });

  test("a record that fails behind it is a dead letter of the repartition topic, as it was written, without our marks", () => {
    const app = appOf();
    app
      .dataframe(from)
      .groupBy(byFloor, { name: "floor" })
      .apply(() => {
        throw new TypeError("no");
      });
    const driver = app.testDriver().pipe(from, at(0));
    const [letter] = driver.readDeadLetters({ name: "app-floor-repartition" });
    expect(letter).toMatchObject({ code: "failed", source: { topic: "app-floor-repartition", offset: 0 } });
    expect(JSON.parse(Buffer.from(letter?.value ?? []).toString())).toEqual(at(0));
    expect(Object.keys(letter?.headers ?? {}).filter((name) => name.includes("origin"))).toEqual([]);
  });

  test("values that JSON does not carry need a codec", () => {
    const app = appOf();
    const dated = app.dataframe(from).apply(({ atMs }) => new Date(atMs));
    // @ts-expect-error JSON makes a text of a Date
    expect(() => dated.groupBy(() => "all", { name: "wrong" })).not.toThrow();
    const encode = (date: Date) => Buffer.from(date.toISOString());
    const decode = (bytes: Uint8Array) => new Date(Buffer.from(bytes).toString());
    const dates: Date[] = [];
    dated
      .groupBy(() => "all", { name: "dates", codec: { encode, decode } })
      .update((date) => void dates.push(date));
    app.testDriver().pipe(from, at(5));
    expect(dates).toEqual([new Date(START_MS + 5)]);
  });

  test("a key that is no text is the record's fault; a name is taken once, and fits a topic's name", () => {
    const app = appOf();
    const floors: Record<string, string> = {};
    const readings = app.dataframe(from);
    // @ts-expect-error a device without a floor
    readings.groupBy(({ key }) => floors[key], { name: "floor" });
    expect(app.testDriver().pipe(from, at(0)).readDeadLetters(from)).toMatchObject([
      { code: "failed", reason: expect.stringContaining('groupBy "floor" returned undefined') },
    ]);
    expect(() => readings.groupBy(() => "", { name: "floor" })).toThrow(
      /"app-floor-repartition" is already in use/,
    );
    expect(() => readings.groupBy(() => "", { name: "my floor" })).toThrow(/can't be part of a topic name/);
  });
});

describe("describing", () => {
  test("steps are called by their option name, their function's name, or what a short arrow function says", () => {
    const app = appOf();
    const limit = 3;
    app
      .dataframe(from)
      .filter(({ x }) => x > limit)
      .filter(({ x }) => x > limit, { name: "above the limit" })
      .apply((reading) => ({
        ...reading,
        x: reading.x + 1,
        key: reading.key.toUpperCase().trim().normalize(),
      }))
      .update(() => {
        seen++;
      })
      .toTopic(to);
    let seen = 0;
    expect(seen).toBe(0);
    expect(
      app
        .describe("text")
        .split("\n")
        .slice(2)
        .map((line) => line.trim()),
    ).toEqual([
      "filter x > limit",
      "filter above the limit",
      expect.stringMatching(/^apply \(\{ \.\.\.reading, x: reading\.x \+ 1.{20,31}…$/),
      "update",
      "to topic out",
    ]);
  });

  test("branches, merges, groups and chosen topics are drawn", () => {
    const app = appOf();
    const { hot, otherwise } = app
      .dataframe(from)
      .branch({ hot: ({ x }) => x > 30, warm: ({ x }) => x > 20 });
    const all = hot.merge(app.dataframe(second)).merge(otherwise);
    all.groupBy(({ key }) => key, { name: "device" }).print("grouped");
    hot.toTopic(({ x }) => (x > 40 ? to : other), { topics: [to, other] });
    expect(app.describe("text")).toBe(
      [
        "app",
        "  from topic in",
        "    branch hot",
        "      merge 1",
        "        merge 2",
        "          group by device",
        "      to topic by x > 40 ? to : other: out, other",
        "    branch otherwise",
        "      merge 2, as above",
        "  from topic second",
        "    merge 1, as above",
        "  from topic app-device-repartition",
        "    print grouped",
      ].join("\n"),
    );
    expect(
      app
        .describe("mermaid")
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual([
      "flowchart LR",
      "%% app",
      'topic_in[("in")]',
      'n0{"branch"}',
      'n1["merge"]',
      'n2["merge"]',
      'n3["group by device"]',
      'topic_app_device_repartition[("app-device-repartition")]',
      'n4["to topic by x #62; 40 ? to : other: out, other"]',
      'topic_out[("out")]',
      'topic_other[("other")]',
      'topic_second[("second")]',
      'n5["print grouped"]',
      "topic_in --> n0",
      'n0 -- "hot" --> n1',
      "n1 --> n2",
      "n2 --> n3",
      "n3 --> topic_app_device_repartition",
      'n0 -- "hot" --> n4',
      "n4 --> topic_out",
      "n4 --> topic_other",
      'n0 -- "otherwise" --> n2',
      "topic_second --> n1",
      "topic_app_device_repartition --> n5",
    ]);
  });
});
