/** Operations that the runtime has a part in, on a Kafka. What each does with values: operations.test.ts. */
import { brokersFromEnvironment, followTopic, uniqueName, waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import { createPublisher, createStreamApp, ensureTopics, type StreamApp } from "../index.ts";

const kafka = { brokers: brokersFromEnvironment() ?? [] };

function appOf(name: string): StreamApp {
  return createStreamApp({ name, kafka, log: keptLog(), startFrom: "earliest", backoffMs: 1 });
}

async function publish(topic: ReturnType<typeof readingTopic>, readings: readonly Reading[]): Promise<void> {
  const publisher = await createPublisher({ kafka, topic, log: keptLog() });
  await Promise.all(readings.map((reading) => publisher.send(reading)));
  await publisher.close();
}

const readings = (count: number) =>
  Array.from({ length: count }, (_, x) => ({ key: "a", atMs: Date.now(), x }));
const xs = (records: readonly { readonly value: string | null }[]) =>
  records.map(({ value }): unknown => JSON.parse(value ?? "").x);

test("a topic that a function chooses is made when it is first written", async () => {
  const name = uniqueName("chosen");
  const from = readingTopic(`${name}-in`, 1);
  const app = appOf(name);
  app.dataframe(from).toTopic(({ x }) => readingTopic(`${name}-${x % 2}`, 3));
  await publish(from, readings(4));
  const run = app.run();
  await waitFor("its topics", () => app.health().ready);
  await waitFor("what was written", async () => {
    await using even = await followTopic(kafka.brokers, `${name}-0`);
    await using odd = await followTopic(kafka.brokers, `${name}-1`);
    const written = [xs(await even.toEnd()), xs(await odd.toEnd())];
    return JSON.stringify(written) === "[[0,2],[1,3]]";
  });
  await app.stop();
  await run;
});

test("applyAsync keeps the order, and a stop waits for what is under way and notes it", async () => {
  const name = uniqueName("async");
  const [from, to] = [readingTopic(`${name}-in`, 1), readingTopic(`${name}-out`, 1)];
  await ensureTopics({ kafka, topics: [from, to], log: keptLog() });
  const asked: number[] = [];
  const open: { readonly x: number; answer(): void }[] = [];
  const described = (ask: (reading: Reading) => Promise<Reading>) => {
    const app = appOf(name);
    app.dataframe(from).applyAsync(ask, { concurrency: 4 }).toTopic(to);
    return app;
  };
  const first = described((reading) => {
    asked.push(reading.x);
    return new Promise((resolve) => open.push({ x: reading.x, answer: () => resolve(reading) }));
  });
  const run = first.run();
  await publish(from, readings(10));
  await waitFor("four questions at once", () => open.length === 4);
  await using written = await followTopic(kafka.brokers, to.name);
  for (const question of open.splice(0).toReversed()) question.answer();
  await waitFor("the next four", () => open.length === 4);
  const stopped = first.stop();
  for (const question of open.splice(0).toReversed()) question.answer();
  await stopped;
  await run;
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(xs(await written.toEnd())).toEqual(asked);

  // Whoever comes next asks for the rest alone.
  const second = described(async (reading) => {
    asked.push(reading.x);
    return reading;
  });
  const again = second.run();
  await waitFor("the rest", () => written.records.length === 10);
  await second.stop();
  await again;
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(xs(await written.toEnd())).toEqual(asked);
});

test("a function of applyAsync that never returns ends the app with what stands still", async () => {
  const name = uniqueName("stuck");
  const from = readingTopic(`${name}-in`, 1);
  const app = createStreamApp({ name, kafka, log: keptLog(), startFrom: "earliest", stallAfterMs: 500 });
  app.dataframe(from).applyAsync(() => new Promise<Reading>(() => undefined), { concurrency: 2 });
  await publish(from, readings(3));
  await expect(app.run()).rejects.toMatchObject({
    code: "STREAMS_STALLED",
    message: expect.stringContaining(`${from.name}[0] offset 0`),
  });
});

test("onFailure fail ends the app with the record that it can't process; the next start begins with it", async () => {
  const name = uniqueName("fails");
  const [from, to] = [readingTopic(`${name}-in`, 1), readingTopic(`${name}-out`, 1)];
  const described = (onFailure: "fail" | "skip") => {
    const app = createStreamApp({
      name,
      kafka,
      log: keptLog(),
      startFrom: "earliest",
      backoffMs: 1,
      onFailure,
    });
    app
      .dataframe(from)
      .update(({ x }) => {
        if (x === 2) throw new RangeError("two");
      })
      .toTopic(to);
    return app;
  };
  await publish(from, readings(4));
  const failing = described("fail");
  await expect(failing.run()).rejects.toMatchObject({ code: "STREAMS_PROCESSING", at: { offset: 2 } });
  expect(failing.health()).toMatchObject({
    live: false,
    why: expect.stringContaining(`${from.name}[0] offset 2`),
  });
  const skipping = described("skip");
  const run = skipping.run();
  await using written = await followTopic(kafka.brokers, to.name);
  await waitFor("the last one", () => xs(written.records).includes(3));
  await skipping.stop();
  await run;
  expect(new Set(xs(await written.toEnd()))).toEqual(new Set([0, 1, 3]));
});
