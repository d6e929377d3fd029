/** Functions that ask the outside for several records at once. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { Bench, type Reading, readingTopic, recordOf } from "../../test-support/readings.ts";
import { createStreamApp, type StreamApp } from "../index.ts";

const from = readingTopic("readings");
const to = readingTopic("out");
const second = readingTopic("second");

function appOf(): StreamApp {
  return createStreamApp({ name: "app", kafka: { brokers: ["nobody:1"] }, log: keptLog() });
}

function benchOf(app: StreamApp, attempts = 1): Bench {
  const [source] = app.topology.sources;
  if (source === undefined) throw new RangeError("The app reads no topic.");
  return new Bench(source, { attempts });
}

/** Questions that are answered when, and in the order in which, the test says so. */
class Outside {
  readonly open: { readonly x: number; answer(): void; refuse(): void }[] = [];
  readonly asked: number[] = [];
  most = 0;

  ask(reading: Reading): Promise<Reading> {
    this.asked.push(reading.x);
    return new Promise((resolve, reject) => {
      const end = (how: () => void) => () => {
        this.open.splice(this.open.indexOf(question), 1);
        how();
      };
      const question = {
        x: reading.x,
        answer: end(() => resolve(reading)),
        refuse: end(() => reject(new RangeError("refused"))),
      };
      this.open.push(question);
      this.most = Math.max(this.most, this.open.length);
    });
  }
}

/** All that is ready to run runs. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a task does with its queue. */
async function work(bench: Bench, count: number, settle: () => Promise<void>): Promise<void> {
  const records = Array.from({ length: count }, (_, x) => recordOf({ key: "a", atMs: x, x }, x));
  for (const [i, record] of records.entries()) {
    for (const next of records.slice(i)) if (!bench.partition.begin(next)) break;
    const done = bench.partition.process(record);
    let isDone = done === undefined;
    void done?.then(() => {
      isDone = true;
    });
    for (await turn(); !isDone; await turn()) await settle();
  }
}

test("whatever the order of the answers, what is written and done is in order; as many ask at once as may", async () => {
  const orders = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      orders,
      fc.integer({ min: 1, max: 6 }),
      fc.nat({ max: 25 }),
      async (order, concurrency, count) => {
        const outside = new Outside();
        const effects: number[] = [];
        const app = appOf();
        app
          .dataframe(from)
          .applyAsync((reading) => outside.ask(reading), { concurrency })
          .update(({ x }) => void effects.push(x))
          .applyAsync((reading) => outside.ask({ ...reading, x: reading.x + 100 }), { concurrency })
          .toTopic(to);
        const bench = benchOf(app, 2);
        let at = 0;
        const refused = new Set<number>();
        await work(bench, count, async () => {
          const question = outside.open[(order[at++ % order.length] ?? 0) % outside.open.length];
          // Some are refused the first time.
          if (
            question !== undefined &&
            question.x < 100 &&
            question.x % 5 === 3 &&
            !refused.has(question.x)
          ) {
            refused.add(question.x);
            question.refuse();
          } else question?.answer();
        });
        const expected = Array.from({ length: count }, (_, x) => x);
        const written = bench.out
          .map(({ value }) => to.decode(value))
          .map((each) => (each.ok ? each.value.x : NaN));
        expect(written).toEqual(expected.map((x) => x + 100));
        // A retry asks and does again, but never before those in front.
        expect([...new Set(effects)]).toEqual(expected);
        expect(bench.deadLetters).toEqual([]);
        // Beside them, the second step's question of the record whose turn it is.
        expect(outside.most).toBeLessThanOrEqual(concurrency);
        expect(outside.most).toBeGreaterThanOrEqual(Math.min(concurrency, count));
      },
    ),
    { numRuns: 300 },
  );
});

test("a failed record goes to the dead-letter topic in its turn, even if it failed long before; the others are written", async () => {
  const outside = new Outside();
  const app = appOf();
  app
    .dataframe(from)
    .applyAsync((reading) => outside.ask(reading), { concurrency: 3 })
    .toTopic(to);
  const bench = benchOf(app);
  await work(bench, 4, async () => {
    // The last one is ready first.
    const question = outside.open.at(-1);
    if (question?.x === 2) question.refuse();
    else question?.answer();
  });
  expect(bench.deadLetters).toEqual([{ code: "failed", offset: 2 }]);
  expect(bench.out.map(({ topic }) => topic)).toEqual(["out", "out", "readings.dlq", "out"]);
  expect(outside.asked).toEqual([0, 1, 2, 3]);
});

test("a note taken while several are under way names none of them", async () => {
  const outside = new Outside();
  const app = appOf();
  app
    .dataframe(from)
    .applyAsync((reading) => outside.ask(reading), { concurrency: 3 })
    .toTopic(to);
  const bench = benchOf(app);
  const positions: number[] = [];
  await work(bench, 3, async () => {
    positions.push(bench.partition.takeNews().note.position);
    outside.open.at(-1)?.answer();
  });
  // Two answers for later records, then the first one's.
  expect(positions.slice(0, 3)).toEqual([0, 0, 0]);
  expect(bench.partition.takeNews().note.position).toBe(3);
});

test("on the test driver it is one at a time, in order; two of them follow each other", async () => {
  const app = appOf();
  const readings = app.dataframe(from).applyAsync(async (reading) => reading, { concurrency: 4 });
  readings.toTopic(to);
  readings
    .applyAsync(async ({ x, ...reading }) => ({ ...reading, x: x * 2 }), { concurrency: 4 })
    .toTopic(second);
  const driver = app.testDriver();
  for (const x of [1, 2, 3]) driver.pipe(from, { key: "a", atMs: x, x });
  await driver.settled();
  expect([driver.read(to), driver.read(second)].map((list) => list.map(({ x }) => x))).toEqual([
    [1, 2, 3],
    [2, 4, 6],
  ]);
  expect(app.describe("text")).toContain("apply reading, 4 at once");
  expect(() => app.dataframe(from).applyAsync(async () => 1, { concurrency: 0 })).toThrow(/from 1 to 1,000/);
});
