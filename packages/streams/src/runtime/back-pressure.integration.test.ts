/** A partition that stands still, beside others: on the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { brokersFromEnvironment, createTopics, uniqueName } from "@kelvin/test-kit";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { keptLog, until } from "../../test-support/kafka.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { createStreamApp, type Metrics } from "../index.ts";

const kafka = { brokers: brokersFromEnvironment() ?? [] };
const SESSION_MS = 6_000;
/** 6 MB, of which a queue holds one. */
const LARGE = { count: 600, bytes: 10_000 };

/** How much waited at most, by partition, and how often partitions were handed out. */
function observer() {
  const queuedMax = new Map<unknown, number>();
  let rebalances = 0;
  const metrics: Metrics = {
    count: (name, _help, _labels, by = 1) => {
      if (name === "kelvin_rebalances_total") rebalances += by;
    },
    gauge: (name, _help, value, labels = {}) => {
      const partition = labels["partition"];
      if (name === "kelvin_queued_bytes")
        queuedMax.set(partition, Math.max(value, queuedMax.get(partition) ?? 0));
    },
    forget: () => undefined,
  };
  return {
    metrics,
    queuedMax: (partition: number) => queuedMax.get(partition) ?? 0,
    rebalances: () => rebalances,
  };
}

test("a partition that stands still waits in bounded memory, stops no other, and costs no place in the group", async () => {
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const from = readingTopic(uniqueName("in"), 2);
  await createTopics(admin, [{ topic: from.name, numPartitions: 2 }]);
  const atMs = Date.now();
  const send = (partition: number, key: string, xs: readonly number[], pad = "") => {
    const messages = xs.map((x) => ({ partition, key, value: JSON.stringify({ key, atMs, x, pad }) }));
    return producer.send({ topic: from.name, messages });
  };
  for (let x = 0; x < LARGE.count; x += 50) {
    const xs = Array.from({ length: 50 }, (_, i) => x + i);
    await send(0, "slow", xs, "x".repeat(LARGE.bytes));
  }

  const seen = observer();
  const gate = Promise.withResolvers<void>();
  const done = { slow: [] as number[], quick: [] as number[] };
  const app = createStreamApp({
    name: uniqueName("app"),
    kafka,
    log: keptLog(),
    metrics: seen.metrics,
    startFrom: "earliest",
    sessionTimeoutMs: SESSION_MS,
  });
  app.dataframe(from).update(async ({ key, x }) => {
    if (key === "slow") await gate.promise;
    (key === "slow" ? done.slow : done.quick).push(x);
  });
  const run = app.run();
  await until("the queue to be full", () => seen.queuedMax(0) > 1024 * 1024);

  const startedMs = performance.now();
  let sent = 0;
  while (performance.now() - startedMs < SESSION_MS + 1_500) {
    await send(1, "quick", [sent++]);
    await until("the other partition's record", () => done.quick.length === sent);
  }
  expect(done.slow).toEqual([]);
  expect(app.health()).toMatchObject({ ready: true, live: true });
  expect(seen.queuedMax(0)).toBeLessThan(2 * 1024 * 1024);

  gate.resolve();
  await until("all of the slow partition", () => done.slow.length >= LARGE.count);
  expect(done.slow).toEqual(Array.from({ length: LARGE.count }, (_, x) => x));
  expect(seen.rebalances()).toBe(1);
  await app.stop();
  await run;
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}, 120_000);
