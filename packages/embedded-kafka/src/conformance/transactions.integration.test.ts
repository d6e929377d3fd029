/** Transactions: the same answers from this broker as from Apache Kafka. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { readHeader } from "../records/batch.ts";
import { readMarker } from "../records/control.ts";
import { readRecords } from "../records/record.ts";
import { eventually, fetchOne, uniqueName } from "../testing/cluster-under-test.ts";
import { batchesIn } from "../testing/consumed.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { TransactionClient } from "../testing/transaction-client.ts";
import { transactionsUnderTest } from "../testing/transactions-under-test.ts";

answersAreRecorded(import.meta.url);
const cluster = transactionsUnderTest();
const { freshTopicName, read } = cluster;
let topic: string;

describe("FindCoordinator of a transactional id", () => {
  test.each([1, 2, 3])("version %i", async (version) => {
    const found = await cluster.client.send(findCoordinator, version, { key: uniqueName("tx"), keyType: 1 });
    expect(found.errorCode).toBe(errorCode.none);
    expect(found.port).toBeGreaterThan(0);
  });

  test.each([4, 6])("version %i, several at once", async (version) => {
    const keys = [uniqueName("tx"), uniqueName("tx"), ""];
    const found = await cluster.client.send(findCoordinator, version, { keyType: 1, coordinatorKeys: keys });
    expect(found.coordinators.map(({ key }) => key)).toEqual(keys);
    for (const { errorCode: code, errorMessage, nodeId } of found.coordinators) {
      expect([code, errorMessage, nodeId]).toEqual([errorCode.none, "", expect.any(Number)]);
    }
  });

  test("a type that is none is refused", async () => {
    const found = await cluster.client.send(findCoordinator, 4, { keyType: 7, coordinatorKeys: ["x"] });
    expect(found.coordinators).toMatchObject([{ key: "x", nodeId: -1, errorCode: errorCode.invalidRequest }]);
  });
});

describe("InitProducerId", () => {
  const request = { transactionalId: "x", transactionTimeoutMs: 60_000 };

  test.each([
    ["no time", { transactionTimeoutMs: 0 }, errorCode.invalidTransactionTimeout],
    ["a negative time", { transactionTimeoutMs: -1 }, errorCode.invalidTransactionTimeout],
    ["more than 15 minutes", { transactionTimeoutMs: 900_001 }, errorCode.invalidTransactionTimeout],
    ["an empty id", { transactionalId: "" }, errorCode.invalidRequest],
    ["a producer id without an epoch", { producerId: 5 }, errorCode.invalidRequest],
    ["an epoch without a producer id", { producerEpoch: 5 }, errorCode.invalidRequest],
    [
      "half a producer and no transactional id",
      { transactionalId: null, producerId: 5 },
      errorCode.invalidRequest,
    ],
  ])("refuses %s", async (_what, change, code) => {
    expect(await cluster.client.send(initProducerId, 4, { ...request, ...change })).toMatchObject({
      errorCode: code,
      producerId: -1,
      producerEpoch: -1,
    });
  });

  test("of a producer that is only idempotent takes any timeout, and any past", async () => {
    const answer = await cluster.client.send(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: -1,
      producerId: 5,
      producerEpoch: 3,
    });
    expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  });

  test.each([0, 1, 2, 3, 4, 5])("version %i: the same id, and the next epoch each time", async (version) => {
    await using producer = await TransactionClient.of();
    expect(await producer.init(version)).toBe(errorCode.none);
    const { producerId } = producer;
    expect(producer.producerEpoch).toBe(0);
    expect(await producer.init(version)).toBe(errorCode.none);
    expect(producer.identity).toEqual({ producerId, producerEpoch: 1 });
  });

  test("lets a producer go on that says who it was, and answers its repeat alike (KIP-360)", async () => {
    await using producer = await TransactionClient.started();
    const before = producer.identity;
    expect(await producer.init(4, before)).toBe(errorCode.none);
    const after = producer.identity;
    expect(after).toEqual({ ...before, producerEpoch: before.producerEpoch + 1 });
    expect(await producer.init(4, before)).toBe(errorCode.none);
    expect(producer.identity).toEqual(after);
    expect(await producer.init(4, after)).toBe(errorCode.none);
    for (const [version, code] of [
      [3, errorCode.invalidProducerEpoch],
      [4, errorCode.producerFenced],
      [5, errorCode.producerFenced],
    ] as const) {
      expect(await producer.init(version, before)).toBe(code);
      expect(await producer.init(version, { ...after, producerId: before.producerId + 1000 })).toBe(code);
    }
  });

  test("takes what an unknown transactional id says it was for nothing", async () => {
    await using producer = await TransactionClient.of();
    expect(await producer.init(4, { producerId: 1 << 30, producerEpoch: 7 })).toBe(errorCode.none);
    expect(producer.producerEpoch).toBe(0);
    expect(producer.producerId).not.toBe(1 << 30);
  });

  test("aborts what is open, with error 51 first, and fences who opened it", async () => {
    topic = await freshTopicName();
    await using zombie = await TransactionClient.started();
    await zombie.add(topic);
    await zombie.send(topic, ["open"]);
    await using next = await TransactionClient.of(zombie.transactionalId);
    expect((await next.initOnce()).errorCode).toBe(errorCode.concurrentTransactions);
    expect(await next.init()).toBe(errorCode.none);
    expect(next.identity).toEqual({
      producerId: zombie.producerId,
      producerEpoch: zombie.producerEpoch + 2,
    });
    expect((await zombie.send(topic, ["zombie"])).errorCode).toBe(errorCode.invalidProducerEpoch);
    expect(await zombie.addOnce(topic, [0], 1)).toEqual([errorCode.invalidProducerEpoch]);
    expect(await zombie.addOnce(topic, [0], 2)).toEqual([errorCode.producerFenced]);
    expect(await zombie.endOnce(true, 1)).toBe(errorCode.invalidProducerEpoch);
    expect(await zombie.endOnce(true, 2)).toBe(errorCode.producerFenced);
    expect(await zombie.init(4, zombie.identity)).toBe(errorCode.producerFenced);
    await next.transact(topic, ["next"], true);
    expect(await read(topic)).toEqual(["next"]);
    expect(await read(topic, 0)).toEqual(["open", "next"]);
  });
});

describe("AddPartitionsToTxn", () => {
  let producer: TransactionClient;
  beforeAll(async () => {
    topic = await freshTopicName();
    producer = await TransactionClient.started();
  });
  afterAll(() => producer[Symbol.asyncDispose]());

  test.each([
    [0, errorCode.invalidProducerEpoch],
    [1, errorCode.invalidProducerEpoch],
    [2, errorCode.producerFenced],
    [3, errorCode.producerFenced],
  ])("version %i refuses another epoch with %i, another id with 49", async (version, code) => {
    for (const epoch of [-5, producer.producerEpoch + 1]) {
      expect(await producer.addOnce(topic, [0], version, { v3AndBelowProducerEpoch: epoch })).toEqual([code]);
    }
    const unknown = [errorCode.invalidProducerIdMapping];
    expect(await producer.addOnce(topic, [0], version, { v3AndBelowProducerId: 1 << 30 })).toEqual(unknown);
    const nobody = { v3AndBelowTransactionalId: uniqueName("nobody") };
    expect(await producer.addOnce(topic, [0], version, nobody)).toEqual(unknown);
    expect(await producer.addOnce(topic, [0], version, { v3AndBelowTransactionalId: "" })).toEqual([
      errorCode.invalidRequest,
    ]);
  });

  test("adds all partitions or none", async () => {
    expect(await producer.addOnce(topic, [0, 99])).toEqual([
      errorCode.operationNotAttempted,
      errorCode.unknownTopicOrPartition,
    ]);
    expect(await producer.endOnce(true)).toBe(errorCode.invalidTxnState);
    expect(await producer.addOnce(uniqueName("none"), [0])).toEqual([errorCode.unknownTopicOrPartition]);
  });

  test("takes a partition twice, and begins a transaction even with none", async () => {
    const { resultsByTopicV3AndBelow } = await producer.client.send(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [],
    });
    expect(resultsByTopicV3AndBelow).toEqual([]);
    expect(await producer.addOnce(topic, [0], 0)).toEqual([errorCode.none]);
    expect(await producer.addOnce(topic, [0, 1], 3)).toEqual([errorCode.none, errorCode.none]);
    expect(await producer.end(false)).toBe(errorCode.none);
  });
});

/**
 * A real broker asks the coordinator about several requests at once, and words the answer to all of them as the oldest one's version
 * wants it (AddPartitionsToTxnManager): of producers that others run on the cluster, too.
 */
