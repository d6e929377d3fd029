/** What must not be lost, and by what it once was. On the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { createTopics } from "@kelvin/test-kit";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import {
  createStreamApp,
  deadLetterHeaders,
  deadLetterTopicName,
  type KeyState,
  type StreamApp,
} from "../index.ts";

let shared: TestKafka;
let kafka: kafkajs.Kafka;
beforeAll(async () => {
  shared = await kafkaForTests();
  kafka = new kafkajs.Kafka({ brokers: [...shared.kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
});
afterAll(() => shared[Symbol.asyncDispose]());

/** One life of an app; ends with the test at the latest. */
function live(app: StreamApp) {
  const ended = app.run().then(
    () => undefined,
    (error: unknown) => error,
  );
  const stop = async () => {
    await app.stop();
    return ended;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function produce(topic: string, values: readonly Uint8Array[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  for (const value of values) {
    await producer.send({ topic, messages: [{ key: "k", value: Buffer.from(value), partition: 0 }] });
  }
  await producer.disconnect();
}

async function committed(groupId: string, topic: string): Promise<string | undefined> {
  const admin = kafka.admin();
  await admin.connect();
  const [of] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return of?.partitions.find(({ partition }) => partition === 0)?.offset;
}

test("a record that is too large for its dead-letter topic is written there with its value truncated, and the next one follows", async () => {
  const source = readingTopic(uniqueName("large"), 1);
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: "max.message.bytes", value: "5000000" }];
  await createTopics(admin, [{ topic: source.name, numPartitions: 1, configEntries }]);
  await admin.disconnect();
  const good: Reading = { key: "k", atMs: Date.now(), x: 7 };
  await produce(source.name, [new Uint8Array(3_000_000).fill(7), source.encode(good)]);

  const seen: Reading[] = [];
  const log = keptLog();
  const app = createStreamApp({ name: uniqueName("app"), kafka: shared.kafka, log, startFrom: "earliest" });
  app.dataframe(source).update((reading) => void seen.push(reading));
  await using life = live(app);
  await until("the reading behind the large one", () => seen.length === 1);
  await until("the commit of both", async () => (await committed(app.name, source.name)) === "2");
  expect(await life.stop()).toBeUndefined();

  const letters: kafkajs.KafkaMessage[] = [];
  const consumer = kafka.consumer({ groupId: uniqueName("letters") });
  await consumer.connect();
  await consumer.subscribe({ topic: deadLetterTopicName(source.name), fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void letters.push(message) });
  await until("the dead letter", () => letters.length === 1);
  await consumer.disconnect();
  expect(letters[0]?.value?.length).toBe(512 * 1024);
  expect(String(letters[0]?.headers?.[deadLetterHeaders.cutFrom])).toBe("3000000");
  expect(String(letters[0]?.headers?.[deadLetterHeaders.offset])).toBe("0");
});

test("a stop between two tries of a record leaves it undone, and the next life tries it again", async () => {
  const source = readingTopic(uniqueName("tried"), 1);
  const name = uniqueName("app");
  const tries: number[] = [];
  const appOf = (run: (reading: Reading) => void, backoffMs: number) => {
    const log = keptLog();
    const app = createStreamApp({
      name,
      kafka: shared.kafka,
      log,
      startFrom: "earliest",
      backoffMs,
      stallAfterMs: 120_000,
    });
    app.dataframe(source).update(run);
    return app;
  };
  const first = appOf(() => {
    tries.push(1);
    throw new RangeError("the other side is away");
  }, 30_000);
  const life = live(first);
  await until("the first life to be ready", () => first.health().ready);
  await produce(source.name, [source.encode({ key: "k", atMs: Date.now(), x: 1 })]);
  await until("the first try", () => tries.length === 1);
  expect(await life.stop()).toBeUndefined();
  expect(tries).toHaveLength(1);
  expect(["-1", "0"]).toContain(await committed(name, source.name));

  const done: Reading[] = [];
  await using second = live(appOf((reading) => void done.push(reading), 100));
  await until("the record to be processed again", () => done.length === 1);
  expect(await second.stop()).toBeUndefined();
});

test("a display that fails makes no record count twice", async () => {
  const source = readingTopic(uniqueName("shown"), 1);
  const log = keptLog();
  const print = () => {
    throw new RangeError("no paper");
  };
  const app = createStreamApp({
    name: uniqueName("app"),
    kafka: shared.kafka,
    log,
    startFrom: "earliest",
    print,
  });
  const seen: Reading[] = [];
  app
    .dataframe(source)
    .print()
    .update((reading) => void seen.push(reading));
  await using life = live(app);
  await until("the app to be ready", () => app.health().ready);
  await produce(source.name, [source.encode({ key: "k", atMs: Date.now(), x: 1 })]);
  await until("the warning", () => log.has("could not print a value"));
  expect(await life.stop()).toBeUndefined();
  expect(seen).toHaveLength(1);
});

test.each(["at-least-once", "exactly-once"] as const)(
  "a changelog that does not take a state that large ends the app with an error that names it (%s)",
  async (guarantee) => {
    const source = readingTopic(uniqueName("states"), 1);
    const app = createStreamApp({
      name: uniqueName("app"),
      kafka: shared.kafka,
      log: keptLog(),
      startFrom: "earliest",
      guarantee,
    });
    app.dataframe(source).applyStateful((_, text: KeyState<string>) => text.set("x".repeat(5_000)), {
      store: "texts",
    });
    const changelog = `${app.name}-texts-changelog`;
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [
      { name: "max.message.bytes", value: "2000" },
      { name: "cleanup.policy", value: "compact" },
    ];
    await createTopics(admin, [
      { topic: changelog, numPartitions: 1, configEntries },
      { topic: source.name, numPartitions: 1 },
    ]);
    await admin.disconnect();
    await produce(source.name, [source.encode({ key: "k", atMs: Date.now(), x: 1 })]);
    await expect(app.run()).rejects.toMatchObject({
      code: "STREAMS_DELIVERY",
      topic: changelog,
      message: expect.stringContaining(`A record for topic "${changelog}" was not delivered: `),
    });
    expect(app.health()).toMatchObject({ ready: false, live: false });
  },
);
