/**
 * Writes of one input partition in transactions: the records and the group's position become visible together, or never.
 *
 * kafkajs cannot fence by consumer group (its TxnOffsetCommit is version 1; KIP-447 came with 3), so the fence is the
 * transactional id (KIP-98): each input partition has its own, and whoever is given the partition takes the id, before
 * reading where the work stands. From then on every request of its former owner fails, and what that had not committed is
 * undone. A producer of which anything failed is thrown away: kafkajs repeats no EndTxn, its state machine has no way out
 * of a failed one, and whether a cut EndTxn was carried out is only known after the id was taken again.
 */
import type { Kafka, Producer, Transaction } from "kafkajs";
import { StreamsError } from "../errors.ts";
import type { Clock, OutgoingRecord } from "../ports.ts";
import type { TopicPartition } from "./consumer-session.ts";
import { METADATA_MAX_AGE_MS } from "./kafka-client.ts";
import { isRecordAtFault, protocolErrorOf } from "./kafka-errors.ts";
import { delay, within } from "./machine-clock.ts";
import { byTopic, bytesOf } from "./messages.ts";
import { javaPartitioner } from "./partitioner.ts";

export interface TransactionalProducerOptions {
  readonly client: Kafka;
  readonly clock: Clock;
  readonly transactionalId: string;
  readonly groupId: string;
}

/** A position in the consumer group, with its metadata. */
export interface CommittedPosition extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/**
 * What to write in place of a record that Kafka refuses for its own sake (too large).
 *
 * @throws where there is nothing.
 */
export type Replacement = (refused: OutgoingRecord, error: unknown) => OutgoingRecord;

/**
 * Milliseconds. Kafka's `transaction.timeout.ms`: how long readers of committed records may have to wait at a transaction
 * of a process that was killed, where nobody takes its partitions over.
 */
const TRANSACTION_TIMEOUT_MS = 15_000;

/** The brokers end a transaction after they have said so; until then the next one is answered CONCURRENT_TRANSACTIONS. */
export const TRANSACTION_RETRY = { initialRetryTime: 4, maxRetryTime: 100, multiplier: 1.5, retries: 20 };
const CONCURRENT_RETRY_MS = 5;
const CONCURRENT_MS_MAX = 10_000;

/** One partition's share of a request has to be under 1 MB. */
const REQUEST_BYTES_MAX = 512 * 1024;

export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  #producer: Producer | undefined;
  #transaction: Transaction | undefined;

  constructor(options: TransactionalProducerOptions) {
    this.#options = options;
  }

  /**
   * Takes the transactional id: its former owner is fenced, its open transaction ended. Rejects with kafkajs's errors; the
   * producer is then of no use.
   */
  async open(): Promise<void> {
    const { client, transactionalId } = this.#options;
    const producer = client.producer({
      createPartitioner: lastingPartitioner,
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      // This is what kafkajs calls idempotence outside of transactions; inside it is always on.
      idempotent: false,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      maxInFlightRequests: 1,
      retry: TRANSACTION_RETRY,
    });
    this.#producer = producer;
    await producer.connect();
    // Here kafkajs sends InitProducerId; the transaction begins with its first record or offset.
    this.#transaction = await producer.transaction();
  }

  /**
   * Writes the records and the position in one transaction. Where it rejects, whether that was carried out is not known, and
   * the producer is of no use any more.
   */
  async commit(
    records: readonly OutgoingRecord[],
    position: CommittedPosition,
    replacement: Replacement,
  ): Promise<void> {
    try {
      for (const part of partsOf(records)) await this.#send(part);
    } catch (error) {
      if (!isRecordAtFault(error)) throw error;
      // Of a request to several partitions some may have taken their share, which kafkajs does not count.
      await this.close();
      await this.open();
      for (const part of byKey(records)) await this.#sendOrReplace(part, replacement);
    }
    await this.#sendPosition(position);
    await this.#current().commit();
    this.#transaction = await this.#producer?.transaction();
  }

  /** Ends nothing: what is open is undone when the id is taken again, or in time. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#transaction = undefined;
    if (producer !== undefined) await within(this.#options.clock, 1_000, producer.disconnect());
  }

  async #send(records: readonly OutgoingRecord[]): Promise<void> {
    const topicMessages = byTopic(records);
    await this.#current().sendBatch({ acks: -1, timeout: 10_000, topicMessages });
  }

  /** All of them are for one partition, so either all were taken or none. */
  async #sendOrReplace(records: readonly OutgoingRecord[], replacement: Replacement): Promise<void> {
    try {
      await this.#send(records);
    } catch (error) {
      const [first] = records;
      if (first === undefined || !isRecordAtFault(error)) throw error;
      if (records.length === 1) return this.#sendOrReplace([replacement(first, error)], replacement);
      for (const record of records) await this.#sendOrReplace([record], replacement);
    }
  }

  async #sendPosition({ topic, partition, offset, metadata }: CommittedPosition): Promise<void> {
    const { clock, groupId } = this.#options;
    const topics = [{ topic, partitions: [{ partition, offset: String(offset), metadata }] }];
    const untilMs = clock.monotonic() + CONCURRENT_MS_MAX;
    for (;;) {
      try {
        return await this.#current().sendOffsets({ consumerGroupId: groupId, topics });
      } catch (error) {
        // kafkajs repeats this for records, not for offsets.
        if (protocolErrorOf(error) !== "CONCURRENT_TRANSACTIONS" || clock.monotonic() > untilMs) throw error;
        await delay(clock, CONCURRENT_RETRY_MS);
      }
    }
  }

  #current(): Transaction {
    if (this.#transaction !== undefined) return this.#transaction;
    const { transactionalId } = this.#options;
    throw new StreamsError("STREAMS_CLOSED", `The producer of "${transactionalId}" is closed.`, {
      retriable: true,
    });
  }
}

/** Somebody else has taken the transactional id, or the broker gave the transaction up. */
export function isFenced(error: unknown): boolean {
  const type = protocolErrorOf(error);
  return type !== undefined && FENCED.has(type);
}

const FENCED = new Set([
  "INVALID_PRODUCER_EPOCH",
  "PRODUCER_FENCED",
  "INVALID_TXN_STATE",
  "INVALID_PRODUCER_ID_MAPPING",
  "TRANSACTION_COORDINATOR_FENCED",
]);

/**
 * Java's, except that a message without a key stays where it was first put: repeated to another partition it would be there
 * twice, and both of them committed.
 */
const lastingPartitioner: typeof javaPartitioner = () => {
  const partition = javaPartitioner();
  const known = new WeakMap<object, number>();
  return (args) => {
    const { message } = args;
    if (message.key !== null && message.key !== undefined) return partition(args);
    const chosen = known.get(message) ?? partition(args);
    known.set(message, chosen);
    return chosen;
  };
};

function* partsOf(records: readonly OutgoingRecord[]): Generator<readonly OutgoingRecord[]> {
  let from = 0;
  let bytes = 0;
  for (const [i, record] of records.entries()) {
    const size = bytesOf(record);
    if (i > from && bytes + size > REQUEST_BYTES_MAX) {
      yield records.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < records.length) yield records.slice(from);
}

/** Those of one topic and key, in their order; those without a key one by one. */
function byKey(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const parts = new Map<string, OutgoingRecord[]>();
  for (const [i, record] of records.entries()) {
    const { topic, key } = record;
    const name = key === null ? `${i}` : `${topic}/${Buffer.from(key).toString("latin1")}`;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [record]);
    else part.push(record);
  }
  return [...parts.values()];
}
