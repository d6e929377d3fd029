/** That the state of windows comes from their changelogs: the records that it was made of are gone. */
import kafkajs, { type Admin } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bruteForceTable, type ClosingShape, readTable } from "../../test-support/closing-windows.ts";
import { kafkaForTests, keptLog, type TestKafka, uniqueName, until } from "../../test-support/kafka.ts";
import { killed, type PipelineProcess, Processes } from "../../test-support/processes.ts";
import { readerOf } from "../../test-support/reader.ts";
import {
  bruteForce,
  type Reading,
  readingTopic,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import { createPublisher, ensureTopics } from "../index.ts";

let shared: TestKafka;
let admin: Admin;
let processes: Processes;
beforeAll(async () => {
  shared = await kafkaForTests();
  const { Kafka, logLevel } = kafkajs;
  admin = new Kafka({ brokers: [...shared.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  processes = new Processes(shared.kafka.brokers);
});
afterAll(async () => {
  processes[Symbol.dispose]();
  await admin.disconnect();
  await shared[Symbol.asyncDispose]();
});

const START_MS = 1_700_000_000_000;
const times = { idleAfterMs: 0, maxFutureMs: 0 };
const trailing = { sizeMs: 5_000, everyMs: 1_000, allowedLatenessMs: 0, ...times };
const sessions: ClosingShape = { kind: "session", gapMs: 400, tells: "current", graceMs: 0, ...times };

/** Ten a second of event time, of 3 keys, a little out of order. */
const readings: readonly Reading[] = Array.from({ length: 300 }, (_, i) => ({
  key: `k${(i * 7) % 3}`,
  atMs: START_MS + i * 100 + ((i * 7_919) % 5) * 90,
  x: (i * 31) % 17,
}));

function expected(kind: PipelineProcess["kind"]): unknown {
  if (kind === "session") return bruteForceTable(readings, sessions);
  return bruteForce(readings, trailing, START_MS + 60_000);
}

/** How far the group has noted its work on each partition. */
async function committedOf(groupId: string, topic: string): Promise<{ partition: number; offset: string }[]> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return (found?.partitions ?? []).map(({ partition, offset }) => ({ partition, offset }));
}

async function deleteWorkedOn(groupId: string, topic: string): Promise<number> {
  const partitions = (await committedOf(groupId, topic)).filter(({ offset }) => Number(offset) > 0);
  // kafkajs needs to have heard of the topic.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions });
  return partitions.reduce((sum, { offset }) => sum + Number(offset), 0);
}

const cases = (["trailing", "session"] as const).flatMap((kind) =>
  (["at-least-once", "exactly-once"] as const).map((guarantee) => ({ kind, guarantee })),
);

test.each(cases)(
  "killed in mid-window, with all processed records deleted from the source: the table equals brute force ($kind, $guarantee)",
  async ({ kind, guarantee }) => {
    const from = readingTopic(uniqueName("in"), 2);
    const to = resultTopic(uniqueName("out"), 2);
    await ensureTopics({ kafka: shared.kafka, topics: [from, to], log: keptLog() });
    const app = { name: uniqueName("app"), from: from.name, to: to.name, kind, guarantee };
    await using reader = await readerOf(shared.kafka, to);
    const told = reader.values;
    const publisher = await createPublisher({ kafka: shared.kafka, topic: from, log: keptLog() });
    let deleted = 0;
    for (const part of [0, 1, 2]) {
      const child = await processes.start(app);
      const before = told.length;
      for (const reading of readings.slice(part * 100, (part + 1) * 100)) await publisher.send(reading);
      if (part === 2) break;
      await until("results of this life", () => told.length > before);
      await until("more of them to be noted", async () => {
        const offsets = (await committedOf(app.name, from.name)).map(({ offset }) => Number(offset));
        return offsets.reduce((sum, offset) => sum + offset, 0) > deleted + 20;
      });
      await killed(child);
      deleted = await deleteWorkedOn(app.name, from.name);
    }
    await publisher.close();
    const table = () => (kind === "session" ? readTable(told) : valuesOf(told));
    const want = expected(kind);
    const isSame = () => JSON.stringify(table()) === JSON.stringify(want);
    await until("the same table", isSame, 60_000).catch(() => undefined);
    expect(deleted).toBeGreaterThan(20);
    expect(table()).toEqual(want);
  },
  180_000,
);
