/** A transactional producer that does one step at a time, as it is told. */
import { errorCode } from "../protocol/error-codes.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { TRANSACTIONAL } from "../records/batch.ts";
import type { NewBatch } from "../records/record.ts";
import {
  batchOf,
  ClusterUnderTestError,
  connectToCluster,
  eventually,
  uniqueName,
} from "./cluster-under-test.ts";
import type { RawClient } from "./raw-client.ts";

/**
 * What a real cluster answers while it is not ready: its coordinator starts, or a transaction is about to end. Each
 * partition of the transactions' topic loads by itself: that one id has its coordinator says nothing of the others.
 */
const NOT_YET: readonly number[] = [
  errorCode.coordinatorLoadInProgress,
  errorCode.coordinatorNotAvailable,
  errorCode.notCoordinator,
  errorCode.concurrentTransactions,
];

/** Asks again while the answer is that it can't be answered yet. */
export function settled(ask: () => Promise<number>): Promise<number> {
  return eventually("an answer of the transaction coordinator", async () => {
    const code = await ask();
    return NOT_YET.includes(code) ? null : code;
  });
}

export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

interface SendOptions {
  readonly partition?: number;
  readonly version?: number;
  readonly transactionalId?: string | null;
  readonly batch?: Partial<NewBatch>;
}

export class TransactionClient implements AsyncDisposable {
  readonly transactionalId: string;
  readonly client: RawClient;
  readonly #timeoutMs: number;
  readonly #sequences = new Map<string, number>();
  producerId = -1;
  producerEpoch = -1;

  private constructor(transactionalId: string, client: RawClient, timeoutMs: number) {
    this.transactionalId = transactionalId;
    this.client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** On a connection of its own; has no producer id yet. */
  static async of(transactionalId = uniqueName("tx"), timeoutMs = 60_000): Promise<TransactionClient> {
    return new TransactionClient(transactionalId, await connectToCluster("producer"), timeoutMs);
  }

  /** One that may produce. */
  static async started(transactionalId?: string, timeoutMs?: number): Promise<TransactionClient> {
    const started = await TransactionClient.of(transactionalId, timeoutMs);
    await started.coordinatorReady();
    await started.init();
    return started;
  }

  async coordinatorReady(): Promise<void> {
    await eventually("a transaction coordinator", async () => {
      const { coordinators } = await this.client.send(findCoordinator, 4, {
        keyType: 1,
        coordinatorKeys: [this.transactionalId],
      });
      return coordinators[0]?.errorCode === errorCode.none ? true : null;
    });
  }

  get identity(): Identity {
    return { producerId: this.producerId, producerEpoch: this.producerEpoch };
  }

  /** One InitProducerId; what it answers is kept. */
  async initOnce(version = 4, expected: Partial<Identity> = {}) {
    const answer = await this.client.send(initProducerId, version, {
      transactionalId: this.transactionalId,
      transactionTimeoutMs: this.#timeoutMs,
      ...expected,
    });
    if (answer.errorCode !== errorCode.none) return answer;
    this.producerId = answer.producerId;
    this.producerEpoch = answer.producerEpoch;
    this.#sequences.clear();
    return answer;
  }

  /** Begins, or begins again. */
  async init(version = 4, expected: Partial<Identity> = {}): Promise<number> {
    return settled(async () => (await this.initOnce(version, expected)).errorCode);
  }

  /** One AddPartitionsToTxn; the errors of the partitions, by their number: Kafka's own order is that of a hash table. */
  async addOnce(
    topic: string,
    partitions: readonly number[] = [0],
    version = 3,
    change = {},
  ): Promise<number[]> {
    const { resultsByTopicV3AndBelow } = await this.client.send(addPartitionsToTxn, version, {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
      ...change,
    });
    return resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition
        .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
        .map(({ partitionErrorCode }) => partitionErrorCode),
    );
  }

  async add(topic: string, partitions: readonly number[] = [0], version = 3): Promise<number> {
    return settled(async () => (await this.addOnce(topic, partitions, version))[0] ?? -1);
  }

  /** Sends one batch in the transaction, with the next sequences. */
  async send(topic: string, values: readonly string[], options: SendOptions = {}) {
    const { partition = 0, version = 9, transactionalId = this.transactionalId } = options;
    const key = `${topic}-${partition}`;
    const baseSequence = this.#sequences.get(key) ?? 0;
    const batch = batchOf(values, {
      ...this.identity,
      baseSequence,
      attributes: TRANSACTIONAL,
      ...options.batch,
    });
    const { responses } = await this.client.send(produce, version, {
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: [batch] }] }],
    });
    const answer = responses[0]?.partitionResponses[0];
    if (answer === undefined) throw new ClusterUnderTestError("Produce answered nothing");
    if (answer.errorCode === errorCode.none) this.#sequences.set(key, baseSequence + values.length);
    return answer;
  }

  /** One EndTxn. */
  async endOnce(committed: boolean, version = 4, change = {}): Promise<number> {
    const answer = await this.client.send(endTxn, version, {
      transactionalId: this.transactionalId,
      ...this.identity,
      committed,
      ...change,
    });
    return answer.errorCode;
  }

  /** Ends the transaction, and waits until it has ended in every partition. */
  async end(committed: boolean, version = 4): Promise<number> {
    const first = await settled(() => this.endOnce(committed, version));
    return first === errorCode.none ? settled(() => this.endOnce(committed, version)) : first;
  }

  /** A whole transaction with one batch. */
  async transact(topic: string, values: readonly string[], committed: boolean): Promise<void> {
    const codes = [
      await this.add(topic),
      (await this.send(topic, values)).errorCode,
      await this.end(committed),
    ];
    if (codes.some((code) => code !== errorCode.none)) {
      throw new ClusterUnderTestError(`a transaction was refused: ${codes}`);
    }
  }

  async addGroupOnce(groupId: string, version = 4, change = {}): Promise<number> {
    const request = { transactionalId: this.transactionalId, ...this.identity, groupId, ...change };
    return (await this.client.send(addOffsetsToTxn, version, request)).errorCode;
  }

  async addGroup(groupId: string, version = 4): Promise<number> {
    return settled(() => this.addGroupOnce(groupId, version));
  }

  /** One TxnOffsetCommit of one partition; its error. */
  async commitOffset(
    groupId: string,
    topic: string,
    committedOffset: number,
    { version = 4, partition = 0, committedMetadata = "m", change = {} } = {},
  ): Promise<number> {
    const { topics } = await this.client.send(txnOffsetCommit, version, {
      transactionalId: this.transactionalId,
      groupId,
      ...this.identity,
      topics: [
        { name: topic, partitions: [{ partitionIndex: partition, committedOffset, committedMetadata }] },
      ],
      ...change,
    });
    return topics[0]?.partitions[0]?.errorCode ?? -1;
  }

  /** Ends the connection, as a crash does: nobody is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
