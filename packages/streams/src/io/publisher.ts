/** Publishing alone: values go in here and come out of a topic. */
import { StreamsError } from "../errors.ts";
import type { Clock, KafkaConnection, Log, Metrics, TopicLike } from "../ports.ts";
import { BatchingProducer, checkedLimits } from "./batching-producer.ts";
import { createKafka } from "./kafka-client.ts";
import { machineClock } from "./machine-clock.ts";
import { ensureTopics } from "./topics.ts";

/** Where values go, and how many are buffered while Kafka is unreachable. */
export interface PublisherOptions<T> {
  readonly kafka: KafkaConnection;
  readonly topic: TopicLike<T>;
  readonly log: Log;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /**
   * How long a record waits for others to form a batch, in milliseconds. Kafka's `linger.ms`. Large values save requests
   * and cost latency. @default 5
   */
  readonly lingerMs?: number;
  /**
   * Bytes buffered while Kafka is unreachable or slow. Kafka's `buffer.memory`. Beyond this, `send` rejects at once with
   * code STREAMS_OVERFLOW. @default 16 MiB
   */
  readonly bufferBytesMax?: number;
}

/** Whether values reach Kafka; if not, since when and why. */
export interface PublisherHealth {
  /** True while Kafka accepts records. */
  readonly ready: boolean;
  /** False once Kafka has refused permanently: nothing more will be delivered. */
  readonly live: boolean;
  readonly why: string;
  /** When Kafka became unreachable, wall clock in milliseconds. */
  readonly unreachableSinceMs?: number;
  readonly bufferedBytes: number;
}

/**
 * Sends values to one topic: in batches, in order, acknowledged by all in-sync replicas. Kafka's
 * `KafkaProducer`.
 */
export interface Publisher<T> {
  /**
   * Resolves when Kafka has the record on all in-sync replicas. Records of one key arrive in the order of the calls.
   * The record carries the value's event time as its Kafka timestamp.
   *
   * @throws {DeliveryError} if Kafka refuses the record itself (too large), or `close` was called first.
   * @throws {KafkaRefusedError} if Kafka refuses permanently.
   * @throws {StreamsError} with code STREAMS_OVERFLOW if Kafka is unreachable for longer than the buffer lasts.
   */
  send(value: T): Promise<void>;
  /** Resolves when the buffer has room. Await it between sends to avoid an overflow. */
  room(): Promise<void>;
  health(): PublisherHealth;
  /** Delivers buffered records, for at most `deadlineMs` (default 5,000), and disconnects. */
  close(deadlineMs?: number): Promise<void>;
}

/**
 * Creates the topic if it is missing, waits for a broker as long as it takes, and resolves when ready to send. Quix'
 * `get_producer`.
 *
 * @throws {KafkaRefusedError} if Kafka refuses permanently.
 * @throws {StreamsError} with code STREAMS_BAD_OPTION if an option is invalid.
 */
export async function createPublisher<T>(options: PublisherOptions<T>): Promise<Publisher<T>> {
  const {
    kafka,
    topic,
    log,
    metrics,
    clock = machineClock,
    lingerMs = 5,
    bufferBytesMax = 16 * 1024 * 1024,
  } = options;
  checkedLimits(lingerMs, bufferBytesMax);
  const makeTopic = () => ensureTopics({ kafka, topics: [topic], log, metrics, clock });
  await makeTopic();
  const producer = new BatchingProducer({
    client: createKafka({ kafka, log }),
    log,
    clock,
    lingerMs,
    bufferBytesMax,
    onTopicMissing: makeTopic,
  });
  await producer.connect();
  const counted = (result: "delivered" | "failed" | "overflow", by = 1) => {
    const labels = { topic: topic.name, result };
    metrics?.count("kelvin_published_total", "Records sent to Kafka, by outcome.", labels, by);
  };
  for (const result of ["delivered", "failed", "overflow"] as const) counted(result, 0);

  return {
    send(value) {
      if (!producer.hasRoom) {
        counted("overflow");
        return Promise.reject(overflow(topic.name, bufferBytesMax));
      }
      return new Promise((resolve, reject) => {
        producer.enqueue(recordOf(topic, value, clock.now()), (error) => {
          counted(error === undefined ? "delivered" : "failed");
          if (error === undefined) resolve();
          else reject(error);
        });
      });
    },
    room: () => producer.room(),
    health: () => healthOf(producer),
    async close(deadlineMs = 5_000) {
      const left = await producer.close(deadlineMs);
      if (left > 0)
        log.error({ topic: topic.name, records: left }, "closed before Kafka accepted these records");
    },
  };
}

function recordOf<T>(topic: TopicLike<T>, value: T, nowMs: number) {
  return {
    topic: topic.name,
    key: topic.key(value),
    value: topic.encode(value),
    timestampMs: topic.eventTimeMs(value, nowMs),
  };
}

function overflow(topic: string, bufferBytesMax: number): StreamsError {
  return new StreamsError(
    "STREAMS_OVERFLOW",
    `${bufferBytesMax} bytes for topic "${topic}" are already waiting for Kafka. Await room(), or drop the record.`,
    { retriable: true },
  );
}

function healthOf(producer: BatchingProducer): PublisherHealth {
  const { bufferedBytes, unreachable, refusal } = producer;
  if (refusal !== undefined) return { ready: false, live: false, why: refusal.message, bufferedBytes };
  if (unreachable === undefined)
    return { ready: true, live: true, why: "Kafka accepts records", bufferedBytes };
  const since = new Date(unreachable.sinceMs).toISOString();
  return {
    ready: false,
    live: true,
    why: `Kafka has been unreachable since ${since}: ${unreachable.reason}`,
    unreachableSinceMs: unreachable.sinceMs,
    bufferedBytes,
  };
}
