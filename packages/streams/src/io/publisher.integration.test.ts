/** The publisher on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { valuesIn } from "../../test-support/reader.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import { createPublisher, createStreamApp, type TopicLike } from "../index.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** A topic that takes only small records. */
function narrow(name: string): TopicLike<Reading> {
  return { ...readingTopic(name), configEntries: { "max.message.bytes": "2000" } };
}

test("records of one key arrive in the order of the calls, and close delivers what waits", async () => {
  const topic = readingTopic(uniqueName("in"), 3);
  const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog(), lingerMs: 50 });
  const all = Array.from({ length: 20_000 }, (_, x) => ({
    key: `k${x % 7}`,
    atMs: 1_700_000_000_000 + x,
    x,
  }));
  const sent = all.map((reading) => publisher.send(reading));
  await publisher.close();
  await Promise.all(sent);
  const values = await valuesIn(shared.kafka, topic);
  expect(values).toHaveLength(all.length);
  for (let k = 0; k < 7; k++) {
    const ofKey = (list: readonly Reading[]) => list.filter(({ key }) => key === `k${k}`).map(({ x }) => x);
    expect(ofKey(values)).toEqual(ofKey(all));
  }
  await expect(publisher.send({ key: "a", atMs: 1, x: 1 })).rejects.toMatchObject({
    code: "STREAMS_DELIVERY",
  });
});

test("only the record that Kafka refuses is reported; those around it arrive", async () => {
  const topic = narrow(uniqueName("in"));
  const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog() });
  const outcomes = await Promise.allSettled(
    ["a", "b".repeat(5_000), "c"].map((key, x) => publisher.send({ key, atMs: 1_700_000_000_000, x })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({
    reason: { code: "STREAMS_DELIVERY", retriable: false, topic: topic.name },
  });
  await publisher.send({ key: "d", atMs: 1_700_000_000_000, x: 3 });
  expect(publisher.health()).toMatchObject({ ready: true, live: true, bufferedBytes: 0 });
  await publisher.close();
  expect((await valuesIn(shared.kafka, topic)).map(({ x }) => x).toSorted()).toEqual([0, 2, 3]);
});

test("what a pipeline makes of a record, and Kafka refuses, is a dead letter of that record", async () => {
  const from = readingTopic(uniqueName("in"));
  const to = narrow(uniqueName("out"));
  const log = keptLog();
  const app = createStreamApp({ name: uniqueName("app"), kafka: shared.kafka, log, startFrom: "earliest" });
  app
    .dataframe(from)
    .apply((reading) => (reading.x === 2 ? { ...reading, key: "b".repeat(5_000) } : reading))
    .toTopic(to);
  const run = app.run();
  const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log });
  await Promise.all([1, 2, 3].map((x) => publisher.send({ key: "a", atMs: 1_700_000_000_000, x })));
  await publisher.close();
  const letters = { ...from, name: `${from.name}.dlq` };
  await until("the records that fit", async () => (await valuesIn(shared.kafka, to)).length === 2);
  await until("the dead letter", async () => (await valuesIn(shared.kafka, letters)).length === 1);
  expect((await valuesIn(shared.kafka, letters)).map(({ x }) => x)).toEqual([2]);
  expect(app.health()).toMatchObject({ ready: true, live: true });
  await app.stop();
  await run;
});
