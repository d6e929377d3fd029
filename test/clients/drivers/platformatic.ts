/** Drives @platformatic/kafka. */
import { randomUUID } from "node:crypto";
import {
  Admin,
  CompressionAlgorithms,
  type CompressionAlgorithmValue,
  ConfigResourceTypes,
  Consumer,
  FetchIsolationLevels,
  IncrementalAlterConfigOperationTypes,
  type Message,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from "@platformatic/kafka";
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

type Text = Message<string, string, string, string>;
type TextProducer = Producer<string, string, string, string>;
type Transaction = Awaited<ReturnType<TextProducer["beginTransaction"]>>;

const base = { clientId: "platformatic", bootstrapBrokers: brokers };
const { TOPIC } = ConfigResourceTypes;
const admin = new Admin(base);

interface Member {
  readonly values: string[];
  readonly consumer: Consumer<string, string, string, string>;
}
let member: Member | undefined;
const transactional = new Map<string, TextProducer>();
const open = new Map<string, Transaction>();

const consumerOf = (
  groupId: string,
  options: { isolationLevel?: 0 | 1; autocommit?: number | boolean } = {},
) =>
  new Consumer({
    ...base,
    groupId,
    deserializers: stringDeserializers,
    sessionTimeout: 6000,
    rebalanceTimeout: 6000,
    heartbeatInterval: 500,
    maxWaitTime: 200,
    ...options,
  });

function producerOf(transactionalId?: string): TextProducer {
  const id = transactionalId === undefined ? {} : { transactionalId };
  return new Producer({ ...base, serializers: stringSerializers, idempotent: true, retries: 2, ...id });
}

const asRead = ({ partition, offset, key, value, headers, timestamp }: Text): ReadRecord => ({
  partition,
  offset: Number(offset),
  key: key ?? null,
  value: value ?? null,
  headers: Object.fromEntries(headers),
  timestamp: Number(timestamp),
});

async function* recordsOf(consumer: Member["consumer"], topic: string): AsyncGenerator<Text> {
  yield* await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST,
  });
}

/** Told nothing else it names producer 0 of epoch 0 as its own, and any second one of an id is then refused. */
const begun = (producer: TextProducer) => producer.beginTransaction({ producerId: -1n, producerEpoch: -1 });

function isCodec(name: string): name is CompressionAlgorithmValue {
  return Object.values<string>(CompressionAlgorithms).includes(name);
}

await serve({
  about: () => ({ version: versionOf("@platformatic/kafka") }),
  create: async (request) => {
    const { topic, partitions, configs } = Create.parse(request);
    await admin.createTopics({
      topics: [topic],
      partitions,
      replicas: 1,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
  },
  partitions: async (request) => {
    const { topic } = OfTopic.parse(request);
    const found = await admin.metadata({ topics: [topic], forceUpdate: true });
    return found.topics.get(topic)?.partitionsCount;
  },
  configs: async (request) => {
    const resourceName = OfTopic.parse(request).topic;
    const [found] = await admin.describeConfigs({ resources: [{ resourceType: TOPIC, resourceName }] });
    return Object.fromEntries((found?.configs ?? []).map(({ name, value }) => [name, value]));
  },
  alter: async (request) => {
    const { topic, configs } = Alter.parse(request);
    const configOperation = IncrementalAlterConfigOperationTypes.SET;
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: TOPIC,
          resourceName: topic,
          configs: Object.entries(configs).map(([name, value]) => ({ name, value, configOperation })),
        },
      ],
    });
  },
  grow: async (request) => {
    const { topic, partitions } = Grow.parse(request);
    const found = await admin.metadata({ topics: [topic], forceUpdate: true });
    const brokerIds = [...found.brokers.keys()].slice(0, 1);
    // It has no way to leave the choice to the cluster: none at all is what a cluster refuses.
    const added = partitions - (found.topics.get(topic)?.partitionsCount ?? 0);
    const assignments = Array.from({ length: added }, () => ({ brokerIds }));
    await admin.createPartitions({ topics: [{ name: topic, count: partitions, assignments }] });
  },
  delete: async (request) => admin.deleteTopics({ topics: [OfTopic.parse(request).topic] }),
  topics: () => admin.listTopics(),
  produce: async (request) => {
    const { topic, codec, records } = Produce.parse(request);
    if (!isCodec(codec)) return;
    const producer = producerOf();
    const messages = records.map(({ key, value, headers, partition, timestamp }) => ({
      topic,
      partition,
      headers,
      timestamp: BigInt(timestamp),
      ...(key === null ? {} : { key }),
      ...(value === null ? {} : { value }),
    }));
    await producer.send({ messages, compression: codec });
    await producer.close();
  },
  read: async (request) => {
    const { topic, isolation, count } = Read.parse(request);
    const groupId = `platformatic-read-${randomUUID()}`;
    const isolationLevel =
      isolation === "read_committed"
        ? FetchIsolationLevels.READ_COMMITTED
        : FetchIsolationLevels.READ_UNCOMMITTED;
    const consumer = consumerOf(groupId, { isolationLevel, autocommit: false });
    const found: ReadRecord[] = [];
    for await (const message of recordsOf(consumer, topic)) {
      if (found.push(asRead(message)) === count) break;
    }
    await consumer.close(true);
    await admin.deleteGroups({ groups: [groupId] });
    return found;
  },
  offsetAt: async (request) => {
    const { topic, partition, timestamp } = OffsetAt.parse(request);
    const partitions = [{ partitionIndex: partition, timestamp: BigInt(timestamp) }];
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return Number(found?.partitions[0]?.offset);
  },
  join: async (request) => {
    const { group, topic } = Join.parse(request);
    const consumer = consumerOf(group, { autocommit: 100 });
    const joined: Member = { values: [], consumer };
    member = joined;
    void (async () => {
      for await (const { value } of recordsOf(consumer, topic)) joined.values.push(value);
    })();
  },
  seen: () => ({
    values: member?.values ?? [],
    assigned: (member?.consumer.assignments ?? []).flatMap(({ partitions }) => partitions),
  }),
  leave: () => member?.consumer.close(true),
  begin: async (request) => {
    const { producer: name, transactionalId } = Begin.parse(request);
    const producer = producerOf(transactionalId);
    transactional.set(name, producer);
    // Without a transaction it does not ask for its epoch.
    open.set(name, await begun(producer));
  },
  transact: async (request) => {
    const { producer, topic, values, end } = Transact.parse(request);
    const made = transactional.get(producer);
    if (made === undefined) return;
    const transaction = open.get(producer) ?? (await begun(made));
    open.set(producer, transaction);
    if (values.length > 0) {
      await transaction.send({ messages: values.map((value) => ({ topic, value, partition: 0 })) });
    }
    if (end === "none") return;
    open.delete(producer);
    await transaction[end]();
  },
  copy: async (request) => {
    const { transactionalId, group, from, to, count, end } = Copy.parse(request);
    const producer = producerOf(transactionalId);
    const consumer = consumerOf(group, { autocommit: false });
    const stream = recordsOf(consumer, from);
    const transaction = await begun(producer);
    let copied = 0;
    for await (const message of stream) {
      if (copied === 0) await transaction.addConsumer(consumer);
      await transaction.send({ messages: [{ topic: to, value: message.value.toUpperCase() }] });
      await transaction.addOffset(message);
      copied += 1;
      if (copied === count) break;
    }
    await transaction[end]();
    await consumer.close(true);
    await producer.close();
  },
});
