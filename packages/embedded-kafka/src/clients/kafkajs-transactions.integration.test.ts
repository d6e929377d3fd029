/** Transactions of an unmodified kafkajs, on this broker and, with KAFKA_BROKERS, on any Kafka. */
import { type Consumer, Kafka, logLevel, type Producer } from "kafkajs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually, uniqueName } from "../testing/cluster-under-test.ts";
import { TransactionClient } from "../testing/transaction-client.ts";

let kafka: Kafka;
let topic: string;
let transactionalId: string;
const open: { disconnect(): Promise<void> }[] = [];

beforeAll(async () => {
  kafka = new Kafka({
    clientId: "test",
    brokers: (process.env["KAFKA_BROKERS"] ?? "").split(","),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 20 },
  });
  await using first = await TransactionClient.of();
  await first.coordinatorReady();
});

beforeEach(async () => {
  topic = uniqueName("topic");
  transactionalId = uniqueName("tx");
  await createTopic(topic);
});

/** A leader is ready when it answers for offsets; kafkajs's `waitForLeaders` fails on KRaft's "unknown topic" (3). */
async function createTopic(name: string): Promise<void> {
  const admin = await connected(kafka.admin());
  await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: false });
  await eventually(`the leader of ${name}`, async () => {
    const offsets = await admin.fetchTopicOffsets(name).catch(() => []);
    return offsets.length === 1 ? true : null;
  });
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.disconnect()));
});

async function connected<C extends { connect(): Promise<void>; disconnect(): Promise<void> }>(
  client: C,
): Promise<C> {
  open.push(client);
  await client.connect();
  return client;
}

const transactional = (id = transactionalId): Promise<Producer> =>
  connected(kafka.producer({ transactionalId: id, maxInFlightRequests: 1, idempotent: true }));

/** A consumer that runs, and what it has read so far. */
async function readingOf(of: string, readUncommitted: boolean) {
  const client: Consumer = await connected(
    kafka.consumer({
      groupId: uniqueName("group"),
      readUncommitted,
      maxWaitTimeInMs: 100,
      sessionTimeout: 6000,
    }),
  );
  const seen: string[] = [];
  await client.subscribe({ topic: of, fromBeginning: true });
  await client.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
  return { seen };
}

const reading = (readUncommitted: boolean) => readingOf(topic, readUncommitted);

const seenAtLast = (reader: { seen: string[] }, values: string[]) =>
  eventually(
    `${values} in ${reader.seen}`,
    async () => (reader.seen.at(-1) === values.at(-1) ? true : null),
    400,
  ).then(() => expect(reader.seen).toEqual(values));

const messages = (...values: string[]) => values.map((value) => ({ value }));

describe("kafkajs", () => {
  test("a committed transaction is read as a whole, an aborted one not at all", async () => {
    const producer = await transactional();
    const committed = await reading(false);
    const uncommitted = await reading(true);
    const first = await producer.transaction();
    await first.send({ topic, messages: messages("a", "b") });
    await first.send({ topic, messages: messages("c") });
    await seenAtLast(uncommitted, ["a", "b", "c"]);
    expect(committed.seen).toEqual([]);
    await first.commit();
    const second = await producer.transaction();
    await second.send({ topic, messages: messages("d", "e") });
    await second.abort();
    const third = await producer.transaction();
    await third.send({ topic, messages: messages("f") });
    await third.commit();
    await seenAtLast(committed, ["a", "b", "c", "f"]);
    await seenAtLast(uncommitted, ["a", "b", "c", "d", "e", "f"]);
  });

  test("offsets are committed with the records, or not at all", async () => {
    const producer = await transactional();
    const groupId = uniqueName("group");
    const admin = await connected(kafka.admin());
    const offset = async () =>
      (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset;
    const sendOffsets = async (next: string, end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: messages(next) });
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic, partitions: [{ partition: 0, offset: next }] }],
      });
      await transaction[end]();
    };
    await sendOffsets("3", "commit");
    await eventually("the offset", async () => ((await offset()) === "3" ? true : null));
    await sendOffsets("7", "abort");
    await sendOffsets("5", "commit");
    await eventually("the offset", async () => ((await offset()) === "5" ? true : null));
    await seenAtLast(await reading(false), ["3", "5"]);
  });

  test("read, process, write: each record counts once, although the process fails in between", async () => {
    const outcome = uniqueName("outcome");
    await createTopic(outcome);
    const plain = await connected(kafka.producer());
    const values = Array.from({ length: 30 }, (_, index) => `${index}`);
    await plain.send({ topic, messages: messages(...values) });
    const groupId = uniqueName("group");
    let failures = 3;
    const worker = await connected(
      kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100, retry: { retries: 20 } }),
    );
    const producer = await transactional();
    await worker.subscribe({ topic, fromBeginning: true });
    await worker.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const next = String(Number(message.offset) + 1);
        const topics = [{ topic, partitions: [{ partition, offset: next }] }];
        for (;;) {
          const transaction = await producer.transaction();
          await transaction.send({ topic: outcome, messages: [{ value: message.value }] });
          await transaction.sendOffsets({ consumerGroupId: groupId, topics });
          const fails = Number(message.offset) % 8 === 5 && failures-- > 0;
          if (!fails) return transaction.commit();
          await transaction.abort();
        }
      },
    });
    const reader = await readingOf(outcome, false);
    await seenAtLast(reader, values);
    expect(failures).toBeLessThan(3);
    const admin = await connected(kafka.admin());
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(offsets?.partitions[0]?.offset).toBe("30");
  });

  test("a producer that comes back fences the zombie, and drops what it left open", async () => {
    const zombie = await transactional();
    const left = await zombie.transaction();
    await left.send({ topic, messages: messages("left") });
    const next = await transactional();
    const transaction = await next.transaction();
    await transaction.send({ topic, messages: messages("next") });
    await transaction.commit();
    await expect(left.send({ topic, messages: messages("late") })).rejects.toThrow(/epoch/i);
    await expect(left.commit()).rejects.toThrow();
    await seenAtLast(await reading(false), ["next"]);
  });
});