const REFUSALS: readonly number[] = [errorCode.invalidTxnState, errorCode.transactionAbortable];

describe("Produce in a transaction", () => {
  test.each([
    [3, errorCode.invalidTxnState],
    [10, errorCode.invalidTxnState],
    [11, errorCode.transactionAbortable],
  ])("version %i refuses a partition that was not added with %i", async (version, code) => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    const refused = (value: string, partition: number) =>
      eventually(`refusal ${code}`, async () => {
        const { errorCode: answered } = await producer.send(topic, [value], { version, partition });
        return REFUSALS.includes(answered) && answered !== code ? null : answered;
      });
    expect(await refused("a", 0)).toBe(code);
    await producer.add(topic, [1]);
    expect(await refused("a", 0)).toBe(code);
    expect((await producer.send(topic, ["a"], { version, partition: 1 })).errorCode).toBe(errorCode.none);
    await producer.end(true);
    expect(await refused("b", 1)).toBe(code);
  });

  test("refuses who is not the producer", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    const codeOf = async (options: Parameters<TransactionClient["send"]>[2]) =>
      (await producer.send(topic, ["a"], options)).errorCode;
    const { producerEpoch } = producer;
    expect(await codeOf({ batch: { producerEpoch: producerEpoch + 1 } })).toBe(
      errorCode.invalidProducerEpoch,
    );
    expect(await codeOf({ batch: { producerId: 1 << 30 } })).toBe(errorCode.invalidProducerIdMapping);
    expect(await codeOf({ transactionalId: uniqueName("nobody") })).toBe(errorCode.invalidProducerIdMapping);
    expect(await codeOf({ transactionalId: null })).toBe(errorCode.transactionalIdAuthorizationFailed);
    expect(await codeOf({})).toBe(errorCode.none);
    expect(await read(topic, 0)).toEqual(["a"]);
  });

  test("refuses the same producer outside of its open transaction", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    await producer.send(topic, ["in"]);
    expect((await producer.send(topic, ["out"], { batch: { attributes: 0 } })).errorCode).toBe(
      errorCode.invalidTxnState,
    );
  });

  test("keeps count of sequences over transactions, and repeats nothing", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    expect((await producer.send(topic, ["a", "b"])).baseOffset).toBe(0);
    const again = await producer.send(topic, ["a", "b"], { batch: { baseSequence: 0 } });
    expect(again).toMatchObject({ errorCode: errorCode.none, baseOffset: 0 });
    // Of the batch as it is there, and not -1 as in the first answer.
    expect(again.logAppendTimeMs).toBeGreaterThan(0);
    await producer.end(true);
    await producer.add(topic);
    const gap = await producer.send(topic, ["d"], { batch: { baseSequence: 3 } });
    expect(gap.errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await producer.send(topic, ["c"], { batch: { baseSequence: 2 } })).baseOffset).toBe(3);
    await producer.end(true);
    expect(await read(topic)).toEqual(["a", "b", "c"]);
  });

  test("lets no batch take the place of an earlier one that was refused", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    const codeOf = async (baseSequence: number) =>
      (await producer.send(topic, ["a"], { batch: { baseSequence } })).errorCode;
    expect(await codeOf(0)).toBe(errorCode.invalidTxnState);
    await producer.add(topic);
    expect(await codeOf(1)).toBe(errorCode.outOfOrderSequence);
    expect(await codeOf(0)).toBe(errorCode.none);
    expect(await codeOf(1)).toBe(errorCode.none);
  });

  test("takes any first sequence from a producer that the partition has never heard of", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    const codeOf = async (baseSequence: number) =>
      (await producer.send(topic, ["a"], { batch: { baseSequence } })).errorCode;
    expect(await codeOf(7)).toBe(errorCode.none);
    expect(await codeOf(9)).toBe(errorCode.outOfOrderSequence);
    expect(await codeOf(8)).toBe(errorCode.none);
  });

  test("begins anew at sequence 0 with a new epoch", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.transact(topic, ["a", "b"], true);
    await producer.init();
    await producer.add(topic);
    const late = await producer.send(topic, ["x"], { batch: { baseSequence: 2 } });
    expect(late.errorCode).toBe(errorCode.outOfOrderSequence);
    expect((await producer.send(topic, ["c"])).errorCode).toBe(errorCode.none);
    await producer.end(true);
    expect(await read(topic)).toEqual(["a", "b", "c"]);
  });
});

