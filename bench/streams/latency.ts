/** From a reading's sending to its alert's coming, at a steady rate. */
import { setTimeout as wait } from "node:timers/promises";
import { createTopics, uniqueName, waitFor } from "@kelvin/test-kit";
import kafkajs, { type Admin } from "kafkajs";
import { percentile } from "../goals.ts";
import { type Contestant, kafkaOf, start } from "./programs.ts";
import { messageOf, reading } from "./readings.ts";
import { alertTopic, PARTITIONS } from "./topics.ts";

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

const HOT = 40;
/** Compiled code and joined groups first. */
const WARM_UP_MS = 5_000;

/** Every reading is an alert. Its `timestamp` says, to the millisecond, when it was handed to the producer. */
export async function latencyOf(
  contestant: Contestant,
  admin: Admin,
  broker: string,
  { perSecond, seconds, devices }: { perSecond: number; seconds: number; devices: number },
): Promise<Latency> {
  const input = uniqueName("bench-input");
  await createTopics(admin, [{ topic: input, numPartitions: PARTITIONS }]);
  const kafka = kafkaOf(broker);
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: uniqueName("bench"), maxWaitTimeInMs: 500 });
  const samples: number[] = [];
  let fromMs = Number.POSITIVE_INFINITY;
  let received = 0;
  await using running = await start(contestant, admin, broker, input);
  await Promise.all([producer.connect(), consumer.connect()]);
  const { decode } = alertTopic(running.output);
  await consumer.subscribe({ topic: running.output, fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const nowMs = Date.now();
      received += batch.messages.length;
      for (const { value } of batch.messages) {
        const alert = decode(value);
        if (!alert.ok) continue;
        const sentMs = Date.parse(alert.value.timestamp);
        if (sentMs >= fromMs) samples.push(nowMs - sentMs);
      }
    },
  });
  try {
    // Until both have joined their groups.
    await waitFor("a first alert", async () => {
      await producer.send({ topic: input, messages: [messageOf(input, reading(0, Date.now(), HOT))] });
      return received > 0;
    });
    const beganMs = performance.now();
    fromMs = Date.now() + WARM_UP_MS;
    const untilMs = beganMs + WARM_UP_MS + 1_000 * seconds;
    for (let sent = 0; performance.now() < untilMs; ) {
      const due = Math.floor(((performance.now() - beganMs) / 1_000) * perSecond);
      const nowMs = Date.now();
      const messages = Array.from({ length: due - sent }, (_, i) =>
        messageOf(input, reading((sent + i) % devices, nowMs, HOT)),
      );
      sent = Math.max(sent, due);
      if (messages.length > 0) void producer.send({ topic: input, messages, acks: 1 });
      await wait(1);
    }
    await wait(1_000);
  } finally {
    await Promise.all([consumer.disconnect(), producer.disconnect()]);
    await admin.deleteTopics({ topics: [input] });
  }
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}
