/** Brokers that go away and come back, empty: only an embedded broker can be treated so. */
import { startBroker } from "@kelvin/embedded-kafka";
import { expect, test } from "vitest";
import { keptLog, uniqueName, until } from "../../test-support/kafka.ts";
import { type Reading, readingTopic } from "../../test-support/readings.ts";
import {
  agg,
  createPublisher,
  createStreamApp,
  createSubscriber,
  type Metrics,
  type SubscriberStatus,
} from "../index.ts";

const reading = (x: number): Reading => ({ key: "a", atMs: 1_000 + x, x });

test("a broker that is lost and comes back empty: everything continues, and reports it", async () => {
  let broker = await startBroker({ port: 0 });
  const { port, brokers } = broker;
  const kafka = { brokers };
  const from = readingTopic(uniqueName("in"));
  const to = readingTopic(uniqueName("out"));
  const log = keptLog();
  const app = createStreamApp({ name: uniqueName("app"), kafka, log });
  app.dataframe(from).toTopic(to);
  const run = app.run();
  await until("the app to be ready", () => app.health().ready);
  const values: number[] = [];
  const statuses: SubscriberStatus[] = [];
  const subscriber = await createSubscriber<Reading>({
    kafka,
    topics: [to],
    groupId: uniqueName("reader"),
    from: { millisecondsAgo: 100_000 },
    log,
    onRecord: ({ value }) => void values.push(value.x),
    onInvalid: () => undefined,
    onStatus: (status) => void statuses.push(status),
  });
  await subscriber.caughtUp;
  const publisher = await createPublisher({ kafka, topic: from, log });
  await publisher.send(reading(1));
  await until("the first record", () => values.includes(1));

  const lostMs = Date.now();
  await broker.stop();
  const delivered: number[] = [];
  const sending = [2, 3, 4].map((x) => publisher.send(reading(x)).then(() => delivered.push(x)));
  await until("all to notice", () =>
    [app.health(), subscriber.health(), publisher.health()].every(({ ready }) => !ready),
  );
  for (const health of [app.health(), subscriber.health(), publisher.health()]) {
    expect(health).toMatchObject({
      live: true,
      why: expect.stringContaining("Kafka has been unreachable since"),
    });
    expect(health.unreachableSinceMs).toBeGreaterThanOrEqual(lostMs);
  }
  expect(delivered).toEqual([]);

  broker = await startBroker({ port });
  await Promise.all(sending);
  await until("what was kept during the outage", () => [2, 3, 4].every((x) => values.includes(x)), 60_000);
  expect(delivered).toEqual([2, 3, 4]);
  await publisher.send(reading(5));
  await until("what came after it", () => values.includes(5));
  await until("all to be well", () =>
    [app.health(), subscriber.health(), publisher.health()].every(({ ready }) => ready),
  );
  expect(values.filter((x, i) => values.indexOf(x) === i)).toEqual([1, 2, 3, 4, 5]);
  expect(statuses.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["unreachable", "reachable"]));
  // Each client logs it once, not a hundred times.
  const warnings = log.lines
    .filter(({ level }) => level === "warn" || level === "error")
    .map(({ message }) => message);
  expect(warnings.filter((message) => message.includes("unreachable"))).toHaveLength(2);
  expect(warnings.length).toBeLessThan(12);

  await subscriber.close();
  await publisher.close();
  await app.stop();
  await run;
  await broker.stop();
}, 150_000);

test("everything can be stopped while the broker is away", async () => {
  const broker = await startBroker({ port: 0 });
  const kafka = { brokers: broker.brokers };
  const topic = readingTopic(uniqueName("in"));
  const app = createStreamApp({ name: uniqueName("app"), kafka, log: keptLog() });
  app.dataframe(topic).toTopic(readingTopic(uniqueName("out")));
  const run = app.run();
  const publisher = await createPublisher({ kafka, topic, log: keptLog() });
  const subscriber = await createSubscriber<Reading>({
    kafka,
    topics: [topic],
    groupId: uniqueName("reader"),
    from: "latest",
    log: keptLog(),
    onRecord: () => undefined,
    onInvalid: () => undefined,
  });
  await until("the app to be ready", () => app.health().ready && subscriber.health().ready);
  await broker.stop();
  const refused = expect(publisher.send(reading(1))).rejects.toMatchObject({
    code: "STREAMS_DELIVERY",
    retriable: true,
  });
  const startedMs = performance.now();
  await Promise.all([app.stop(), publisher.close(500), subscriber.close()]);
  await run;
  await refused;
  expect(performance.now() - startedMs).toBeLessThan(15_000);
}, 60_000);

test("a publisher keeps a bounded amount during an outage, and tells when it is full", async () => {
  const broker = await startBroker({ port: 0 });
  const topic = readingTopic(uniqueName("in"));
  const log = keptLog();
  const publisher = await createPublisher({
    kafka: { brokers: broker.brokers },
    topic,
    log,
    bufferBytesMax: 2_000,
  });
  await broker.stop();
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, x) => {
      const sent = publisher.send(reading(x)).then(
        () => "sent",
        (error: unknown) => (error instanceof Error && "code" in error ? error.code : "?"),
      );
      return Promise.race([
        sent,
        Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => "waiting"),
      ]);
    }),
  );
  expect(outcomes.filter((outcome) => outcome === "waiting").length).toBeLessThan(40);
  expect(outcomes.at(-1)).toBe("STREAMS_OVERFLOW");
  await publisher.close(100);
}, 30_000);

test("a broker that hangs: event time stands still, health reports it, and a stop comes in time", async () => {
  const broker = await startBroker({ port: 0 });
  const kafka = { brokers: broker.brokers };
  const topic = readingTopic(uniqueName("in"), 1);
  const clocksMs: number[] = [];
  const metrics: Metrics = {
    count: () => undefined,
    gauge: (name, _help, value) => {
      if (name === "kelvin_event_time_clock_seconds") clocksMs.push(value * 1_000);
    },
    forget: () => undefined,
  };
  const app = createStreamApp({ name: uniqueName("app"), kafka, log: keptLog(), metrics });
  app
    .dataframe(topic)
    .trailingWindow("1s", { every: "1s", idleAfter: "100ms" })
    .aggregate({ count: agg.count() })
    .print();
  const run = app.run();
  await until("the app to be ready", () => app.health().ready);
  const publisher = await createPublisher({ kafka, topic, log: keptLog() });
  const atMs = Date.now();
  await publisher.send({ key: "a", atMs, x: 1 });
  await publisher.close();
  await until("event time to go on alone", () => (clocksMs.at(-1) ?? 0) > atMs + 1_000);

  broker.faults.add({ times: "always", do: { kind: "stall" } });
  broker.faults.add({ do: { kind: "pause-acceptance" } });
  await until("the app to notice", () => app.health().unreachableSinceMs !== undefined);
  expect(app.health()).toMatchObject({ ready: false, live: true });
  const before = clocksMs.length;
  await until("some more measurements", () => clocksMs.length >= before + 4);
  expect(new Set(clocksMs.slice(before - 1)).size).toBe(1);

  const startedMs = performance.now();
  await app.stop();
  await run;
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  broker.faults.clear();
  await broker.stop();
}, 90_000);
