/** Drives kafkajs: gzip is its own, zstd our streams', who also read snappy and LZ4; a library writes these. */
import { randomUUID } from "node:crypto";
import { createKafka } from "@kelvin/streams";
import { lz4Compress, snappyCompress } from "@platformatic/wasm-utils";
import kafkajs, { type EachMessagePayload, type Transaction } from "kafkajs";
import {
  Alter,
  Begin,
  brokers,
  Copy,
  Create,
  Grow,
  Join,
  OffsetAt,
  OfTopic,
  Produce,
  Read,
  type ReadRecord,
  serve,
  Transact,
  versionOf,
} from "./serve.ts";

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, logLevel } = kafkajs;
const CODECS: Readonly<Record<string, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
createKafka({ kafka: { brokers }, log: silent }); // teaches kafkajs the codecs
const { [CompressionTypes.Snappy]: snappy, [CompressionTypes.LZ4]: lz4 } = CompressionCodecs;
CompressionCodecs[CompressionTypes.Snappy] = withWriter(snappy(), snappyCompress);
CompressionCodecs[CompressionTypes.LZ4] = withWriter(lz4(), lz4Compress);
const kafka = new kafkajs.Kafka({ brokers, clientId: "kafkajs", logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();

/** A codec that is only read, given the other direction. */
function withWriter(reading: object, compress: (bytes: Buffer) => Buffer) {
  return () => ({
    ...reading,
    compress: async ({ buffer }: { readonly buffer: Buffer }) => compress(buffer),
  });
}

interface Member {
  readonly values: string[];
  assigned: readonly number[];
  readonly leave: () => Promise<void>;
}
let member: Member | undefined;
const transactional = new Map<string, ReturnType<typeof kafka.producer>>();
const open = new Map<string, Transaction>();

const textOf = (bytes: Buffer | null | undefined): string | null => bytes?.toString() ?? null;

function asRead({ partition, message }: EachMessagePayload): ReadRecord {
  const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    partition,
    offset: Number(message.offset),
    key: textOf(message.key),
    value: textOf(message.value),
    headers: Object.fromEntries(headers),
    timestamp: Number(message.timestamp),
  };
}

/** A group of its own that is gone afterwards: kafkajs has no consumer without a group. */
async function read({ topic, isolation, count }: Read): Promise<ReadRecord[]> {
  const groupId = `kafkajs-read-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    readUncommitted: isolation === "read_uncommitted",
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: ReadRecord[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async (payload) => {
      if (found.push(asRead(payload)) >= count) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  return found.slice(0, count);
}

async function join(group: string, topic: string): Promise<Member> {
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 6000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200,
  });
  const joined: Member = { values: [], assigned: [], leave: () => consumer.disconnect() };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joined.assigned = payload.memberAssignment[topic] ?? [];
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => void joined.values.push(String(message.value)),
  });
  return joined;
}

async function producerOf(transactionalId: string) {
  const producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 3 },
  });
  await producer.connect();
  return producer;
}

await serve({
  about: () => ({ version: versionOf("kafkajs") }),
  create: async (request) => {
    const { topic, partitions, configs } = Create.parse(request);
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
    });
  },
  partitions: async (request) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [OfTopic.parse(request).topic] });
    return topics[0]?.partitions.length;
  },
  configs: async (request) => {
    const name = OfTopic.parse(request).topic;
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
    });
    return Object.fromEntries(
      (resources[0]?.configEntries ?? []).map(({ configName, configValue }) => [configName, configValue]),
    );
  },
  alter: async (request) => {
    const { topic, configs } = Alter.parse(request);
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
  },
  grow: async (request) => {
    const { topic, partitions } = Grow.parse(request);
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
  },
  delete: async (request) => admin.deleteTopics({ topics: [OfTopic.parse(request).topic] }),
  topics: () => admin.listTopics(),
  produce: async (request) => {
    const { topic, codec, records } = Produce.parse(request);
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    const messages = records.map((record) => ({ ...record, timestamp: String(record.timestamp) }));
    await producer.send({ topic, messages, compression: CODECS[codec] ?? CompressionTypes.None });
    await producer.disconnect();
  },
  read: (request) => read(Read.parse(request)),
  offsetAt: async (request) => {
    const { topic, partition, timestamp } = OffsetAt.parse(request);
    // One of its own: an admin that does several things at once forgets topics.
    const other = kafka.admin();
    await other.connect();
    const found = await other.fetchTopicOffsetsByTimestamp(topic, timestamp);
    await other.disconnect();
    return Number(found.find((one) => one.partition === partition)?.offset);
  },
  join: async (request) => {
    const { group, topic } = Join.parse(request);
    member = await join(group, topic);
  },
  seen: () => ({ values: member?.values ?? [], assigned: member?.assigned ?? [] }),
  leave: () => member?.leave(),
  begin: async (request) => {
    const { producer, transactionalId } = Begin.parse(request);
    const made = await producerOf(transactionalId);
    transactional.set(producer, made);
    // Without a transaction it does not ask for its epoch.
    open.set(producer, await made.transaction());
  },
  transact: async (request) => {
    const { producer, topic, values, end } = Transact.parse(request);
    const made = transactional.get(producer);
    if (made === undefined) return;
    const transaction = open.get(producer) ?? (await made.transaction());
    open.set(producer, transaction);
    if (values.length > 0) {
      await transaction.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
    }
    if (end === "none") return;
    open.delete(producer);
    await transaction[end]();
  },
  copy: async (request) => {
    const { transactionalId, group, from, to, count, end } = Copy.parse(request);
    const producer = await producerOf(transactionalId);
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topic: from, fromBeginning: true });
    const transaction = await producer.transaction();
    let copied = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message, partition }) => {
        if (copied === count) return;
        await transaction.send({ topic: to, messages: [{ value: String(message.value).toUpperCase() }] });
        const partitions = [{ partition, offset: String(Number(message.offset) + 1) }];
        await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: from, partitions }] });
        copied += 1;
        if (copied === count) resolve();
      },
    });
    await promise;
    await transaction[end]();
    await consumer.disconnect();
    await producer.disconnect();
  },
});
