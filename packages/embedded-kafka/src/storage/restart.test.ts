/** A broker that is started again with its folder, after a stop or as after a kill: what it still knows. */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type Broker,
  type BrokerOptions,
  DataFolderError,
  startBroker,
  type TopicInfo,
  VirtualClock,
} from "../index.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { append, batchOf, fetchOne, freshTopic } from "../testing/cluster-under-test.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { started } from "../testing/started.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";

const SECOND_MS = 1000;

/** Asks a broker, lets it end (in order, or as if it were killed), and asks the next one. */
async function restarted(
  how: "stopped" | "killed",
  before: (client: RawClient, broker: Broker) => Promise<void>,
  after: (client: RawClient, broker: Broker, logged: readonly string[]) => Promise<void>,
  options: BrokerOptions = {},
): Promise<void> {
  using folder = new TemporaryFolder();
  let left = folder;
  {
    await using on = await started({ ...options, folder: folder.path });
    await before(on.client, on.broker);
    // What is in the files now is what a kill would leave.
    if (how === "killed") left = folder.copy();
  }
  using _ = left;
  await using on = await started({ ...options, folder: left.path });
  await after(on.client, on.broker, on.logged);
}

const values = (broker: Broker, topic: string) => broker.records(topic).map(({ value }) => String(value));

const commit = (client: RawClient, groupId: string, topic: string, committedOffset: number) =>
  client.send(offsetCommit, 7, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: "",
    topics: [
      { name: topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: "mine" }] },
    ],
  });

