/** What "exactly-once" promises, with processes that are killed and stopped, on the embedded broker or KAFKA_BROKERS. */
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "@kelvin/embedded-kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { killed, type PipelineProcess, Processes } from "../../test-support/processes.ts";
import { readerOf, type TopicReader } from "../../test-support/reader.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import { createPublisher, createStreamApp, ensureTopics, type TopicLike } from "../index.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** How many processes are killed; by command (STREAMS_KILLS=50) more. */
const KILLS = Number(process.env["STREAMS_KILLS"] ?? 2);

const numbersOf = ({ values }: TopicReader<Reading>) => values.map(({ x }) => x);

/** Readings with the numbers from 0 on, until stopped. */
async function publishing(topic: TopicLike<Reading>) {
  const publisher = await createPublisher({ kafka: shared.kafka, topic, log: keptLog(), lingerMs: 0 });
  let isOn = true;
  let sent = 0;
  const loop = async () => {
    for (; isOn; sent++) {
      await publisher.send({ key: `k${sent % 7}`, atMs: Date.now(), x: sent });
      if (sent % 5 === 0) await sleep(10);
    }
  };
  const done = loop();
  return async () => {
    isOn = false;
    await done;
    await publisher.close();
    return sent;
  };
}

test("processes killed, and one stopped until it is given up: every record is there once", async () => {
  const from = readingTopic(uniqueName("in"), 4);
  const to = readingTopic(uniqueName("out"), 4);
  await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
  using processes = new Processes(shared.kafka.brokers);
  const pipeline: PipelineProcess = {
    name: uniqueName("app"),
    from: from.name,
    to: to.name,
    kind: "copy",
    guarantee: "exactly-once",
  };
  await using out = await readerOf(shared.kafka, to);
  const stopPublishing = await publishing(from);
  let running = await Promise.all([processes.start(pipeline), processes.start(pipeline)]);
  for (let kill = 0; kill < KILLS; kill++) {
    const [victim, other] = running;
    const before = out.values.length;
    // In the midst of transactions: they are 20 ms apart, and each takes about as long.
    await sleep(37 * kill);
    if (kill % 3 === 1) {
      // A process that stands still for longer than its session, and wakes up believing that all is as it was.
      victim.kill("SIGSTOP");
      await until("the other to take its partitions over", () => out.values.length > before + 500);
      await sleep(6_500);
      victim.kill("SIGCONT");
      running = [other, victim];
    } else {
      await killed(victim);
      running = [other, await processes.start(pipeline)];
    }
    await until("processing to continue", () => out.values.length > before + 200);
  }
  const sent = await stopPublishing();
  await until("all records", () => new Set(numbersOf(out)).size === sent).catch(() => undefined);
  const counts = new Map<number, number>();
  for (const x of numbersOf(out)) counts.set(x, (counts.get(x) ?? 0) + 1);
  const missing = Array.from({ length: sent }, (_, x) => x).filter((x) => !counts.has(x));
  const doubled = [...counts].filter(([, count]) => count > 1).map(([x]) => x);
  expect({ missing, doubled }).toEqual({ missing: [], doubled: [] });
}, 1_200_000);

test("more than a transaction holds is committed before its time, again and again", async () => {
  const from = readingTopic(uniqueName("in"), 1);
  const large = readingTopic(uniqueName("out"), 1);
  const pad = "x".repeat(400_000);
  const to: TopicLike<Reading> = {
    ...large,
    encode: (reading) => large.encode(Object.assign({ pad }, reading)),
  };
  const app = createStreamApp({
    name: uniqueName("app"),
    kafka: shared.kafka,
    log: keptLog(),
    startFrom: "earliest",
    guarantee: "exactly-once",
    commitEveryMs: 3_600_000,
  });
  app.dataframe(from).toTopic(to);
  await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
  const running = app.run();
  await until("the app to be ready", () => app.health().ready);
  await using out = await readerOf(shared.kafka, to);
  const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
  const sent = Array.from({ length: 20 }, (_, x) => x);
  await Promise.all(sent.map((x) => publisher.send({ key: "a", atMs: Date.now(), x })));
  await publisher.close();
  await until("all that fills transactions", () => out.values.length >= 18);
  await app.stop();
  await running;
  await until("the rest", () => out.values.length >= 20);
  expect(numbersOf(out)).toEqual(sent);
}, 120_000);

