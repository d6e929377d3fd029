/**
 * The broker as a program, killed with SIGKILL in the middle of transactions and of compaction, and started on its folder:
 * a reader at read_committed sees all of what was committed and nothing of what was not, and the newest of each key.
 */
import { expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { NO_PRODUCER, NO_PRODUCER_EPOCH, TRANSACTIONAL } from "../records/batch.ts";
import { buildBatch } from "../records/record.ts";
import { eventually, fetchOne, freshTopic } from "../testing/cluster-under-test.ts";
import { consumed, nextOffset } from "../testing/consumed.ts";
import { Program } from "../testing/program.ts";
import { randomOf } from "../testing/random.ts";
import { ConnectionClosedError, RawClient } from "../testing/raw-client.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";

const SEED = 20_261_123;
const ROUNDS = 4;
const PARTITIONS = [0, 1];
const KEYS = 40;
const GROUP = "g";
/** Times 50 ms, on a busy machine. */
const TRIES = 500;
/** Segments end and are compacted all the time. */
const CONFIGS = [
  "log.segment.bytes=1048576",
  "log.retention.bytes=-1",
  "log.cleanup.policy=compact",
  "log.cleaner.min.cleanable.ratio=0",
  "log.cleaner.backoff.ms=40",
];
const timeoutMs = 10_000;

/** Each transaction has a number, which is the value of all its records and the offset that it commits. */
class Producer {
  /** The newest committed transaction of each key, by partition. */
  readonly committed = PARTITIONS.map(() => new Map<string, number>());
  lastCommitted = 0;
  transactions = 0;
  /** What is being written, and whether its commit was asked for: only then may it be there after a crash. */
  #open: { keys: string[][]; number: number; isAsked: boolean } | null = null;
  #identity = { producerId: NO_PRODUCER, producerEpoch: NO_PRODUCER_EPOCH };
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** What may be there beside what is committed: all of it, or nothing. */
  get inDoubt(): { keys: string[][]; number: number } | null {
    return this.#open?.isAsked === true ? this.#open : null;
  }

  /** It turned out to be there. */
  acceptDoubt(): void {
    if (this.#open !== null) this.#accept(this.#open);
  }

  #accept({ keys, number }: { keys: string[][]; number: number }): void {
    for (const [partition, written] of keys.entries()) {
      for (const key of written) this.committed[partition]?.set(key, number);
    }
    this.lastCommitted = number;
  }

  /** Takes over from whoever was killed, and continues until the broker is. */
  async run(client: RawClient): Promise<void> {
    try {
      this.#open = null;
      this.#identity = await eventually("a producer", async () => {
        const answer = await client.send(initProducerId, 4, {
          transactionalId: "tx",
          transactionTimeoutMs: 60_000,
        });
        return answer.errorCode === errorCode.none ? answer : null;
      });
      const sequences = PARTITIONS.map(() => 0);
      for (;;) await this.#transaction(client, sequences);
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  async #transaction(client: RawClient, sequences: number[]): Promise<void> {
    const { producerId, producerEpoch } = this.#identity;
    const who = { transactionalId: "tx", producerId, producerEpoch };
    const number = ++this.transactions;
    const keys = PARTITIONS.map(() =>
      Array.from(
        { length: 1 + Math.floor(this.#random() * 4) },
        () => `k${Math.floor(this.#random() * KEYS)}`,
      ),
    );
    this.#open = { keys, number, isAsked: false };
    const added = await client.send(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: "tx",
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: "t", partitions: PARTITIONS }],
    });
    expect(added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(0);
    for (const [index, written] of keys.entries()) {
      const value = Buffer.from(`${number}:${"x".repeat(Math.floor(this.#random() * 20_000))}`);
      const batch = buildBatch({
        records: written.map((key) => ({ key: Buffer.from(key), value })),
        baseTimestampMs: Date.now(),
        producerId,
        producerEpoch,
        baseSequence: sequences[index] ?? 0,
        attributes: TRANSACTIONAL,
      });
      const { responses } = await client.send(produce, 9, {
        transactionalId: "tx",
        acks: -1,
        timeoutMs,
        topicData: [{ name: "t", partitionData: [{ index, records: [batch] }] }],
      });
      expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
      sequences[index] = (sequences[index] ?? 0) + written.length;
    }
    expect((await client.send(addOffsetsToTxn, 3, { ...who, groupId: GROUP })).errorCode).toBe(0);
    const partitions = [{ partitionIndex: 0, committedOffset: number, committedMetadata: "" }];
    const offsets = { ...who, groupId: GROUP, topics: [{ name: "t", partitions }] };
    expect((await client.send(txnOffsetCommit, 3, offsets)).topics[0]?.partitions[0]?.errorCode).toBe(0);
    const committed = this.#random() < 0.7;
    this.#open.isAsked = committed;
    expect((await client.send(endTxn, 3, { ...who, committed })).errorCode).toBe(0);
    if (committed) this.#accept(this.#open);
    this.#open = null;
  }
}

