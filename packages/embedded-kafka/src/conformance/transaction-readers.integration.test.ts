/** What readers see of transactions: the same from this broker as from Apache Kafka. */
import { beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import {
  append,
  batchOf,
  type CreatedTopic,
  connectToCluster,
  eventually,
  fetchOne,
  freshTopic,
  uniqueName,
} from "../testing/cluster-under-test.ts";
import { seenIn } from "../testing/consumed.ts";
import { answersAreRecorded } from "../testing/recorded-answers.ts";
import { settled, TransactionClient } from "../testing/transaction-client.ts";
import { READ_COMMITTED, transactionsUnderTest } from "../testing/transactions-under-test.ts";

answersAreRecorded(import.meta.url);
const cluster = transactionsUnderTest();
const { freshTopicName, read } = cluster;
let topic: string;

describe("readers at read_committed", () => {
  beforeAll(async () => {
    topic = await freshTopicName();
  });

  test("see nothing of what is open, and what follows only when it is decided", async () => {
    const name = await freshTopicName();
    await append(cluster.client, name, batchOf(["before"]));
    await using one = await TransactionClient.started();
    await using two = await TransactionClient.started();
    await one.add(name);
    await two.add(name);
    await one.send(name, ["one"]);
    await two.send(name, ["two"]);
    await append(cluster.client, name, batchOf(["plain"]));
    const answer = await fetchOne(cluster.client, name, 0, { isolationLevel: READ_COMMITTED });
    expect(answer).toMatchObject({ highWatermark: 4, lastStableOffset: 1, abortedTransactions: [] });
    expect(seenIn(answer)).toEqual(["before"]);
    expect(await read(name, 0)).toEqual(["before", "one", "two", "plain"]);
    await two.end(true);
    expect(await read(name)).toEqual(["before"]);
    await one.end(false);
    expect(await read(name)).toEqual(["before", "two", "plain"]);
  });

  test.each([4, 7, 11, 12, 13, 17])(
    "Fetch version %i tells which transactions were aborted",
    async (version) => {
      const created: CreatedTopic = await freshTopic(cluster.client);
      await using one = await TransactionClient.started();
      await using two = await TransactionClient.started();
      await one.transact(created.name, ["a1", "a2"], false);
      await one.transact(created.name, ["b"], true);
      await one.add(created.name);
      await two.add(created.name);
      await one.send(created.name, ["c1"]);
      await two.send(created.name, ["d1"]);
      await one.send(created.name, ["c2"]);
      await two.end(false);
      await one.end(true);
      const ask = async (fetchOffset: number, isolationLevel: number) => {
        const { responses } = await cluster.client.send(fetch, version, {
          maxWaitMs: 0,
          minBytes: 1,
          isolationLevel,
          topics: [
            {
              topic: created.name,
              topicId: created.id,
              partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }],
            },
          ],
        });
        const answer = responses[0]?.partitions[0];
        if (answer === undefined) expect.unreachable("no answer");
        return answer;
      };
      const whole = await ask(0, READ_COMMITTED);
      expect(whole).toMatchObject({ errorCode: 0, highWatermark: 10, lastStableOffset: 10 });
      expect(whole.abortedTransactions).toEqual([
        { producerId: one.producerId, firstOffset: 0 },
        { producerId: two.producerId, firstOffset: 6 },
      ]);
      expect(seenIn(whole)).toEqual(["b", "c1", "c2"]);
      const middle = await ask(3, READ_COMMITTED);
      expect(middle.abortedTransactions).toEqual([{ producerId: two.producerId, firstOffset: 6 }]);
      expect(seenIn(middle)).toEqual(["b", "c1", "c2"]);
      expect((await ask(2, READ_COMMITTED)).abortedTransactions).toHaveLength(2);
      expect((await ask(9, READ_COMMITTED)).abortedTransactions).toEqual([]);
      expect((await ask(10, READ_COMMITTED)).abortedTransactions).toEqual([]);
      expect((await ask(0, 0)).abortedTransactions).toBeNull();
    },
  );

  test("wait for the end of a transaction, not for its records", async () => {
    const name = await freshTopicName();
    await using producer = await TransactionClient.started();
    await producer.add(name);
    await producer.send(name, ["a"]);
    await using reader = await connectToCluster();
    let done = false;
    const waiting = fetchOne(reader, name, 0, { isolationLevel: READ_COMMITTED, maxWaitMs: 20_000 }).finally(
      () => {
        done = true;
      },
    );
    await producer.send(name, ["b"]);
    expect(await read(name, 0)).toEqual(["a", "b"]);
    expect(done).toBe(false);
    await producer.end(true);
    expect(seenIn(await waiting)).toEqual(["a", "b"]);
  });

  test.each([2, 5, 6, 10])("ListOffsets version %i ends at the last stable offset", async (version) => {
    const name = await freshTopicName();
    const nowMs = Date.now();
    await append(cluster.client, name, batchOf(["a", "b"], { baseTimestampMs: nowMs - 5000 }));
    await using producer = await TransactionClient.started();
    await producer.add(name);
    await producer.send(name, ["c"], { batch: { baseTimestampMs: nowMs } });
    const ask = async (timestamp: number, isolationLevel: number) => {
      const { topics } = await cluster.client.send(listOffsets, version, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      return topics[0]?.partitions[0]?.offset;
    };
    expect([await ask(-1, 0), await ask(-1, READ_COMMITTED)]).toEqual([3, 2]);
    expect([await ask(-2, 0), await ask(-2, READ_COMMITTED)]).toEqual([0, 0]);
    expect([await ask(nowMs - 5000, 0), await ask(nowMs - 5000, READ_COMMITTED)]).toEqual([0, 0]);
    expect([await ask(nowMs, 0), await ask(nowMs, READ_COMMITTED)]).toEqual([2, -1]);
    if (version >= 7) expect([await ask(-3, 0), await ask(-3, READ_COMMITTED)]).toEqual([2, -1]);
    await producer.end(true);
    expect([await ask(-1, 0), await ask(-1, READ_COMMITTED)]).toEqual([4, 4]);
    expect(await ask(nowMs, READ_COMMITTED)).toBe(2);
  });

  test("go on where records were deleted, inside of an open transaction or an aborted one", async () => {
    const name = await freshTopicName();
    const cut = async (offset: number) => {
      const partitions = [{ partitionIndex: 0, offset }];
      const answer = await cluster.client.send(deleteRecords, 2, {
        topics: [{ name, partitions }],
        timeoutMs: 5000,
      });
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(errorCode.none);
    };
    await using producer = await TransactionClient.started();
    await producer.add(name);
    await producer.send(name, ["a"]);
    await producer.send(name, ["b"]);
    await producer.send(name, ["c"]);
    await cut(1);
    const open = await fetchOne(cluster.client, name, 1, { isolationLevel: READ_COMMITTED });
    expect(open).toMatchObject({ errorCode: 0, lastStableOffset: 1, highWatermark: 3, logStartOffset: 1 });
    expect(seenIn(open)).toEqual([]);
    await producer.end(false);
    await cut(2);
    const aborted = await fetchOne(cluster.client, name, 2, { isolationLevel: READ_COMMITTED });
    expect(aborted).toMatchObject({ lastStableOffset: 4, highWatermark: 4 });
    expect(seenIn(aborted)).toEqual([]);
    expect(await read(name, 0, 2)).toEqual(["c"]);
  });
});

