/**
 * Reads partitions from their beginning to their end, without a consumer group.
 *
 * kafkajs 2.2.4 reads only as a member of a group: a changelog would need one of its own, which Kafka makes wait for 3 s
 * (`group.initial.rebalance.delay.ms`) at every assignment. So its parts below the consumer are used: the cluster that
 * finds leaders and asks them, and the batch that leaves out what was not committed.
 */
import { createRequire } from "node:module";
import type { Kafka } from "kafkajs";
import { StreamsError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { TopicPartition } from "./consumer-session.ts";
import { delay, within } from "./machine-clock.ts";

export interface ReadRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

export interface PartitionRange extends TopicPartition {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

interface PartitionData {
  readonly messages: readonly unknown[];
  readonly lastStableOffset?: string;
}

interface Broker {
  fetch(
    request: object,
  ): Promise<{ responses: readonly { readonly partitions: readonly PartitionData[] }[] }>;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(options: { readonly nodeId: number }): Promise<Broker>;
}

interface Batch {
  readonly messages: readonly {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers?: object;
  }[];
  lastOffset(): string;
}

const READ_COMMITTED = 1;
const FETCH_BYTES = 1024 * 1024;
const MAX_WAIT_MS = 500;
/** For a transaction that is still open. */
const PATIENCE_MS = 30_000;

export class PartitionReader {
  readonly #cluster: Cluster;
  readonly #clock: Clock;

  private constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** Lends a reader for one piece of work. */
  static async using<R>(
    client: Kafka,
    clock: Clock,
    work: (reader: PartitionReader) => Promise<R>,
  ): Promise<R> {
    const cluster = clusterOf(client);
    try {
      await cluster.connect();
      return await work(new PartitionReader(cluster, clock));
    } finally {
      await within(clock, 1_000, cluster.disconnect());
    }
  }

  /** Hands over the committed records of the range, in their order. */
  async read(
    { topic, partition, from, to }: PartitionRange,
    take: (record: ReadRecord) => void,
  ): Promise<void> {
    const untilMs = this.#clock.monotonic() + PATIENCE_MS;
    for (let offset = from; offset < to; ) {
      const data = await this.#fetch({ topic, partition }, offset);
      const batch = batchOf(topic, offset, data);
      for (const { key, value, headers = {} } of batch.messages) {
        take({ key, value, headers: Object.fromEntries(Object.entries(headers)) });
      }
      if (data.messages.length > 0) offset = Math.max(offset, Number(batch.lastOffset())) + 1;
      // Compaction leaves batches in which nothing is.
      else if (Number(data.lastStableOffset ?? to) >= to) return;
      else if (this.#clock.monotonic() > untilMs) throw stillOpen({ topic, partition });
      else await delay(this.#clock, 20);
    }
  }

  async #fetch({ topic, partition }: TopicPartition, fetchOffset: number): Promise<PartitionData> {
    await this.#cluster.addTargetTopic(topic);
    await this.#cluster.refreshMetadataIfNecessary();
    const leader = this.#cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition)?.leader;
    if (leader === undefined) throw leaderless({ topic, partition });
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const { responses } = await broker.fetch({
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [
        { topic, partitions: [{ partition, fetchOffset: String(fetchOffset), maxBytes: FETCH_BYTES }] },
      ],
    });
    return responses[0]?.partitions[0] ?? { messages: [] };
  }
}

function stillOpen({ topic, partition }: TopicPartition): StreamsError {
  const message = `A transaction on ${topic}[${partition}] is still open: the records after it can't be read.`;
  return new StreamsError("STREAMS_CLOSED", message, { retriable: true });
}

function leaderless({ topic, partition }: TopicPartition): StreamsError {
  return new StreamsError("STREAMS_CLOSED", `${topic}[${partition}] has no leader.`, { retriable: true });
}

function clusterOf(client: Kafka): Cluster {
  const name = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  const create: unknown = name === undefined ? undefined : Reflect.get(client, name);
  const cluster: unknown =
    typeof create === "function" ? create({ allowAutoTopicCreation: false }) : undefined;
  if (isCluster(cluster)) return cluster;
  throw new StreamsError(
    "STREAMS_CLOSED",
    "kafkajs differs from 2.2.4 internally: it can't read without a consumer group. Install kafkajs 2.2.4.",
  );
}

function isCluster(cluster: unknown): cluster is Cluster {
  return typeof cluster === "object" && cluster !== null && "findBroker" in cluster && "connect" in cluster;
}

type BatchClass = new (topic: string, fetchedOffset: string, data: object) => Batch;

function batchOf(topic: string, offset: number, data: PartitionData): Batch {
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/consumer/batch");
  if (isBatchClass(loaded)) return new loaded(topic, String(offset), data);
  throw new StreamsError(
    "STREAMS_CLOSED",
    "kafkajs differs from 2.2.4 internally: its batches can't be found. Install kafkajs 2.2.4.",
  );
}

function isBatchClass(loaded: unknown): loaded is BatchClass {
  return typeof loaded === "function" && /^class Batch/.test(String(loaded));
}
