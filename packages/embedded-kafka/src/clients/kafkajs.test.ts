/** An unmodified kafkajs against the broker, through its public interface. */
import {
  AssignerProtocol,
  ConfigResourceTypes,
  type Consumer,
  Kafka,
  logLevel,
  type Producer,
} from "kafkajs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Broker, startBroker } from "../index.ts";
import { eventually } from "../testing/cluster-under-test.ts";

let broker: Broker;
let kafka: Kafka;
const open: { disconnect(): Promise<void> }[] = [];

beforeEach(async () => {
  broker = await startBroker();
  kafka = new Kafka({ clientId: "test", brokers: broker.brokers, logLevel: logLevel.NOTHING });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.disconnect()));
  await broker.stop();
});

async function connected<C extends { connect(): Promise<void>; disconnect(): Promise<void> }>(
  client: C,
): Promise<C> {
  open.push(client);
  await client.connect();
  return client;
}

const producer = (options = {}): Promise<Producer> => connected(kafka.producer(options));
const admin = () => connected(kafka.admin());
const consumer = (groupId: string): Promise<Consumer> =>
  connected(kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 100, maxWaitTimeInMs: 100 }));

/** A consumer that runs, and what it has read so far. */
async function reading(groupId: string, topic: string) {
  const client = await consumer(groupId);
  const seen: string[] = [];
  await client.subscribe({ topic, fromBeginning: true });
  await client.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
  return { client, seen };
}

const text = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${from + index}`);
const messages = (values: string[]) => values.map((value) => ({ key: value, value }));

describe("kafkajs", () => {
  test("consumes in order what it produced, with keys, headers, times and compression", async () => {
    await (await admin()).createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
    const sent = { key: "k", value: "v", headers: { h: "x" }, timestamp: "1700000000000" };
    const to = await producer();
    await to.send({ topic: "t", messages: [sent, { key: "k", value: null }], compression: 1 });
    const from = await consumer("g");
    await from.subscribe({ topic: "t", fromBeginning: true });
    const seen: unknown[] = [];
    await from.run({
      eachMessage: async ({ message: { key, value, headers, timestamp } }) =>
        void seen.push([
          String(key),
          value === null ? null : String(value),
          String(headers?.["h"]),
          timestamp,
        ]),
    });
    await eventually("both", async () => (seen.length === 2 ? true : null));
    expect(seen[0]).toEqual(["k", "v", "x", "1700000000000"]);
    expect(seen[1]).toEqual(["k", null, "undefined", expect.any(String)]);
  });

  test("makes topics by asking for them", async () => {
    await (await producer()).send({ topic: "asked-for", messages: [{ value: "v" }] });
    expect(await (await admin()).listTopics()).toEqual(["asked-for"]);
  });

  test("produces idempotently, each record once", async () => {
    const to = await producer({ idempotent: true, maxInFlightRequests: 1 });
    for (let i = 0; i < 20; i++) await to.send({ topic: "t", messages: messages(text(5, i * 5)) });
    expect(broker.records("t").map(({ value }) => String(value))).toEqual(text(100));
  });

  test("shares partitions in a group, and takes over those of a member that leaves", async () => {
    await (await admin()).createTopics({ topics: [{ topic: "t", numPartitions: 4 }] });
    const first = await reading("g", "t");
    const second = await reading("g", "t");
    const members = () => broker.groups()[0]?.members.map(({ assignment }) => assignment?.["t"]?.length);
    await eventually("two members", async () => (members()?.join() === "2,2" ? true : null));
    await (await producer()).send({ topic: "t", messages: messages(text(200)) });
    await eventually("all", async () => (first.seen.length + second.seen.length === 200 ? true : null));
    expect([...first.seen, ...second.seen].sort()).toEqual(text(200).sort());
    expect(Math.min(first.seen.length, second.seen.length)).toBeGreaterThan(0);
    await first.client.disconnect();
    await eventually("one member", async () => (members()?.join() === "4" ? true : null));
    const before = second.seen.length;
    await (await producer()).send({ topic: "t", messages: messages(text(50, 1000)) });
    await eventually("the rest", async () => (second.seen.length === before + 50 ? true : null));
  });

  test("continues where its group stopped", async () => {
    const to = await producer();
    await to.send({ topic: "t", messages: messages(text(10)) });
    const first = await reading("g", "t");
    await eventually("ten", async () => (first.seen.length === 10 ? true : null));
    await first.client.disconnect();
    await to.send({ topic: "t", messages: messages(text(5, 10)) });
    const second = await reading("g", "t");
    await eventually("five", async () => (second.seen.length === 5 ? true : null));
    expect(second.seen).toEqual(text(5, 10));
  });

  test("continues after its topic was deleted and recreated", async () => {
    const client = await admin();
    await client.createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
    const to = await producer();
    await to.send({ topic: "t", messages: messages(["old"]) });
    const { seen } = await reading("g", "t");
    await eventually("the old one", async () => (seen.length === 1 ? true : null));
    await client.deleteTopics({ topics: ["t"] });
    await client.createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
    await to.send({ topic: "t", messages: messages(["new"]) });
    await eventually("the new one", async () => (seen.includes("new") ? true : null));
  });

  test("administers topics, settings, offsets, records and groups", async () => {
    const client = await admin();
    const topic = "t";
    await client.createTopics({
      topics: [{ topic, numPartitions: 2, configEntries: [{ name: "retention.ms", value: "1000000" }] }],
    });
    await (await producer()).send({ topic, messages: text(10).map((value) => ({ value, partition: 0 })) });
    expect((await client.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions).toHaveLength(2);
    await client.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    expect((await client.fetchTopicOffsets(topic)).map(({ high }) => high).sort()).toEqual(["0", "0", "10"]);
    expect(
      (await client.fetchTopicOffsetsByTimestamp(topic, 1)).find((one) => one.partition === 0)?.offset,
    ).toBe("0");
    await client.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "4" }] });
    expect((await client.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)?.low).toBe("4");
    await client.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: "retention.ms", value: "2000000" }],
        },
      ],
    });
    const { resources } = await client.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ["retention.ms"] }],
    });
    expect(resources[0]?.configEntries).toMatchObject([
      { configName: "retention.ms", configValue: "2000000" },
    ]);
    const { client: reader } = await reading("g", topic);
    await eventually("a member", async () => (broker.groups()[0]?.state === "Stable" ? true : null));
    const [group] = (await client.describeGroups(["g"])).groups;
    const assigned = AssignerProtocol.MemberAssignment.decode(
      group?.members[0]?.memberAssignment ?? Buffer.alloc(0),
    );
    expect(assigned?.assignment[topic]?.sort()).toEqual([0, 1, 2]);
    await reader.disconnect();
    await client.setOffsets({ groupId: "g", topic, partitions: [{ partition: 0, offset: "7" }] });
    expect(await client.fetchOffsets({ groupId: "g", topics: [topic] })).toMatchObject([
      { topic, partitions: expect.arrayContaining([expect.objectContaining({ partition: 0, offset: "7" })]) },
    ]);
    expect((await client.listGroups()).groups).toEqual([{ groupId: "g", protocolType: "consumer" }]);
    await client.deleteGroups(["g"]);
    expect((await client.listGroups()).groups).toEqual([]);
    expect(await client.describeCluster()).toMatchObject({ controller: 1, brokers: [{ nodeId: 1 }] });
  });
});
