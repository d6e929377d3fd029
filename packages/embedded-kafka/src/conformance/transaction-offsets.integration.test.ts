/** Offsets in transactions, and what transactions there are: the same answers from this broker as from Apache Kafka. */
import { describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { describeProducers } from "../protocol/messages/describe-producers.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { coordinatorReady, eventually, uniqueName } from "../testing/cluster-under-test.ts";
import { GroupClient, subscription } from "../testing/group-client.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { settled, TransactionClient } from "../testing/transaction-client.ts";
import { transactionsUnderTest } from "../testing/transactions-under-test.ts";

answersAreRecorded(import.meta.url);
const cluster = transactionsUnderTest();
const { freshTopicName } = cluster;
let topic: string;

describe("offsets in a transaction", () => {
  let groupId: string;
  let producer: TransactionClient;
  const start = async () => {
    topic = await freshTopicName();
    groupId = uniqueName("group");
    await coordinatorReady(cluster.client, groupId);
    producer = await TransactionClient.started();
    return producer;
  };

  const offsetsOf = async (version: number, requireStable: boolean, all = false) => {
    const topics = all ? null : [{ name: topic, partitionIndexes: [0, 1] }];
    const answer = await cluster.client.send(offsetFetch, version, {
      groupId,
      topics,
      groups: [{ groupId, topics }],
      requireStable,
    });
    const [found] = version < 8 ? answer.topics : (answer.groups[0]?.topics ?? []);
    return found?.partitions.map(({ committedOffset, errorCode: code }) => [committedOffset, code]);
  };

  test.each([
    [0, errorCode.invalidTxnState],
    [3, errorCode.invalidTxnState],
    [4, errorCode.transactionAbortable],
  ])("version %i refuses a group that was not added with %i", async (version, code) => {
    await using _ = await start();
    const commit = (change = {}) => producer.commitOffset(groupId, topic, 7, { version, change });
    expect(await commit()).toBe(code);
    expect(await commit({ groupId: "" })).toBe(errorCode.invalidGroupId);
    expect(await commit({ transactionalId: "" })).toBe(errorCode.invalidRequest);
    expect(await commit({ transactionalId: uniqueName("nobody") })).toBe(errorCode.invalidProducerIdMapping);
    expect(await producer.addGroup(groupId)).toBe(errorCode.none);
    expect(await commit({ producerId: 1 << 30 })).toBe(errorCode.invalidProducerIdMapping);
    expect(await commit({ producerEpoch: producer.producerEpoch + 1 })).toBe(errorCode.invalidProducerEpoch);
    expect(await producer.commitOffset(groupId, uniqueName("none"), 7, { version })).toBe(
      errorCode.unknownTopicOrPartition,
    );
    expect(await producer.commitOffset(groupId, topic, 7, { version, partition: 99 })).toBe(
      errorCode.unknownTopicOrPartition,
    );
    expect(
      await producer.commitOffset(groupId, topic, 7, { version, committedMetadata: "x".repeat(5000) }),
    ).toBe(errorCode.offsetMetadataTooLarge);
    expect(await commit()).toBe(errorCode.none);
  });

  test.each([
    [0, errorCode.invalidProducerEpoch],
    [1, errorCode.invalidProducerEpoch],
    [2, errorCode.producerFenced],
    [4, errorCode.producerFenced],
  ])("AddOffsetsToTxn version %i refuses another epoch with %i", async (version, code) => {
    await using _ = await start();
    const add = (change = {}) => producer.addGroupOnce(groupId, version, change);
    expect(await add({ producerEpoch: producer.producerEpoch + 1 })).toBe(code);
    expect(await add({ producerId: 1 << 30 })).toBe(errorCode.invalidProducerIdMapping);
    expect(await add({ transactionalId: "" })).toBe(errorCode.invalidRequest);
    expect(await settled(add)).toBe(errorCode.none);
  });

  test.each([
    [0, 7],
    [4, 9],
  ])(
    "are applied by a commit, dropped by an abort (version %i), and unstable before (OffsetFetch %i)",
    async (version, fetchVersion) => {
      await using _ = await start();
      await producer.addGroup(groupId, version);
      expect(await producer.commitOffset(groupId, topic, 7, { version })).toBe(errorCode.none);
      const unstable = [-1, errorCode.unstableOffsetCommit];
      const none = [-1, 0];
      expect(await offsetsOf(fetchVersion, true)).toEqual([unstable, none]);
      expect(await offsetsOf(fetchVersion, false)).toEqual([none, none]);
      expect(await offsetsOf(fetchVersion, true, true)).toBeUndefined();
      await producer.end(true, version);
      expect(await offsetsOf(fetchVersion, true)).toEqual([[7, 0], none]);
      await producer.addGroup(groupId, version);
      expect(await producer.commitOffset(groupId, topic, 9, { version })).toBe(errorCode.none);
      expect(await offsetsOf(fetchVersion, true, true)).toEqual([unstable]);
      expect(await offsetsOf(fetchVersion, false)).toEqual([[7, 0], none]);
      await producer.end(false, version);
      expect(await offsetsOf(fetchVersion, true)).toEqual([[7, 0], none]);
    },
  );

  test("give way to what was committed after them outside of the transaction", async () => {
    await using _ = await start();
    await producer.addGroup(groupId);
    await producer.commitOffset(groupId, topic, 7);
    await producer.commitOffset(groupId, topic, 8, { partition: 1 });
    await using plain = await GroupClient.of(groupId);
    expect(await plain.commit(topic, 50, { memberId: "", generationId: -1 })).toBe(errorCode.none);
    await producer.end(true);
    expect(await offsetsOf(9, true)).toEqual([
      [50, 0],
      [8, 0],
    ]);
  });

  test("are checked against the group from version 3 on", async () => {
    await using _ = await start();
    await producer.addGroup(groupId);
    const commit = (change = {}, version = 4) =>
      producer.commitOffset(groupId, topic, 7, { version, change });
    expect(await commit({ generationId: 5, memberId: "x" })).toBe(errorCode.illegalGeneration);
    await using member = await GroupClient.of(groupId, {
      protocols: [{ name: "range", metadata: subscription([topic]) }],
    });
    await member.join();
    // Also while the group waits for its leader.
    const { memberId, generationId } = member;
    expect(await commit({ memberId, generationId })).toBe(errorCode.none);
    await member.sync([{ memberId: member.memberId, assignment: Buffer.alloc(0) }]);
    expect(await commit({ memberId, generationId })).toBe(errorCode.none);
    expect(await commit({ memberId, generationId: generationId + 1 })).toBe(errorCode.illegalGeneration);
    expect(await commit({ memberId: "x", generationId })).toBe(errorCode.unknownMemberId);
    expect(await commit({ memberId, generationId, groupInstanceId: "i" })).toBe(errorCode.unknownMemberId);
    expect(await commit({ memberId })).toBe(errorCode.illegalGeneration);
    expect(await commit()).toBe(errorCode.none);
    expect(await commit({}, 0)).toBe(errorCode.none);
  });
});

describe("what transactions there are", () => {
  const describeOne = async (transactionalId: string) => {
    const answer = await cluster.client.send(describeTransactions, 0, {
      transactionalIds: [transactionalId],
    });
    return answer.transactionStates[0];
  };

  test("DescribeTransactions shows one through its life", async () => {
    topic = await freshTopicName();
    const unknown = await describeOne(uniqueName("nobody"));
    expect(unknown).toMatchObject({ errorCode: errorCode.transactionalIdNotFound, transactionState: "" });
    expect(await describeOne("")).toMatchObject({ errorCode: errorCode.invalidRequest });
    await using producer = await TransactionClient.started();
    const { transactionalId } = producer;
    const always = {
      errorCode: 0,
      transactionalId,
      ...producer.identity,
      transactionTimeoutMs: 60_000,
      topics: [],
    };
    expect(await describeOne(transactionalId)).toEqual({
      ...always,
      transactionState: "Empty",
      transactionStartTimeMs: -1,
    });
    await producer.add(topic, [0, 1]);
    const ongoing = await describeOne(transactionalId);
    expect(ongoing).toEqual({
      ...always,
      transactionState: "Ongoing",
      transactionStartTimeMs: expect.any(Number),
      topics: [{ topic, partitions: expect.arrayContaining([0, 1]) }],
    });
    const { transactionStartTimeMs } = ongoing ?? {};
    await producer.end(true);
    expect(await describeOne(transactionalId)).toEqual({
      ...always,
      transactionState: "CompleteCommit",
      transactionStartTimeMs,
    });
    await producer.add(topic);
    await producer.end(false);
    expect(await describeOne(transactionalId)).toMatchObject({ transactionState: "CompleteAbort" });
  });

  test("DescribeTransactions shows a group as the partition of the internal topic that it is in", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    for (const groupId of ["alerts", "kpis"]) expect(await producer.addGroup(groupId)).toBe(0);
    const { topics } = (await describeOne(producer.transactionalId)) ?? {};
    const touched = topics?.map((one) => [one.topic, [...one.partitions].sort((a, b) => a - b)]).sort();
    // Java's hash codes of the group ids, modulo 50.
    expect(touched).toEqual([
      ["__consumer_offsets", [25, 39]],
      [topic, [0]],
    ]);
    await producer.end(false);
  });

  test("ListTransactions finds them by state, producer, duration and pattern", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await using idle = await TransactionClient.started(`${producer.transactionalId}-idle`);
    await producer.add(topic);
    const all = { stateFilters: [], producerIdFilters: [] };
    const list = async (version: number, filters: object) => {
      const answer = await cluster.client.send(listTransactions, version, { ...all, ...filters });
      return { ...answer, transactionStates: answer.transactionStates.map((one) => one.transactionalId) };
    };
    const mine = [producer.producerId, idle.producerId];
    for (const version of [0, 2]) {
      const both = await list(version, { producerIdFilters: mine });
      expect(both.transactionStates.sort()).toEqual([producer.transactionalId, idle.transactionalId]);
      const ongoing = await list(version, {
        producerIdFilters: mine,
        stateFilters: ["Ongoing", "Dead", "Odd"],
      });
      expect(ongoing).toMatchObject({
        errorCode: 0,
        unknownStateFilters: ["Odd"],
        transactionStates: [producer.transactionalId],
      });
    }
    const long = await list(1, { producerIdFilters: mine, durationFilter: 100_000 });
    expect(long.transactionStates).toEqual([idle.transactionalId]);
    await eventually("more than a millisecond", async () => {
      const any = await list(1, { producerIdFilters: mine, durationFilter: 1 });
      return any.transactionStates.length === 2 ? true : null;
    });
    const pattern = `${producer.transactionalId}-i.le`;
    expect((await list(2, { transactionalIdPattern: pattern })).transactionStates).toEqual([
      idle.transactionalId,
    ]);
    expect((await list(2, { transactionalIdPattern: producer.transactionalId })).transactionStates).toEqual([
      producer.transactionalId,
    ]);
    expect((await list(2, { transactionalIdPattern: "(" })).errorCode).toBe(
      errorCode.invalidRegularExpression,
    );
  });

  test("DescribeProducers shows who writes to a partition", async () => {
    topic = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(topic);
    await producer.send(topic, ["a", "b"], { batch: { baseTimestampMs: 1_700_000_000_000 } });
    const ask = async () => {
      const answer = await cluster.client.send(describeProducers, 0, {
        topics: [
          { name: topic, partitionIndexes: [0, 1, 99] },
          { name: "none", partitionIndexes: [0] },
        ],
      });
      return answer.topics.flatMap(({ partitions }) =>
        partitions.map(({ errorCode: code, activeProducers }) => [code, activeProducers]),
      );
    };
    const open = {
      ...producer.identity,
      lastSequence: 1,
      lastTimestamp: 1_700_000_000_000,
      coordinatorEpoch: -1,
      currentTxnStartOffset: 0,
    };
    const missing = [errorCode.unknownTopicOrPartition, []];
    expect(await ask()).toEqual([[0, [open]], [0, []], missing, missing]);
    await producer.end(true);
    const [[, after] = []] = await ask();
    expect(after).toEqual([
      { ...open, lastTimestamp: expect.any(Number), coordinatorEpoch: 0, currentTxnStartOffset: -1 },
    ]);
  });
});
