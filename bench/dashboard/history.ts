/** What devices said before the server started: it reads that back, as far as a chart goes. */
import { createTopics } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { message } from "../page/devices.ts";

/** So many seconds of all devices go out together. */
const CHUNK_SECONDS = 5;

/** A reading a second of each device over the last `minutes`. */
export async function sendHistory(
  brokers: readonly string[],
  topic: string,
  { devices, minutes }: { devices: number; minutes: number },
): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await createTopics(admin, [{ topic, numPartitions: 3 }]);
  await admin.disconnect();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const nowMs = Date.now();
  for (let ago = 60 * minutes; ago > 0; ago -= CHUNK_SECONDS) {
    const seconds = Array.from({ length: Math.min(CHUNK_SECONDS, ago) }, (_, i) => ago - i);
    const messages = seconds.flatMap((second) =>
      Array.from({ length: devices }, (_, device) => message(device, second, nowMs - 1_000 * second)),
    );
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}
