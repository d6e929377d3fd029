/** Transactions on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName } from "../../test-support/kafka.ts";
import { valuesIn } from "../../test-support/reader.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import { ensureTopics, type TopicLike } from "../index.ts";
import { createKafka } from "./kafka-client.ts";
import { machineClock } from "./machine-clock.ts";
import { offsetsOf } from "./offsets.ts";
import { isFenced, TRANSACTION_RETRY, TransactionalProducer } from "./transactional-producer.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

const neverReplaced = () => {
  throw new RangeError("nothing was to be refused");
};

async function setUp(topic: TopicLike<Reading>) {
  const groupId = uniqueName("group");
  await ensureTopics({ kafka: shared.kafka, topics: [topic], log: keptLog() });
  const client = createKafka({ kafka: shared.kafka, log: keptLog(), retry: TRANSACTION_RETRY });
  const requests: string[] = [];
  const make = client.producer.bind(client);
  client.producer = (config) => {
    const producer = make(config);
    producer.on(producer.events.REQUEST, ({ payload }) => void requests.push(payload.apiName));
    return producer;
  };
  const transactionalId = uniqueName("transactions");
  return {
    requests,
    opened: async () => {
      const producer = new TransactionalProducer({ client, clock: machineClock, transactionalId, groupId });
      await producer.open();
      return producer;
    },
    record: (x: number) => ({
      topic: topic.name,
      key: `k${x % 3}`,
      value: topic.encode({ key: `k${x % 3}`, atMs: x, x }),
      timestampMs: Date.now(),
    }),
    position: (offset: number) => ({ topic: topic.name, partition: 0, offset, metadata: `at ${offset}` }),
    committed: async () =>
      (await offsetsOf(client, machineClock, groupId, [topic.name])).get(`${topic.name}/0`),
  };
}

/** All that a reader of committed records finds. */
async function found(topic: TopicLike<Reading>): Promise<number[]> {
  const values = await valuesIn(shared.kafka, topic);
  return values.map(({ x }) => x).toSorted((left, right) => left - right);
}

test("records and position come together, one transaction right after the other, and also without records", async () => {
  const topic = readingTopic(uniqueName("out"), 3);
  const { opened, record, position, committed } = await setUp(topic);
  const producer = await opened();
  for (let x = 0; x < 20; x++)
    await producer.commit([record(2 * x), record(2 * x + 1)], position(x), neverReplaced);
  for (let x = 20; x < 40; x++) await producer.commit([], position(x), neverReplaced);
  await producer.close();
  expect(await committed()).toMatchObject({ committed: 39, metadata: "at 39" });
  expect(await found(topic)).toEqual(Array.from({ length: 40 }, (_, x) => x));
});

test("coordinators are asked for now and then, not before each request to them", async () => {
  const topic = readingTopic(uniqueName("out"), 3);
  const { requests, opened, record, position } = await setUp(topic);
  const producer = await opened();
  for (let x = 0; x < 20; x++) await producer.commit([record(x)], position(x), neverReplaced);
  await producer.close();
  const sent = (name: string) => requests.filter((each) => each === name).length;
  expect(sent("EndTxn")).toBe(20);
  // Four for each of them if nothing is remembered.
  expect(sent("GroupCoordinator")).toBeLessThan(2 * 20);
});

test("who takes the id fences its former owner, of whom nothing more counts", async () => {
  const topic = readingTopic(uniqueName("out"), 3);
  const { opened, record, position, committed } = await setUp(topic);
  const former = await opened();
  await former.commit([record(0)], position(1), neverReplaced);
  const owner = await opened();
  const refused = await former
    .commit([record(1)], position(2), neverReplaced)
    .catch((error: unknown) => error);
  expect(isFenced(refused)).toBe(true);
  expect(await committed()).toMatchObject({ committed: 1 });
  await owner.commit([record(2)], position(3), neverReplaced);
  expect(await committed()).toMatchObject({ committed: 3 });
  await Promise.all([former.close(), owner.close()]);
  expect(await found(topic)).toEqual([0, 2]);
});

test("a record that Kafka refuses is replaced; those around it are there once, in one transaction", async () => {
  const topic = readingTopic(uniqueName("out"), 3);
  const { opened, record, position, committed } = await setUp(topic);
  const producer = await opened();
  const large = { ...record(100), value: Buffer.alloc(2_000_000) };
  const refused: unknown[] = [];
  const records = [record(0), record(1), large, record(2), record(3), large, record(4)];
  await producer.commit(records, position(7), (each) => {
    refused.push(each);
    return record(100 + refused.length);
  });
  await producer.commit([record(5)], position(8), neverReplaced);
  await producer.close();
  expect(refused).toEqual([large, large]);
  expect(await committed()).toMatchObject({ committed: 8 });
  expect(await found(topic)).toEqual([0, 1, 2, 3, 4, 5, 101, 102]);
});
