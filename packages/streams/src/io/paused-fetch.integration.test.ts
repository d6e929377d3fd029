/** What a consumer does whose partitions are all paused, and then resumed. */
import { createTopics } from "@kelvin/test-kit";
import type { EachMessagePayload } from "kafkajs";
import { expect, test } from "vitest";
import { kafkaForTests, keptLog, uniqueName, until } from "../../test-support/kafka.ts";
import { createKafka } from "./kafka-client.ts";

/** Longer than the test may take: a consumer that slept so long would not be seen reading. */
const MAX_WAIT_MS = 600_000;

test("a consumer whose partitions are all paused reads as soon as one of them is resumed", async () => {
  await using shared = await kafkaForTests();
  const client = createKafka({ kafka: shared.kafka, log: keptLog() });
  const admin = client.admin();
  const producer = client.producer();
  const consumer = client.consumer({
    groupId: uniqueName("reader"),
    maxWaitTimeInMs: MAX_WAIT_MS,
  });
  const topic = uniqueName("in");
  const [first, second] = [
    { topic, partitions: [0] },
    { topic, partitions: [1] },
  ];
  const send = (partition: number, value: string) =>
    producer.send({ topic, messages: [{ partition, value }] });
  const values: string[] = [];
  let fetchesWhilePaused = 0;
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  await createTopics(admin, [{ topic, numPartitions: 2 }]);
  await send(0, "before");
  consumer.on(consumer.events.FETCH_START, () => {
    if (values.length > 0) fetchesWhilePaused++;
  });
  await consumer.subscribe({ topic, fromBeginning: true });
  const eachMessage = async ({ message }: EachMessagePayload) => {
    values.push(String(message.value));
    consumer.pause([first, second]);
  };
  await consumer.run({ eachMessage });

  await until("the consumer to be asleep", () => fetchesWhilePaused > 0);
  await Promise.all([send(0, "paused"), send(1, "resumed")]);
  consumer.resume([second]);
  await until("the record of the partition that was resumed", () => values.length > 1);
  expect(values).toEqual(["before", "resumed"]);

  const left = consumer.disconnect();
  // It waits for its last fetch.
  consumer.resume([first]);
  await left;
  await Promise.all([producer.disconnect(), admin.disconnect()]);
}, 60_000);
