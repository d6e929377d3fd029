import { Kafka, logLevel } from "kafkajs";
import { uniqueName } from "./unique-name.ts";
import { waitFor } from "./wait-for.ts";

/** A record as it lies in a topic. */
export interface LoggedRecord {
  partition: number;
  offset: bigint;
  key: string | null;
  value: string | null;
  timestampMs: number;
  headers: Readonly<Record<string, string>>;
}

/** All records of a topic, from the first on. Leaving its scope (`await using`) ends the reading. */
export interface TopicLog extends AsyncDisposable {
  /** Everything read so far; of one partition in its order. */
  readonly records: readonly LoggedRecord[];
  /** Resolves when all is read that lies in the topic now. */
  toEnd(): Promise<readonly LoggedRecord[]>;
  close(): Promise<void>;
}

/**
 * Follows a topic from its beginning with a bare kafkajs consumer, so that a judge of our pipelines shares no code
 * with them.
 */
export async function followTopic(brokers: readonly string[], topic: string): Promise<TopicLog> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: "topic-log", logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: uniqueName("topic-log"), maxWaitTimeInMs: 100 });
  const records: LoggedRecord[] = [];
  const next = new Map<number, bigint>();
  await Promise.all([admin.connect(), consumer.connect()]);
  // A transaction's end is a record too, and of a batch that is nothing else eachBatch is not told.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    next.set(payload.partition, BigInt(payload.lastOffset) + 1n);
  });
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        records.push({
          partition: batch.partition,
          offset: BigInt(message.offset),
          key: message.key?.toString() ?? null,
          value: message.value?.toString() ?? null,
          timestampMs: Number(message.timestamp),
          headers: Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          ),
        });
      }
      next.set(batch.partition, BigInt(batch.lastOffset()) + 1n);
    },
  });
  const close = async () => {
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  };
  return {
    records,
    async toEnd() {
      const ends = await admin.fetchTopicOffsets(topic);
      await waitFor(`${topic} to be read to its end`, () =>
        ends.every(({ partition, high, low }) => high === low || (next.get(partition) ?? 0n) >= BigInt(high)),
      );
      return records;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