test("a store whose processes are killed: each record counts once, and with exactly once it is emitted once", async () => {
  const from = readingTopic(uniqueName("in"), 2);
  const apps = (["at-least-once", "exactly-once"] as const).map((guarantee): PipelineProcess => {
    const kind = "counted";
    return { name: uniqueName("app"), from: from.name, to: uniqueName("out"), kind, guarantee };
  });
  const topics = apps.map(({ to }) => readingTopic(to, 2));
  await ensureTopics({ kafka: shared.kafka, topics: [from, ...topics], log: keptLog() });
  using processes = new Processes(shared.kafka.brokers);
  await using outs = new AsyncDisposableStack();
  const read = await Promise.all(topics.map(async (topic) => outs.use(await readerOf(shared.kafka, topic))));
  const stopPublishing = await publishing(from);
  let running = await Promise.all(apps.map((app) => processes.start(app)));
  for (let kill = 0; kill < KILLS; kill++) {
    const before = read.map(({ values }) => values.length);
    await until("processing to continue", () =>
      read.every(({ values }, i) => values.length > (before[i] ?? 0) + 100),
    );
    await Promise.all(running.map(killed));
    running = await Promise.all(apps.map((app) => processes.start(app)));
  }
  const sent = await stopPublishing();
  const want = Object.fromEntries(
    Array.from({ length: 7 }, (_, k) => [`k${k}`, Math.floor((sent - 1 - k) / 7) + 1]),
  );
  for (const { values } of read) {
    const counts = () =>
      Object.fromEntries(
        Object.keys(want).map((key) => [
          key,
          Math.max(...values.flatMap((each) => (each.key === key ? each.x : []))),
        ]),
      );
    await until("all counts", () => JSON.stringify(counts()) === JSON.stringify(want)).catch(() => undefined);
    expect(counts()).toEqual(want);
  }
  const names = read[1]?.values.map(({ key, x }) => `${key} ${x}`) ?? [];
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
}, 1_200_000);

test("connections that break at any step of a transaction, before or after it was carried out", async () => {
  // An accident of this kind can only be ordered from an embedded broker.
  const broker = await startBroker({ port: 0, faults: { seed: 7 } });
  const kafka = { brokers: broker.brokers };
  const from = readingTopic(uniqueName("in"), 3);
  const to = readingTopic(uniqueName("out"), 3);
  const app = createStreamApp({
    name: uniqueName("app"),
    kafka: { ...kafka, clientId: "app" },
    log: keptLog(),
    startFrom: "earliest",
    guarantee: "exactly-once",
    commitEveryMs: 10,
  });
  app.dataframe(from).toTopic(to);
  const run = app.run();
  await until("the app to be ready", () => app.health().ready);
  const publisher = await createPublisher({
    kafka: { ...kafka, clientId: "source" },
    topic: from,
    log: keptLog(),
  });
  let sent = 0;
  const publish = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        publisher.send({ key: `k${sent % 7}`, atMs: Date.now(), x: sent++ }),
      ),
    );
  const written = () =>
    broker.records(to.name).filter(({ transaction }) => transaction === "committed").length;
  await publish(20);
  await until("the first records", () => written() === 20);
  const steps = ["AddPartitionsToTxn", "Produce", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn"];
  for (const api of steps) {
    for (const when of ["before", "after"] as const) {
      const broken = broker.faults.add({ on: { api, clientId: "app" }, do: { kind: "drop", when } });
      await publish(20);
      await until(`${api} to break ${when} it is carried out`, () => broken.fired === 1);
    }
  }
  await until("all records", () => written() >= sent);
  await app.stop();
  await run;
  await publisher.close();
  const values = broker.records(to.name).flatMap(({ transaction, value }) => {
    const decoded = to.decode(value === null ? null : Buffer.from(value));
    return transaction !== "committed" || !decoded.ok ? [] : [decoded.value.x];
  });
  await broker.stop();
  expect(values.toSorted((left, right) => left - right)).toEqual(Array.from({ length: sent }, (_, x) => x));
}, 60_000);
