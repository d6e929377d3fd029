/** Windows behind `groupBy` on a Kafka, by processes that are killed. Against brute force alone: group-by.properties.test.ts. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { brokersFromEnvironment, followTopic, uniqueName, waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, expect, test } from "vitest";
import { keptLog } from "../../test-support/kafka.ts";
import {
  bruteForce,
  type Reading,
  readingTopic,
  resultTopic,
  valuesOf,
} from "../../test-support/readings.ts";
import { createPublisher, deadLetterTopicName, ensureTopics } from "../index.ts";
import { machineClock } from "../io/machine-clock.ts";
import type { SourceNode } from "../topology/nodes.ts";
import { Purge } from "./purge.ts";

const brokers = brokersFromEnvironment() ?? [];
const kafka = { brokers };
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

async function start(name: string, from: string, to: string, guarantee: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("../../test-support/windowed-app.ts", import.meta.url));
  const child = fork(script, [brokers.join(","), name, from, to, "grouped", guarantee], { execArgv: [] });
  started.push(child);
  await once(child, "message");
  return child;
}

test.each(["at-least-once", "exactly-once"])(
  "two processes, one of them killed, %s: every record counts once under its new key",
  async (guarantee) => {
    const name = uniqueName("grouped");
    const from = readingTopic(`${name}-in`);
    const to = resultTopic(`${name}-out`);
    const log = keptLog();
    await ensureTopics({ kafka, topics: [from, to], log });
    const startMs = 1_700_000_000_000;
    const keys = ["1a", "1b", "1c", "2a", "2b", "2c"];
    const readings: Reading[] = Array.from({ length: 600 }, (_, i) => ({
      key: keys[(i * 7) % keys.length] ?? "",
      atMs: startMs + i * 50 + ((i * 7_919) % 5) * 90,
      x: (i * 31) % 17,
    }));
    const [first, second] = await Promise.all([
      start(name, from.name, to.name, guarantee),
      start(name, from.name, to.name, guarantee),
    ]);
    const publisher = await createPublisher({ kafka, topic: from, log });
    const publish = async (list: readonly Reading[]) => {
      await Promise.all(list.map((reading) => publisher.send(reading)));
    };
    await publish(readings.slice(0, 250));
    await using told = await followTopic(brokers, to.name);
    await waitFor("results", () => told.records.length > 0);
    first?.kill("SIGKILL");
    await publish(readings.slice(250, 400));
    await start(name, from.name, to.name, guarantee);
    await publish(readings.slice(400));
    // A last record for each floor makes all that was due.
    const endMs = startMs + 60_000;
    await publish(keys.map((key) => ({ key, atMs: endMs, x: 0 })));

    const grouped = readings.map((reading) => ({ ...reading, key: reading.key.charAt(0) }));
    const shape = { sizeMs: 5_000, everyMs: 1_000, idleAfterMs: 0, allowedLatenessMs: 0, maxFutureMs: 0 };
    const expected = bruteForce(grouped, shape, endMs - 5_000);
    const table = () =>
      valuesOf(
        told.records.flatMap(({ value }) => {
          const decoded = to.decode(Buffer.from(value ?? ""));
          return decoded.ok && decoded.value.endMs <= endMs - 5_000 ? [decoded.value] : [];
        }),
      );
    await waitFor("the table", () => JSON.stringify(table()) === JSON.stringify(expected), {
      timeoutMs: 40_000,
    }).catch(() => undefined);
    expect(table()).toEqual(expected);

    const repartition = `${name}-initial-repartition`;
    await using carried = await followTopic(brokers, repartition);
    // Beside them upstream partitions say how far they are.
    const records = (await carried.toEnd()).filter(({ headers }) => !("kelvin-progress" in headers));
    const partitionsOf = (key: string) =>
      new Set(records.filter((each) => each.key === key).map((each) => each.partition));
    expect([...new Set(records.map(({ key }) => key))].toSorted()).toEqual(["1", "2"]);
    expect([partitionsOf("1").size, partitionsOf("2").size]).toEqual([1, 1]);
    const [sample] = records.filter(({ headers }) => headers["kelvin-origin"] === `${from.name}/0/0/0`);
    expect(readings.map(({ atMs }) => atMs)).toContain(sample?.timestampMs);
    await using letters = await followTopic(brokers, deadLetterTopicName(repartition));
    expect(await letters.toEnd()).toEqual([]);
    await publisher.close();
    second?.kill("SIGKILL");
  },
);

test("what has been processed is deleted from a repartition topic, and from no other", async () => {
  const name = uniqueName("purge");
  const own = { ...readingTopic(`${name}-repartition`, 1) };
  const other = readingTopic(`${name}-other`, 1);
  const log = keptLog();
  await ensureTopics({ kafka, topics: [own, other], log });
  for (const topic of [own, other]) {
    const publisher = await createPublisher({ kafka, topic, log });
    for (let i = 0; i < 5; i++) await publisher.send({ key: "a", atMs: Date.now(), x: i });
    await publisher.close();
  }
  const client = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const sources: SourceNode[] = [
    { kind: "source", topic: own, repartition: { name: "own", upstream: [other.name] }, next: [] },
    { kind: "source", topic: other, next: [] },
  ];
  const purge = new Purge(client, { clock: machineClock, log }, sources);
  purge.committed([own, other].map((topic) => ({ topic: topic.name, partition: 0, offset: 4 })));
  await purge.run();
  const admin = client.admin();
  await admin.connect();
  const lows = await Promise.all(
    [own, other].map(async (topic) => (await admin.fetchTopicOffsets(topic.name))[0]?.low),
  );
  await admin.disconnect();
  expect(lows).toEqual(["4", "0"]);
});
