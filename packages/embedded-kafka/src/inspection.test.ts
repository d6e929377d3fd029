/** What a running broker tells of its transactions. */
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { startBroker } from "./index.ts";

test("transactions, the offsets that wait for them, and what became of their records can be looked at", async () => {
  const broker = await startBroker();
  const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: "tx", maxInFlightRequests: 1, idempotent: true });
  try {
    await producer.connect();
    expect(broker.transactions()).toEqual([]);
    const fates = () => broker.records("t").map(({ value, transaction }) => [String(value), transaction]);
    const ends = () => {
      const [partition] = broker.topics()[0]?.partitions ?? [];
      return [partition?.lastStableOffset, partition?.highWatermark];
    };
    const aborted = await producer.transaction();
    await aborted.send({ topic: "t", messages: [{ value: "a" }] });
    expect(fates()).toEqual([["a", "open"]]);
    await aborted.abort();
    expect([...fates(), ends()]).toEqual([
      ["a", "aborted"],
      [2, 2],
    ]);
    const committed = await producer.transaction();
    await committed.send({ topic: "t", messages: [{ value: "b" }] });
    await committed.sendOffsets({
      consumerGroupId: "g",
      topics: [{ topic: "t", partitions: [{ partition: 0, offset: "1" }] }],
    });
    expect(ends()).toEqual([2, 3]);
    expect(broker.transactions()).toMatchObject([
      { state: "Ongoing", startedMs: expect.any(Number), partitions: { t: [0] }, groups: ["g"] },
    ]);
    const [{ producerId } = { producerId: -1 }] = broker.transactions();
    const offset = { topic: "t", partition: 0, offset: 1 };
    expect(broker.groups()).toMatchObject([
      { groupId: "g", offsets: [], pendingOffsets: [{ producerId, ...offset }] },
    ]);
    await committed.commit();
    expect(fates()).toEqual([
      ["a", "aborted"],
      ["b", "committed"],
    ]);
    expect(broker.groups()).toMatchObject([{ groupId: "g", offsets: [offset], pendingOffsets: [] }]);
    expect(broker.transactions()).toMatchObject([{ state: "CompleteCommit", partitions: {}, groups: [] }]);
  } finally {
    await producer.disconnect();
    await broker.stop();
  }
});
