/** One session after another, on a Kafka: the embedded broker, or the cluster that KAFKA_BROKERS names. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { ensureTopics } from "../index.ts";
import { createKafka } from "./kafka-client.ts";
import { machineClock } from "./machine-clock.ts";
import { SessionSupervisor } from "./session-supervisor.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** Time that passes four times as fast as the machine's. */
const fast = {
  now: machineClock.now,
  monotonic: () => machineClock.monotonic() * 4,
  setTimeout: (run: () => void, delayMs: number) => machineClock.setTimeout(run, delayMs / 4),
};

test("a consumer that keeps failing is logged once and shows in health, and its recovery is logged once", async () => {
  const topic = readingTopic(uniqueName("in"), 1);
  const log = keptLog();
  await ensureTopics({ kafka: shared.kafka, topics: [topic], log });
  let isBroken = true;
  let tries = 0;
  const sessions = new SessionSupervisor({
    client: createKafka({ kafka: shared.kafka, log }),
    brokers: shared.kafka.brokers,
    purpose: "to let the test read",
    groupId: uniqueName("group"),
    topics: [topic.name],
    log,
    clock: fast,
    sessionTimeoutMs: 6_000,
    prepare: async () => {
      tries++;
      if (isBroken) throw new RangeError("the disk is full");
    },
    onAssigned: async (_session, partitions) => partitions.map((each) => ({ ...each, offset: 0 })),
    onBatch: () => true,
  });
  const run = sessions.run();
  await until("some failures", () => tries > 5);
  expect(sessions.trouble).toMatchObject({ live: true, why: expect.stringContaining("the disk is full") });
  await until("too many failures", () => sessions.trouble?.live === false);
  isBroken = false;
  await until("the consumer to work", () => sessions.trouble === undefined);
  await until("the recovery", () => log.has("the consumer works again"));
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ["info", "topic created"],
    ["warn", "the consumer ended; restarting it until it succeeds"],
    ["info", "the consumer works again"],
  ]);
  sessions.stop();
  await sessions.session?.stop(3_000);
  await run;
});