describe("EndTxn", () => {
  test.each([
    [0, errorCode.invalidProducerEpoch],
    [1, errorCode.invalidProducerEpoch],
    [2, errorCode.producerFenced],
    [4, errorCode.producerFenced],
  ])("version %i refuses another epoch with %i", async (version, code) => {
    await using producer = await TransactionClient.started();
    for (const epoch of [-5, producer.producerEpoch + 1]) {
      expect(await producer.endOnce(true, version, { producerEpoch: epoch })).toBe(code);
    }
    expect(await producer.endOnce(true, version, { producerId: 1 << 30 })).toBe(
      errorCode.invalidProducerIdMapping,
    );
    expect(await producer.endOnce(true, version, { transactionalId: uniqueName("nobody") })).toBe(
      errorCode.invalidProducerIdMapping,
    );
    expect(await producer.endOnce(true, version, { transactionalId: "" })).toBe(errorCode.invalidRequest);
  });

  test.each([
    [true, 0],
    [true, 4],
    [false, 0],
    [false, 4],
  ])(
    "may be repeated, but not with the other outcome (committed %s, version %i)",
    async (committed, version) => {
      topic = await freshTopicName();
      await using producer = await TransactionClient.started();
      expect(await producer.endOnce(committed, version)).toBe(errorCode.invalidTxnState);
      await producer.add(topic);
      expect(await producer.end(committed, version)).toBe(errorCode.none);
      expect(await producer.endOnce(committed, version)).toBe(errorCode.none);
      expect(await producer.endOnce(!committed, version)).toBe(errorCode.invalidTxnState);
      await producer.init();
      expect(await producer.endOnce(committed, version)).toBe(errorCode.invalidTxnState);
    },
  );

  test("writes a marker into every partition that was added, and it takes an offset", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic, [0, 1]);
    await producer.send(topic, ["a"]);
    await producer.end(false);
    const [data, marker] = batchesIn((await fetchOne(cluster.client, topic, 0)).records);
    const [alone] = batchesIn((await fetchOne(cluster.client, topic, 0, { partition: 1 })).records);
    if (data === undefined || marker === undefined || alone === undefined) expect.unreachable("batches");
    expect(readHeader(marker)).toMatchObject({
      ...producer.identity,
      baseOffset: 1,
      baseSequence: -1,
      count: 1,
      lastOffsetDelta: 0,
      codec: 0,
      logAppendTime: false,
      transactional: true,
      control: true,
    });
    expect(readMarker(marker)).toEqual({ committed: false, coordinatorEpoch: 0 });
    expect(readHeader(alone).baseOffset).toBe(0);
    const [record] = readRecords(marker);
    expect([record?.key?.toString("hex"), record?.value?.toString("hex")]).toEqual([
      "00000000",
      "000000000000",
    ]);
    await producer.transact(topic, ["b"], true);
    const committed = batchesIn((await fetchOne(cluster.client, topic, 3)).records)[0];
    expect(committed === undefined ? null : readMarker(committed)?.committed).toBe(true);
  });
});
