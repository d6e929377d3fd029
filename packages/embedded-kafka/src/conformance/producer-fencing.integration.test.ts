/** Producers of one transactional id that come and go: the same answers from this broker as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { connectToCluster, freshTopic } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { settled, TransactionClient } from "../testing/transaction-client.ts";

const READ_COMMITTED = 1;

let client: RawClient;
beforeAll(async () => {
  client = await connectToCluster();
});
afterAll(() => client[Symbol.asyncDispose]());

async function lastStableOffset(name: string): Promise<number | undefined> {
  const { topics } = await client.send(listOffsets, 6, {
    replicaId: -1,
    isolationLevel: READ_COMMITTED,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  });
  return topics[0]?.partitions[0]?.offset;
}

describe("InitProducerId of a producer that says an older epoch (KIP-360)", () => {
  test.each([
    [3, errorCode.invalidProducerEpoch],
    [5, errorCode.producerFenced],
  ])("in version %i ends the transaction that is open, and is fenced itself", async (version, fenced) => {
    const { name } = await freshTopic(client);
    await using older = await TransactionClient.started();
    const before = older.identity;
    await using newer = await TransactionClient.of(older.transactionalId);
    // Two more epochs: the one before the newest may come once more, as a repeat.
    expect([await newer.init(), await newer.init()]).toEqual([0, 0]);
    expect(await newer.add(name)).toBe(errorCode.none);
    expect(await newer.send(name, ["lost"])).toMatchObject({ errorCode: errorCode.none, baseOffset: 0 });
    expect(await older.initOnce(version, before)).toMatchObject({
      errorCode: errorCode.concurrentTransactions,
    });
    expect(await settled(async () => (await older.initOnce(version, before)).errorCode)).toBe(fenced);
    expect(await newer.endOnce(true)).toBe(errorCode.producerFenced);
    expect(await lastStableOffset(name)).toBe(2);
  });

  test("changes nothing where no transaction is open", async () => {
    const { name } = await freshTopic(client);
    await using older = await TransactionClient.started();
    const before = older.identity;
    await using newer = await TransactionClient.of(older.transactionalId);
    expect([await newer.init(), await newer.init()]).toEqual([0, 0]);
    expect(await older.initOnce(5, before)).toMatchObject({ errorCode: errorCode.producerFenced });
    await newer.transact(name, ["kept"], true);
    expect(await lastStableOffset(name)).toBe(2);
  });
});

test("what follows a refused batch does not take its place, in a partition that knows the producer", async () => {
  const { name } = await freshTopic(client);
  await using producer = await TransactionClient.started();
  await producer.transact(name, ["first"], true);
  // Not part of any transaction: the second and, on its way behind it, the third.
  for (const baseSequence of [1, 2]) {
    const refused = await producer.send(name, ["x"], { batch: { baseSequence } });
    expect(refused.errorCode).toBe(errorCode.invalidTxnState);
  }
  expect(await producer.add(name)).toBe(errorCode.none);
  const third = await producer.send(name, ["third"], { batch: { baseSequence: 2 } });
  expect(third.errorCode).toBe(errorCode.outOfOrderSequence);
  const second = await producer.send(name, ["second"], { batch: { baseSequence: 1 } });
  expect(second).toMatchObject({ errorCode: errorCode.none, baseOffset: 2 });
  expect(await producer.end(true)).toBe(errorCode.none);
});