describe.each(["stopped", "killed"] as const)("a broker that was %s", (how) => {
  test("has its topics with ids, settings and records, its cluster id, and starts where the log did", async () => {
    let topics: readonly TopicInfo[] = [];
    await restarted(
      how,
      async (client, broker) => {
        await freshTopic(client, { name: "kept", partitions: 3, configs: { "retention.ms": "123456" } });
        await freshTopic(client, { name: "gone" });
        await append(client, "kept", batchOf(["a", "b"]));
        await append(client, "kept", batchOf(["c"]));
        await append(client, "kept", batchOf(["other"]), { partition: 2 });
        await append(client, "gone", batchOf(["x"]));
        await client.send(deleteRecords, 1, {
          topics: [{ name: "kept", partitions: [{ partitionIndex: 0, offset: 1 }] }],
          timeoutMs: SECOND_MS,
        });
        await client.send(deleteTopics, 3, { topicNames: ["gone"], timeoutMs: SECOND_MS });
        topics = broker.topics();
      },
      async (client, broker, logged) => {
        expect(broker.topics()).toEqual(
          topics.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((partition) => ({ ...partition, leaderEpoch: 1 })),
          })),
        );
        expect(values(broker, "kept")).toEqual(["b", "c", "other"]);
        expect(await append(client, "kept", batchOf(["d"]))).toMatchObject({ baseOffset: 3 });
        // A topic recreated under the name of a deleted one is another topic.
        await freshTopic(client, { name: "gone" });
        expect(values(broker, "gone")).toEqual([]);
        expect(logged.join("\n")).toContain("data folder loaded");
        expect(logged.join("\n")).not.toContain("torn");
      },
    );
  });

  test("has the offsets of its groups, but for topics that are gone", async () => {
    await restarted(
      how,
      async (client) => {
        await freshTopic(client, { name: "t" });
        await freshTopic(client, { name: "gone" });
        for (const offset of [1, 5, 3]) await commit(client, "g", "t", offset);
        await commit(client, "h", "gone", 1);
        await client.send(deleteTopics, 3, { topicNames: ["gone"], timeoutMs: SECOND_MS });
      },
      async (_, broker) => {
        expect(broker.groups().map(({ groupId, offsets }) => [groupId, offsets])).toContainEqual([
          "g",
          [{ topic: "t", partition: 0, offset: 3, metadata: "mine" }],
        ]);
        expect(broker.groups().flatMap(({ offsets }) => offsets)).toHaveLength(1);
      },
    );
  });

  test("knows the repeat of a batch, refuses a gap, and never gives a producer id again", async () => {
    let producerId = -1;
    const from = (baseSequence: number) =>
      batchOf([`${baseSequence}`], { producerId, producerEpoch: 0, baseSequence });
    const newProducer = (client: RawClient) =>
      client.send(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 });
    await restarted(
      how,
      async (client) => {
        await freshTopic(client, { name: "t" });
        ({ producerId } = await newProducer(client));
        for (const sequence of [0, 1, 2]) {
          expect(await append(client, "t", from(sequence))).toMatchObject({ baseOffset: sequence });
        }
      },
      async (client, broker) => {
        for (const sequence of [2, 1, 0, 2]) {
          expect(await append(client, "t", from(sequence))).toMatchObject({
            errorCode: 0,
            baseOffset: sequence,
          });
        }
        expect(await append(client, "t", from(4))).toMatchObject({
          errorCode: errorCode.outOfOrderSequence,
        });
        expect(await append(client, "t", from(3))).toMatchObject({ errorCode: 0, baseOffset: 3 });
        expect(values(broker, "t")).toEqual(["0", "1", "2", "3"]);
        expect((await newProducer(client)).producerId).toBeGreaterThan(producerId);
      },
    );
  });

  describe("in a transaction", () => {
    const producer = { transactionalId: "tx", producerId: -1, producerEpoch: -1 };
    const clock = () => new VirtualClock(Date.now());

    async function write(client: RawClient, value: string, baseSequence: number): Promise<void> {
      await client.send(addPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: producer.transactionalId,
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: [{ name: "t", partitions: [0] }],
      });
      const { transactionalId, ...identity } = producer;
      const bytes = batchOf([value], { ...identity, baseSequence, attributes: 16 });
      const { responses } = await client.send(produce, 9, {
        transactionalId,
        acks: -1,
        timeoutMs: SECOND_MS,
        topicData: [{ name: "t", partitionData: [{ index: 0, records: [bytes] }] }],
      });
      expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    }

    async function commitOffset(client: RawClient, committedOffset: number): Promise<void> {
      await client.send(addOffsetsToTxn, 3, { ...producer, groupId: "g" });
      await client.send(txnOffsetCommit, 3, {
        ...producer,
        groupId: "g",
        topics: [
          { name: "t", partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] },
        ],
      });
    }

    async function begin(client: RawClient): Promise<void> {
      await freshTopic(client, { name: "t" });
      const init = { transactionalId: "tx", transactionTimeoutMs: 60 * SECOND_MS };
      Object.assign(producer, await client.send(initProducerId, 4, init));
      await write(client, "aborted", 0);
      await client.send(endTxn, 3, { ...producer, committed: false });
      await write(client, "open", 1);
      await commitOffset(client, 7);
    }

    test("continues it: nothing of it is visible before it is committed, all of it after", async () => {
      await restarted(
        how,
        begin,
        async (client, broker) => {
          expect(broker.topics()[0]?.partitions[0]).toMatchObject({ lastStableOffset: 2, highWatermark: 3 });
          const stable = await fetchOne(client, "t", 0, { isolationLevel: 1 });
          expect(stable.abortedTransactions).toEqual([{ producerId: producer.producerId, firstOffset: 0 }]);
          expect(broker.groups()[0]).toMatchObject({ offsets: [], pendingOffsets: [{ offset: 7 }] });
          await write(client, "more", 2);
          expect((await client.send(endTxn, 3, { ...producer, committed: true })).errorCode).toBe(0);
          expect(broker.records("t").map(({ value, transaction }) => [String(value), transaction])).toEqual([
            ["aborted", "aborted"],
            ["open", "committed"],
            ["more", "committed"],
          ]);
          expect(broker.groups()[0]).toMatchObject({ offsets: [{ offset: 7 }], pendingOffsets: [] });
        },
        { clock: clock() },
      );
    });

    test("ends it when its time is up, counted from its beginning, and fences its producer", async () => {
      const time = clock();
      await restarted(
        how,
        async (client) => {
          await begin(client);
          time.advance(50 * SECOND_MS);
        },
        async (client, broker) => {
          time.advance(9 * SECOND_MS);
          expect(broker.transactions()).toMatchObject([{ state: "Ongoing" }]);
          time.advance(2 * SECOND_MS);
          expect(broker.transactions()).toMatchObject([{ state: "CompleteAbort" }]);
          expect(broker.records("t").map(({ transaction }) => transaction)).toEqual(["aborted", "aborted"]);
          expect(
            broker.groups().flatMap(({ offsets, pendingOffsets }) => [...offsets, ...pendingOffsets]),
          ).toEqual([]);
          expect((await client.send(endTxn, 3, { ...producer, committed: true })).errorCode).not.toBe(0);
        },
        { clock: time },
      );
    });
  });

  test("begins a new leader epoch, by which readers can tell what was lost", async () => {
    await restarted(
      how,
      async (client) => {
        await freshTopic(client, { name: "t" });
        await append(client, "t", batchOf(["a", "b"]));
      },
      async (client) => {
        await append(client, "t", batchOf(["c"]));
        const ask = async (leaderEpoch: number) => {
          const { topics } = await client.send(offsetForLeaderEpoch, 3, {
            replicaId: -1,
            topics: [{ topic: "t", partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }] }],
          });
          return topics[0]?.partitions[0];
        };
        expect(await ask(0)).toMatchObject({ leaderEpoch: 0, endOffset: 2 });
        expect(await ask(1)).toMatchObject({ leaderEpoch: 1, endOffset: 3 });
        const sentBack = async (fetchOffset: number, lastFetchedEpoch: number) => {
          const partitions = [{ partition: 0, fetchOffset, lastFetchedEpoch, partitionMaxBytes: 1000 }];
          const topics = [{ topic: "t", partitions }];
          const { responses } = await client.send(fetch, 12, { maxWaitMs: 0, minBytes: 0, topics });
          return responses[0]?.partitions[0]?.divergingEpoch ?? null;
        };
        const nowhere = { epoch: -1, endOffset: -1 };
        expect((await sentBack(2, 0)) ?? nowhere).toEqual(nowhere);
        expect((await sentBack(3, 1)) ?? nowhere).toEqual(nowhere);
        // A third record of the first epoch is gone, and another one is in its place.
        expect(await sentBack(3, 0)).toEqual({ epoch: 0, endOffset: 2 });
      },
    );
  });
});

