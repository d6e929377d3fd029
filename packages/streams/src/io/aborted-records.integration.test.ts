/** Transactions that overlap, on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import kafkajs, { type Transaction } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName } from "../../test-support/kafka.ts";
import { valuesIn } from "../../test-support/reader.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { createKafka, ensureTopics } from "../index.ts";
import { type FetchedMessage, markAborted } from "./aborted-records.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

test("of aborted transactions that overlap nothing is read, and all of the committed ones", async () => {
  const topic = readingTopic(uniqueName("in"), 1);
  await ensureTopics({ kafka: shared.kafka, topics: [topic], log: keptLog() });
  const client = createKafka({ kafka: shared.kafka, log: keptLog() });
  const producers = [1, 2, 3].map(() =>
    client.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      transactionalId: uniqueName("transactions"),
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 5, retries: 20 },
    }),
  );
  await Promise.all(producers.map((producer) => producer.connect()));
  let x = 0;
  const committed: number[] = [];
  // Begun in one order, ended in another; then the same producers commit.
  for (const [order, isAborted] of [
    [[2, 0, 1], true],
    [[1, 2, 0], true],
    [[0, 1, 2], false],
    [[2, 1, 0], true],
    [[0, 2, 1], false],
  ] as const) {
    const transactions: Transaction[] = [];
    for (const producer of producers) {
      const transaction = await producer.transaction();
      transactions.push(transaction);
      for (let i = 0; i < 2; i++, x++) {
        const value = Buffer.from(topic.encode({ key: "k", atMs: x, x }));
        await transaction.send({ topic: topic.name, messages: [{ key: "k", value }] });
        if (!isAborted) committed.push(x);
      }
    }
    for (const i of order) await (isAborted ? transactions[i]?.abort() : transactions[i]?.commit());
  }
  await Promise.all(producers.map((producer) => producer.disconnect()));
  const values = (await valuesIn(shared.kafka, topic)).map(({ x }) => x);
  expect(values).toEqual(committed);
});

test("a fetch that begins within two aborted transactions leaves out neither too little nor too much", () => {
  const message = (offset: number, producerId: string, marker?: "abort" | "commit"): FetchedMessage => ({
    offset: String(offset),
    key: marker === undefined ? null : Buffer.from([0, 0, 0, marker === "abort" ? 0 : 1]),
    isControlRecord: marker !== undefined,
    batchContext: { producerId, inTransaction: true },
  });
  const messages = [
    message(12, "1", "abort"),
    message(13, "2"),
    message(14, "1"),
    message(15, "2", "abort"),
    message(16, "1", "commit"),
    message(17, "2"),
  ];
  markAborted(messages, [
    { producerId: "1", firstOffset: "6" },
    { producerId: "2", firstOffset: "5" },
  ]);
  const read = messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => offset);
  expect(read).toEqual(["14", "17"]);
});
