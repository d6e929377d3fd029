import { createTopics } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";

/**
 * Lets a fresh Kafka make what it makes only when it is first asked for: the topic of the groups' offsets with its
 * coordinator, and a block of producer ids. Until then it answers "coordinator loading" (14) and the like, which
 * clients try again and tests of single requests do not.
 */
export async function warmUp(brokers: readonly string[]): Promise<void> {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const topic = "warm-up";
  const producer = kafka.producer({ idempotent: true });
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect(), consumer.connect()]);
  await createTopics(admin, [{ topic, numPartitions: 1 }]);
  await producer.send({ topic, messages: [{ value: "warm" }] });
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.run({ eachMessage: async () => resolve() }).catch(reject);
  });
  await consumer.disconnect();
  await admin.deleteGroups([topic]);
  await admin.deleteTopics({ topics: [topic] });
  await Promise.all([producer.disconnect(), admin.disconnect()]);
}
