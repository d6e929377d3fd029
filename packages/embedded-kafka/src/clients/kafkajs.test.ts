/** An unmodified kafkajs against the broker, through its public interface. */
import { type Consumer, Kafka, logLevel, type Producer } from "kafkajs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Broker, startBroker } from "../index.ts";

let broker: Broker;
let kafka: Kafka;
const open: { disconnect(): Promise<void> }[] = [];

beforeEach(async () => {
  broker = await startBroker();
  kafka = new Kafka({ clientId: "test", brokers: broker.brokers, logLevel: logLevel.NOTHING });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.disconnect()));
  await broker.stop();
});

async function producer(options = {}): Promise<Producer> {
  const made = kafka.producer(options);
  open.push(made);
  await made.connect();
  return made;
}

async function consumer(groupId: string): Promise<Consumer> {
  const made = kafka.consumer({ groupId, sessionTimeout: 6000, maxWaitTimeInMs: 100 });
  open.push(made);
  await made.connect();
  return made;
}

async function admin() {
  const made = kafka.admin();
  open.push(made);
  await made.connect();
  return made;
}

/** Runs a consumer until it has seen so many values. */
function values(from: Consumer, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    from
      .run({
        eachMessage: async ({ message }) => {
          seen.push(String(message.value));
          if (seen.length === count) resolve(seen);
        },
      })
      .catch(reject);
  });
}

test("what is produced is consumed, in order, by a consumer group", async () => {
  await (await admin()).createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
  await (await producer()).send({ topic: "t", messages: [{ value: "a" }, { value: "b" }, { value: "c" }] });
  const reader = await consumer("g");
  await reader.subscribe({ topic: "t", fromBeginning: true });
  expect(await values(reader, 3)).toEqual(["a", "b", "c"]);
});