describe("a folder", () => {
  test("belongs to one broker at a time, which is named", async () => {
    using folder = new TemporaryFolder();
    const first = await startBroker({ folder: folder.path });
    const second = startBroker({ folder: folder.path });
    await expect(second).rejects.toThrow(DataFolderError);
    await expect(second).rejects.toThrow(`in use by another broker (process ${process.pid})`);
    await first.stop();
    await (await startBroker({ folder: folder.path })).stop();
  });

  test("that contains other files is left alone", async () => {
    using folder = new TemporaryFolder();
    fs.writeFileSync(join(folder.path, "thesis.txt"), "mine");
    await expect(startBroker({ folder: folder.path })).rejects.toThrow(
      /contains other files \("thesis\.txt"\)/,
    );
    await expect(startBroker({ folder: join(folder.path, "thesis.txt") })).rejects.toThrow(DataFolderError);
    expect(fs.readFileSync(join(folder.path, "thesis.txt"), "utf8")).toBe("mine");
  });

  test("of another format is refused", async () => {
    using folder = new TemporaryFolder();
    await (await startBroker({ folder: folder.path })).stop();
    const { Journal } = await import("./journal.ts");
    const { FilePool } = await import("./file-pool.ts");
    const pool = new FilePool();
    new Journal(join(folder.path, "state.journal"), pool, () => {}).put(["format"], 99);
    pool.closeAll();
    await expect(startBroker({ folder: folder.path })).rejects.toThrow(/format 99/);
  });

  test("whose newest file is torn is cut, and the broker says how much", async () => {
    using folder = new TemporaryFolder();
    {
      await using on = await started({ folder: folder.path });
      await freshTopic(on.client, { name: "t" });
      await append(on.client, "t", batchOf(["a"]));
    }
    const name = fs.globSync("topics/*/0/*.log", { cwd: folder.path })[0] ?? "";
    fs.appendFileSync(join(folder.path, name), "torn");
    await using on = await started({ folder: folder.path });
    expect(on.logged.join("\n")).toMatch(/a torn tail was truncated: 4 bytes of .*\.log/);
    expect(values(on.broker, "t")).toEqual(["a"]);
  });

  test("has compacted topics compacted, by the clock, and a restart finds them so", async () => {
    using folder = new TemporaryFolder();
    const clock = new VirtualClock();
    const options = { folder: folder.path, clock, configs: { "log.cleaner.backoff.ms": "1000" } };
    const large = "x".repeat(400 * 1024);
    {
      await using on = await started(options);
      const configs = { "cleanup.policy": "compact", "segment.bytes": "1048576" };
      await freshTopic(on.client, { name: "t", configs });
      for (let i = 0; i < 12; i++) {
        const records = [{ key: Buffer.from(`${i % 2}`), value: Buffer.from(`${i}${large}`) }];
        await append(on.client, "t", batchOf([], { records, baseTimestampMs: clock.now() }));
      }
      clock.advance(1001);
      const offsets = on.broker.records("t").map(({ offset }) => offset);
      expect(offsets.slice(-2)).toEqual([10, 11]);
      expect(offsets.length).toBeLessThan(6);
      expect(on.broker.topics()[0]?.partitions[0]?.bytes).toBeLessThan(6 * 410 * 1024);
    }
    await using on = await started(options);
    const offsets = on.broker.records("t").map(({ offset }) => offset);
    expect(offsets.slice(-2)).toEqual([10, 11]);
    expect(offsets.length).toBeLessThan(6);
  });
});
