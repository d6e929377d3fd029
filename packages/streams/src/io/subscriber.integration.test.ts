/** The subscriber on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import kafkajs from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import { createPublisher, createSubscriber, ensureTopics, type InvalidRecord } from "../index.ts";

const { Kafka, logLevel, Partitioners } = kafkajs;
let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

function client() {
  return new Kafka({ brokers: [...shared.kafka.brokers], logLevel: logLevel.NOTHING });
}

test("starts a window ago by the records' timestamps, knows when it has caught up, leaves no group behind", async () => {
  const topic = readingTopic(uniqueName("in"), 3);
  const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog() });
  const nowMs = Date.now();
  const at = (agoMs: number, x: number): Reading => ({ key: `k${x}`, atMs: nowMs - agoMs, x });
  await Promise.all(
    [at(500_000, 1), at(200_000, 2), at(50_000, 3), at(10_000, 4), at(1_000, 5)].map(publisher.send),
  );
  const groupId = uniqueName("reader");
  const values: number[] = [];
  const subscriber = await createSubscriber<Reading>({
    kafka: shared.kafka,
    topics: [topic],
    groupId,
    from: { millisecondsAgo: 100_000 },
    log: keptLog(),
    onRecord: ({ value }) => void values.push(value.x),
    onInvalid: () => undefined,
  });
  await subscriber.caughtUp;
  expect(values.toSorted()).toEqual([3, 4, 5]);
  await publisher.send(at(0, 6));
  await until("the news", () => values.includes(6));
  await subscriber.close();
  await publisher.close();
  const admin = client().admin();
  await admin.connect();
  const { groups } = await admin.listGroups();
  expect(groups.map((group) => group.groupId)).not.toContain(groupId);
  await admin.disconnect();
});

test("each topic is read from where it is told to be", async () => {
  const topics = ["old", "new", "some"].map((name) => readingTopic(uniqueName(name), 1));
  const nowMs = Date.now();
  for (const topic of topics) {
    const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog() });
    for (const [agoMs, x] of [
      [500_000, 1],
      [50_000, 2],
    ] as const)
      await publisher.send({ key: "k", atMs: nowMs - agoMs, x });
    await publisher.close();
  }
  const [old, latest, some] = topics.map(({ name }) => name);
  const heard: string[] = [];
  const subscriber = await createSubscriber<Reading>({
    kafka: shared.kafka,
    topics,
    groupId: uniqueName("reader"),
    from: (topic) =>
      topic === old ? "earliest" : topic === latest ? "latest" : { millisecondsAgo: 100_000 },
    log: keptLog(),
    onRecord: ({ topic, value }) => void heard.push(`${topic} ${value.x}`),
    onInvalid: () => undefined,
  });
  await subscriber.caughtUp;
  expect(heard.toSorted()).toEqual([`${old} 1`, `${old} 2`, `${some} 2`].toSorted());
  await subscriber.close();
});

test("an invalid record is reported with its position and reason, and the next record follows", async () => {
  const topic = readingTopic(uniqueName("in"), 1);
  await ensureTopics({ kafka: shared.kafka, topics: [topic], log: keptLog() });
  const producer = client().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const good = JSON.stringify({ key: "a", atMs: 1, x: 1 });
  await producer.send({
    topic: topic.name,
    messages: [{ value: "{" }, { value: null }, { value: "7" }, { value: good }],
  });
  await producer.disconnect();
  const values: number[] = [];
  const invalid: InvalidRecord[] = [];
  const log = keptLog();
  const subscriber = await createSubscriber<Reading>({
    kafka: shared.kafka,
    topics: [topic],
    groupId: uniqueName("reader"),
    from: "earliest",
    log,
    onRecord: ({ value }) => {
      values.push(value.x);
      throw new TypeError("a fault of the page");
    },
    onInvalid: (record) => void invalid.push(record),
  });
  await subscriber.caughtUp;
  expect(values).toEqual([1]);
  expect(invalid.map(({ offset, problems }) => [offset, problems.length])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  expect(invalid[2]).toMatchObject({ topic: topic.name, partition: 0, problems: ["it is another shape"] });
  expect(log.has("onRecord or onInvalid threw; continuing")).toBe(true);
  await subscriber.close();
});

test("topics are made once, as defined, and never altered", async () => {
  const topic = { ...readingTopic(uniqueName("in"), 3), configEntries: { "retention.ms": "3600000" } };
  const ensure = (partitions: number) =>
    ensureTopics({ kafka: shared.kafka, topics: [{ ...topic, partitions }], log: keptLog() });
  await Promise.all([ensure(3), ensure(3), ensure(3)]);
  await ensure(7);
  const admin = client().admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
  expect(topics[0]?.partitions).toHaveLength(3);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic.name, configNames: ["retention.ms"] }],
  });
  expect(resources[0]?.configEntries[0]?.configValue).toBe("3600000");
  await expect(
    ensureTopics({ kafka: shared.kafka, topics: [{ ...topic, name: "no spaces, please" }], log: keptLog() }),
  ).rejects.toMatchObject({ code: "STREAMS_KAFKA_REFUSED" });
  await admin.disconnect();
});