test("a transaction that takes too long is aborted, and its producer may begin again", async () => {
  topic = await freshTopicName();
  await using producer = await TransactionClient.started(uniqueName("tx"), 1000);
  const { producerId, producerEpoch } = producer;
  await producer.add(topic);
  await producer.send(topic, ["late"]);
  // A real cluster looks for them every 10 s.
  await eventually(
    "the end of the transaction",
    async () => ((await fetchOne(cluster.client, topic, 0)).highWatermark === 2 ? true : null),
    400,
  );
  const answer = await fetchOne(cluster.client, topic, 0, { isolationLevel: READ_COMMITTED });
  expect(answer).toMatchObject({
    lastStableOffset: 2,
    abortedTransactions: [{ producerId, firstOffset: 0 }],
  });
  expect((await producer.send(topic, ["later"])).errorCode).toBe(errorCode.invalidProducerEpoch);
  expect(await settled(() => producer.endOnce(true))).toBe(errorCode.producerFenced);
  expect(await producer.init(4, { producerId, producerEpoch })).toBe(errorCode.none);
  expect(producer.identity).toEqual({ producerId, producerEpoch: producerEpoch + 1 });
  await producer.transact(topic, ["again"], true);
  expect(await read(topic)).toEqual(["again"]);
}, 60_000);
