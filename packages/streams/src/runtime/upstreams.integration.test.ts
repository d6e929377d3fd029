/** Windows behind `groupBy` on a Kafka, where one of the partitions that feed them is processed much later than the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bruteForceTable, type ClosingShape, readTable } from "../../test-support/closing-windows.ts";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { readerOf } from "../../test-support/reader.ts";
import { type Reading, readingTopic, resultTopic } from "../../test-support/readings.ts";
import { agg, createPublisher, createStreamApp, ensureTopics, type Guarantee } from "../index.ts";

let shared: TestKafka;
beforeAll(async () => {
  shared = await kafkaForTests();
});
afterAll(() => shared[Symbol.asyncDispose]());

const START_MS = 1_700_000_000_000;
const shape: ClosingShape = {
  ...{ kind: "hopping", sizeMs: 10_000, everyMs: 10_000, tells: "final", graceMs: 1_000 },
  ...{ idleAfterMs: 2_000, maxFutureMs: 60_000 },
};
/** One a second of event time. */
const readings: readonly Reading[] = Array.from({ length: 400 }, (_, i) => ({
  ...{ key: `k${i % 8}`, atMs: START_MS + i * 1_000, x: i },
}));
/** All of them meet under one key. */
const want = bruteForceTable(
  readings.map((each) => ({ ...each, key: "all" })),
  shape,
);

test.each<Guarantee>(["at-least-once", "exactly-once"])(
  "no record is late for that (%s)",
  async (guarantee) => {
    const from = readingTopic(uniqueName("in"), 2);
    const to = resultTopic(uniqueName("out"), 1);
    await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
    const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
    await Promise.all(readings.map((reading) => publisher.send(reading)));
    await publisher.close();

    const log = keptLog();
    const name = uniqueName("app");
    const app = createStreamApp({ name, kafka: shared.kafka, log, startFrom: "earliest", guarantee });
    app
      .dataframe(from)
      .apply(async (reading, { partition }) => {
        if (partition === 1) await sleep(5);
        return reading;
      })
      .groupBy(() => "all", { name: "all" })
      .tumblingWindow("10s", { grace: "1s" })
      .aggregate({ count: agg.count(), sum: agg.sum(({ x }) => x) })
      .final()
      .toTopic(to);
    await using reader = await readerOf(shared.kafka, to);
    const told = reader.values;
    const running = app.run();
    running.catch(() => undefined);
    await until("all windows", () => told.length >= Object.keys(want).length, 90_000).catch(() => undefined);
    await app.stop();
    await running;
    expect(log.lines.filter(({ message }) => message.includes("dead-letter topic"))).toEqual([]);
    expect(readTable(told)).toEqual(want);
  },
  180_000,
);
