/** A topic read once, from its beginning to where it ends now. */
import { randomUUID } from "node:crypto";
import type { Admin, Kafka, KafkaMessage } from "kafkajs";
import { ToolError } from "../supervise/errors.ts";
import { endsOf } from "./kafka.ts";

/** Committed records alone, of each partition in their order. */
export async function readTopic(
  kafka: Kafka,
  admin: Admin,
  topic: string,
  take: (message: KafkaMessage, partition: number) => void,
): Promise<void> {
  const ends = await endsOf(admin, topic);
  const open = new Map(
    ends.filter(({ low, high }) => low < high).map(({ partition, high }) => [partition, high]),
  );
  if (open.size === 0) return;
  const groupId = `kelvin-tools-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, maxWaitTimeInMs: 500 });
  const atEnd = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) atEnd.reject(new ToolError(`"${topic}" can't be read: ${error.message}`, { cause: error }));
  });
  // Told of transaction markers as well, which no handler sees.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    const end = open.get(partition);
    if (end !== undefined && Number(lastOffset) >= end - 1) open.delete(partition);
    if (open.size === 0) atEnd.resolve();
  });
  const next = new Map<number, number>();
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        // After an error kafkajs starts over.
        const offset = Number(message.offset);
        if (offset < (next.get(partition) ?? 0)) return;
        next.set(partition, offset + 1);
        take(message, partition);
      },
    });
    await atEnd.promise;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
  }
}
