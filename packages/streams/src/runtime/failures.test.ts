/** What becomes of a record that fails: by the app's word, and by a step's. */
import { describe, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import {
  agg,
  createStreamApp,
  InvalidRecordError,
  ProcessingError,
  type StreamAppOptions,
} from "../index.ts";
import { verdictOf, waitsMs } from "./faults.ts";

const from = readingTopic("in");
const to = readingTopic("out");
const kpis = resultTopic("kpis");
const at = (atMs: number, x: number): Reading => ({ key: "a", atMs, x });
const xs = (list: readonly Reading[]) => list.map(({ x }) => x);
const policy = { attempts: 3, backoffMs: 100, onFailure: "dead-letter", onInvalid: "dead-letter" } as const;

function appOf(options: Partial<StreamAppOptions> = {}) {
  return createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog(), ...options });
}

/** Fails on odd ones, and keeps all that it was asked. */
function failing(asked: number[]) {
  return function even(reading: Reading): Reading {
    asked.push(reading.x);
    if (reading.x % 2 === 1) throw new RangeError(`${reading.x} is odd`);
    return reading;
  };
}

test("a dead letter names the step whose function threw, whichever kind of step", async () => {
  const throws = (): never => {
    throw new TypeError("no");
  };
  const steps: [string, (app: ReturnType<typeof appOf>) => unknown][] = [
    ["apply no", (app) => app.dataframe(from).apply(throws, { name: "no" })],
    [
      "apply no, 2 at once",
      (app) => app.dataframe(from).applyAsync(async () => throws(), { name: "no", concurrency: 2 }),
    ],
    ["filter throws", (app) => app.dataframe(from).filter(throws)],
    ["update throws", (app) => app.dataframe(from).update(throws)],
    ["flat map throws", (app) => app.dataframe(from).flatMap(throws)],
    ["branch hot", (app) => app.dataframe(from).branch({ hot: throws })],
    ["group by g", (app) => app.dataframe(from).groupBy(throws, { name: "g" })],
    ["to topic by throws", (app) => app.dataframe(from).toTopic(throws)],
    ["to topic out", (app) => app.dataframe(from).toTopic({ ...to, encode: throws })],
  ];
  for (const [step, describeStep] of steps) {
    const app = appOf();
    describeStep(app);
    const driver = await app.testDriver().pipe(from, at(1, 1)).settled();
    expect(driver.readDeadLetters(from)).toMatchObject([{ code: "failed", reason: "TypeError: no", step }]);
  }
});

describe("the app's word", () => {
  test("skip: the record is skipped, counts nowhere, and the next one is processed", () => {
    const log = keptLog();
    const app = appOf({ onFailure: "skip", onInvalid: "skip", log });
    const asked: number[] = [];
    const even = app.dataframe(from).apply(failing(asked));
    even.toTopic(to);
    const window = even.tumblingWindow("1s", { grace: "0s" });
    window
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(kpis);
    const driver = app.testDriver({ commit: "by-hand" });
    driver
      .pipe(from, at(1, 1))
      .pipeBytes(from, { value: Buffer.from("{") })
      .pipe(from, at(2, 2))
      .commit()
      .crash();
    driver.pipe(from, at(1_000, 4));
    expect([xs(driver.read(to)), asked]).toEqual([
      [2, 4],
      [1, 1, 1, 2, 4],
    ]);
    expect(driver.read(kpis)).toMatchObject([{ value: { count: 1, sum: 2 } }]);
    expect(driver.readDeadLetters(from)).toEqual([]);
  });

  test("fail: the record is named, nothing of it leaves, and it is the first of the next life", () => {
    const asked: number[] = [];
    const app = appOf({ onFailure: "fail" });
    app.dataframe(from).apply(failing(asked)).toTopic(to);
    const driver = app.testDriver().pipe(from, at(1, 2));
    const thrown = caught(() => driver.pipe(from, at(2, 1)));
    expect(thrown).toBeInstanceOf(ProcessingError);
    expect(thrown).toMatchObject({
      code: "STREAMS_PROCESSING",
      at: { topic: "in", partition: 0, offset: 1 },
      step: "apply even",
      message:
        'in[0] offset 1 can\'t be processed in "apply even": RangeError: 1 is odd. ' +
        'To skip past such records, set onFailure to "dead-letter" or "skip".',
      cause: expect.any(RangeError),
    });
    expect(xs(driver.read(to))).toEqual([2]);
    asked.length = 0;
    expect(caught(() => driver.crash())).toBeInstanceOf(ProcessingError);
    expect(asked).toEqual([1, 1, 1]);
  });

  test("fail: so does a record that doesn't match its schema", () => {
    const app = appOf({ onInvalid: "fail" });
    app.dataframe(from).toTopic(to);
    const thrown = caught(() => app.testDriver().pipeBytes(from, { value: Buffer.from("[]") }));
    expect(thrown).toBeInstanceOf(InvalidRecordError);
    expect(thrown).toMatchObject({
      problems: ["it is another shape"],
      message: expect.stringMatching(
        /^in\[0\] offset 0 doesn't match the schema of "in": it is another shape\. To skip/,
      ),
    });
  });

  test("a window's result goes the same way as a record", () => {
    const result = (onFailure: "skip" | "fail") => {
      const app = appOf({ onFailure });
      const window = app.dataframe(from).tumblingWindow("1s", { grace: "0s" });
      window
        .aggregate({ count: agg.count() })
        .final()
        .apply(() => {
          throw new TypeError("no");
        });
      return app.testDriver().pipe(from, at(1, 1));
    };
    expect(result("skip").pipe(from, at(1_000, 1)).readDeadLetters(from)).toEqual([]);
    expect(caught(() => result("fail").pipe(from, at(1_000, 1)))).toBeInstanceOf(ProcessingError);
  });
});

describe("a step's word", () => {
  test("goes before the app's: tries, wait and what becomes of the record", async () => {
    const asked: number[] = [];
    const app = appOf({ attempts: 1, onFailure: "fail" });
    app.dataframe(from).apply(failing(asked), { attempts: 4, onFailure: "skip" }).toTopic(to);
    app
      .dataframe(from)
      .applyAsync(async (reading) => failing([])(reading), { concurrency: 2, onFailure: "dead-letter" });
    const driver = await app.testDriver().pipe(from, at(1, 1)).pipe(from, at(2, 2)).settled();
    expect([xs(driver.read(to)), asked]).toEqual([[2], [1, 1, 1, 1, 2]]);
    // The first step to throw decides; nobody asks the second then.
    expect(driver.readDeadLetters(from)).toEqual([]);
    expect(() => app.dataframe(from).update(() => undefined, { attempts: 0 })).toThrow(
      /attempts of a step is 0/,
    );
  });
});

test("waits double up to a minute, and may not be longer than a record may stand still", async () => {
  const waits = [1, 2, 3, 20].map((attempt) =>
    verdictOf(new Error("x"), attempt, { ...policy, attempts: 30 }),
  );
  expect(waits).toEqual([100, 200, 400, 60_000].map((waitMs) => ({ kind: "again", waitMs })));
  expect(waitsMs({ attempts: 3, backoffMs: 100 })).toBe(300);
  expect(() => appOf({ attempts: 11 })).toThrow(
    /waits 102300 ms between its 11 attempts.*stallAfterMs, which is 60000/,
  );
  const app = appOf();
  app.dataframe(from).update(() => undefined, { attempts: 3, backoffMs: 40_000 });
  await expect(app.run()).rejects.toThrow(/waits 100000 ms/);
});

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
