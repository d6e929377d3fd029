import { createLog } from "@kelvin/service-kit";
import { createKafka } from "@kelvin/streams";
import { createTopics } from "@kelvin/test-kit";
import type { Kafka } from "kafkajs";

/** Two minutes: on a busy machine the 50 partitions of the offsets' topic are long in the making. */
const RETRY = { retries: 120, initialRetryTime: 100, maxRetryTime: 1_000 };

/**
 * One id for each partition of the transactions' topic (`transaction.state.log.num.partitions`: 50), as each loads by
 * itself: Kafka chooses by Java's hash of the id, and that of a single letter is its code.
 */
const TRANSACTIONAL_IDS = Array.from({ length: 50 }, (_, index) => String.fromCharCode(0x41 + index));

/**
 * Lets a fresh Kafka make what it makes only when it is first asked for: the topic of the groups' offsets and that of
 * transactions with their coordinators, and a block of producer ids. Until then it answers "coordinator loading" (14)
 * and the like, which clients try again, not all for long enough, and tests of single requests do not.
 */
export async function warmUp(brokers: readonly string[]): Promise<void> {
  const log = createLog({ name: "warm-up", level: "silent", format: "json" });
  const kafka = createKafka({ kafka: { brokers: [...brokers] }, log });
  const topic = "warm-up";
  const producer = kafka.producer({ idempotent: true, retry: RETRY });
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100, retry: RETRY });
  const admin = kafka.admin({ retry: RETRY });
  await Promise.all([producer.connect(), admin.connect(), consumer.connect()]);
  await createTopics(admin, [{ topic, numPartitions: 1 }]);
  await producer.send({ topic, messages: [{ value: "warm" }] });
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    // A coordinator that loads for long ends kafkajs's attempt, and kafkajs begins another one.
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error));
    consumer.run({ eachMessage: async () => resolve() }).catch(reject);
  });
  await consumer.disconnect();
  await admin.deleteGroups([topic]);
  await admin.deleteTopics({ topics: [topic] });
  await Promise.all([producer.disconnect(), admin.disconnect()]);
  await Promise.all(TRANSACTIONAL_IDS.map((transactionalId) => beginTransaction(kafka, transactionalId)));
}

/** Nothing is in it: its begin alone needs the coordinator. */
async function beginTransaction(kafka: Kafka, transactionalId: string): Promise<void> {
  const producer = kafka.producer({ transactionalId, retry: RETRY });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.abort();
  await producer.disconnect();
}
