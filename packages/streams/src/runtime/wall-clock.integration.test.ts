/** P10 of a running app: the machine's clock steps, on the embedded broker or the cluster that KAFKA_BROKERS names. */
import { brokersFromEnvironment, uniqueName } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { keptLog, until } from "../../test-support/kafka.ts";
import { readerOf } from "../../test-support/reader.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createPublisher, createStreamApp } from "../index.ts";
import { machineClock } from "../io/machine-clock.ts";

const kafka = { brokers: brokersFromEnvironment() ?? [] };
const HOUR_MS = 3_600_000;

test("P10: a wall clock that steps an hour forward, and two back, neither closes a window nor keeps one open", async () => {
  const from = readingTopic(uniqueName("in"), 1);
  const to = resultTopic(uniqueName("out"), 1);
  let stepMs = 0;
  const clock = { ...machineClock, now: () => machineClock.now() + stepMs };
  const log = keptLog();
  const app = createStreamApp({ name: uniqueName("app"), kafka, log, clock, startFrom: "earliest" });
  const seen: number[] = [];
  app
    .dataframe(from)
    .update(({ x }) => void seen.push(x))
    .trailingWindow("1s", { every: "1s", idleAfter: "300ms", allowedLateness: "0s", maxFuture: "1000h" })
    .aggregate({ count: agg.count(), sum: agg.sum<Reading>(({ x }) => x) })
    .toTopic(to);
  const run = app.run();
  await until("the app", () => app.health().ready);
  await using out = await readerOf(kafka, to);
  const publisher = await createPublisher({ kafka, topic: from, log });
  const startMs = 1_700_000_000_000;
  const told = () => out.values.map(({ endMs, value }) => [endMs - startMs, value?.count]);

  await publisher.send({ key: "a", atMs: startMs, x: 1 });
  await until("the first reading", () => seen.length === 1);
  stepMs = HOUR_MS;
  await until("its windows", () => told().length === 2);
  // Were the hour event time, this one would be late.
  await publisher.send({ key: "a", atMs: startMs + 60_000, x: 2 });
  await until("the second reading", () => seen.length === 2);
  stepMs = -HOUR_MS;
  await until("its windows", () => told().length === 4);
  expect(told()).toEqual([
    [1_000, 1],
    [2_000, 0],
    [61_000, 1],
    [62_000, 0],
  ]);
  await publisher.close();
  await app.stop();
  await run;
}, 60_000);
