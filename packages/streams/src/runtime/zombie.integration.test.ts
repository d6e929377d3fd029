/** A process that is given up, stands still, and wakes up with words of before: what it writes takes nothing from its successor. */
import kafkajs, { type Admin } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { type PipelineProcess, Processes } from "../../test-support/processes.ts";
import { readerOf } from "../../test-support/reader.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { createPublisher, ensureTopics } from "../index.ts";
import { changelogTopicName } from "../state/changelog.ts";

let shared: TestKafka;
let admin: Admin;
beforeAll(async () => {
  shared = await kafkaForTests();
  const { Kafka, logLevel } = kafkajs;
  admin = new Kafka({ brokers: [...shared.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await shared[Symbol.asyncDispose]();
});

async function endOf(topic: string): Promise<number> {
  return Number((await admin.fetchTopicOffsets(topic))[0]?.high ?? 0);
}

async function committedOf(groupId: string, topic: string): Promise<number> {
  return Number((await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset ?? 0);
}

test("at least once, a process that wakes up and writes its changes late spoils no count of its successor", async () => {
  const from = readingTopic(uniqueName("in"), 1);
  const to = readingTopic(uniqueName("out"), 1);
  await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
  using processes = new Processes(shared.kafka.brokers);
  const app: PipelineProcess = {
    ...{ name: uniqueName("app"), from: from.name, to: to.name },
    ...{ kind: "counted", guarantee: "at-least-once" },
  };
  const changelog = changelogTopicName(app.name, "counts");
  const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog(), lingerMs: 0 });
  await using open = new AsyncDisposableStack();
  const { values: told } = open.use(await readerOf(shared.kafka, to));
  open.defer(() => publisher.close());
  let sent = 0;
  const send = async () => publisher.send({ key: "k", atMs: Date.now(), x: sent++ });
  const highest = () => Math.max(0, ...told.map(({ x }) => x));
  const isCommitted = async () => (await committedOf(app.name, from.name)) === sent;

  const first = await processes.start(app);
  // Stopped between what it has told and the note of it, which may take more than one try.
  for (let isBetween = false; !isBetween; ) {
    await send();
    await until("it to be told", () => highest() === sent);
    first.kill("SIGSTOP");
    isBetween = !(await isCommitted());
    if (!isBetween) first.kill("SIGCONT");
  }
  const second = processes.launch(app);
  await until("another to have taken over", isCommitted, 60_000);
  for (let i = 0; i < 5; i++) await send();
  await until("what the other has counted to be noted", isCommitted, 60_000);
  const before = await endOf(changelog);
  first.kill("SIGCONT");
  await until("the first to write late", async () => (await endOf(changelog)) > before, 60_000);
  // Whichever process continues does so from what is in the changelog.
  second.kill("SIGKILL");
  first.kill("SIGKILL");
  await processes.start(app);
  await send();
  await until("the last record to be told", () => told.at(-1)?.x === sent, 60_000).catch(() => undefined);
  expect(told.at(-1)?.x).toBe(sent);
}, 240_000);