/** The number of the newest transaction of each key, as a reader at read_committed finds it; and the largest of all. */
async function newestByKey(client: RawClient, partition: number): Promise<Map<string, number>> {
  const newest = new Map<string, number>();
  for (let offset = 0; ; ) {
    const answer = await fetchOne(client, "t", offset, { partition, isolationLevel: 1, maxBytes: 1 << 22 });
    expect(answer.errorCode).toBe(0);
    for (const { key, value } of consumed(answer, offset)) {
      newest.set(String(key), Number.parseInt(String(value), 10));
    }
    const next = nextOffset(answer, offset);
    // Compaction leaves no batch where all of one is gone, and never at the end.
    if (next === offset) return newest;
    offset = next;
  }
}

async function committedOffset(client: RawClient): Promise<number> {
  const { topics } = await client.send(offsetFetch, 5, {
    groupId: GROUP,
    topics: [{ name: "t", partitionIndexes: [0] }],
  });
  return topics[0]?.partitions[0]?.committedOffset ?? -1;
}

test.runIf(process.platform !== "win32")(
  "transactions are there as a whole or not at all after kill -9, the newest of each key among them",
  { timeout: 120_000 },
  async () => {
    using folder = new TemporaryFolder();
    const random = randomOf(SEED);
    const producer = new Producer(random);
    let compactions = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      await using program = new Program(folder.path, CONFIGS);
      const address = await program.address();
      await using client = await RawClient.to(address);
      if (round === 0) await freshTopic(client, { name: "t", partitions: PARTITIONS.length });
      const found = await Promise.all(PARTITIONS.map((partition) => newestByKey(client, partition)));
      const offset = await committedOffset(client);
      const { inDoubt } = producer;
      if (inDoubt !== null && offset === inDoubt.number) producer.acceptDoubt();
      for (const [partition, expected] of producer.committed.entries()) {
        const what = `seed ${SEED}, round ${round}, partition ${partition}`;
        expect(Object.fromEntries(found[partition] ?? []), what).toEqual(Object.fromEntries(expected));
      }
      expect(offset).toBe(producer.lastCommitted === 0 ? -1 : producer.lastCommitted);
      if (round > 0) {
        const start = await fetchOne(client, "t", 0, { partition: 0 });
        // The first batch that is left is not the first that was written.
        if ((start.records?.readInt32BE(4) ?? 0) > 0) compactions += 1;
      }
      if (round === ROUNDS) break;
      await using own = await RawClient.to(address);
      const running = producer.run(own);
      // Enough of them, and then at any moment of one.
      const enough = producer.transactions + 40 + Math.floor(random() * 40);
      const isEnough = async () => (producer.transactions >= enough ? true : null);
      await Promise.race([eventually("transactions", isEnough, TRIES), running]);
      await program.kill();
      await running;
    }
    expect(compactions).toBeGreaterThan(0);
  },
);
