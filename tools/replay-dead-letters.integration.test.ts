/** Dead letters that go back to their topic, by the command as people type it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type DeadLetterCode, deadLetterHeaders } from "@kelvin/streams";
import { brokersFromEnvironment, createTopics, followTopic, uniqueName } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";

const brokers = brokersFromEnvironment() ?? [];
const kafka = new Kafka({ brokers, clientId: "replay-test", logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const program = fileURLToPath(new URL("replay-dead-letters.ts", import.meta.url));
const env = { PATH: process.env["PATH"], KAFKA_BROKERS: brokers.join(",") };
const NOW_MS = Date.now();

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

function replay(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...args], {
    env,
    encoding: "utf8",
  });
  /** Without the heading, as words. */
  const rows = stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ {2,}/));
  return { stdout, stderr, status, rows };
}

async function topicWithDlq(): Promise<string> {
  const topic = uniqueName("replay");
  await createTopics(admin, [
    { topic, numPartitions: 2 },
    { topic: `${topic}.dlq`, numPartitions: 2 },
  ]);
  return topic;
}

async function putAside(
  topic: string,
  letters: readonly { code: DeadLetterCode; pipeline: string; value: string; cut?: boolean }[],
) {
  const producer = kafka.producer();
  await producer.connect();
  const messages = letters.map(({ code, pipeline, value, cut }, i) => ({
    partition: 0,
    key: `key of ${value}`,
    value,
    timestamp: String(NOW_MS + i),
    headers: {
      origin: "a test",
      [deadLetterHeaders.pipeline]: pipeline,
      [deadLetterHeaders.topic]: topic,
      [deadLetterHeaders.partition]: "1",
      [deadLetterHeaders.offset]: String(i),
      [deadLetterHeaders.timestamp]: String(NOW_MS + i),
      [deadLetterHeaders.code]: code,
      [deadLetterHeaders.reason]: "a reason",
      [deadLetterHeaders.step]: "a step",
      ...(cut === true && { [deadLetterHeaders.cutFrom]: "1000000" }),
    },
  }));
  await producer.send({ topic: `${topic}.dlq`, messages });
  await producer.disconnect();
}

async function valuesOf(topic: string) {
  await using log = await followTopic(brokers, topic);
  return (await log.toEnd()).map(({ value }) => value);
}

test("records go back as they were, each once, however often and with whatever filter it is called", async () => {
  const topic = await topicWithDlq();
  await putAside(topic, [
    { code: "failed", pipeline: "a", value: "1" },
    { code: "undecodable", pipeline: "a", value: "2" },
    { code: "failed", pipeline: "b", value: "3" },
    { code: "late", pipeline: "a", value: "4" },
    { code: "result-failed", pipeline: "a", value: "5" },
    { code: "failed", pipeline: "a", value: "6", cut: true },
  ]);
  const dry = replay(topic, "--dry-run");
  expect([dry.status, dry.rows]).toEqual([
    0,
    [
      ["a", "failed", "can't be sent", "1"],
      ["a", "failed", "to send", "1"],
      ["a", "late", "not selected", "1"],
      ["a", "result-failed", "can't be sent", "1"],
      ["a", "undecodable", "to send", "1"],
      ["b", "failed", "to send", "1"],
    ],
  ]);
  expect(await valuesOf(topic)).toEqual([]);

  expect(replay(topic, "--pipeline", "a", "--code", "undecodable").rows).toContainEqual([
    "a",
    "undecodable",
    "sent",
    "1",
  ]);
  expect(await valuesOf(topic)).toEqual(["2"]);
  const rest = replay(topic);
  expect(rest.rows).toContainEqual(["a", "undecodable", "already sent", "1"]);
  expect(rest.rows).toContainEqual(["b", "failed", "sent", "1"]);
  await putAside(topic, [{ code: "failed", pipeline: "a", value: "7" }]);
  expect(replay(topic).rows).toContainEqual(["a", "failed", "sent", "1"]);
  expect(replay(topic, "--code", "late").status).toBe(0);
  expect(await valuesOf(topic)).toEqual(["2", "1", "3", "7", "4"]);

  await using log = await followTopic(brokers, topic);
  const [second] = await log.toEnd();
  expect(second).toMatchObject({
    partition: 1,
    key: "key of 2",
    timestampMs: NOW_MS + 1,
    headers: { origin: "a test" },
  });
  expect(Object.keys(second?.headers ?? {})).toEqual(["origin"]);
});

test("a limit is a beginning, and the next run continues after it", async () => {
  const topic = await topicWithDlq();
  await putAside(
    topic,
    ["1", "2", "3"].map((value) => ({ code: "failed", pipeline: "a", value })),
  );
  expect(replay(topic, "--limit", "2").rows).toEqual([
    ["a", "failed", "beyond the limit", "1"],
    ["a", "failed", "sent", "2"],
  ]);
  expect(replay(topic, "--limit", "2").rows).toContainEqual(["a", "failed", "sent", "1"]);
  expect(await valuesOf(topic)).toEqual(["1", "2", "3"]);
});

test("called wrong it prints its help, and exits with 2; without dead letters it reports that", async () => {
  for (const args of [[], ["a", "--code", "wrong"], ["a", "--limit", "0"], ["a", "--nonsense"]]) {
    const { status, stderr } = replay(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining("npm run replay-dead-letters")]);
  }
  const unknown = replay(uniqueName("nobody"));
  expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining("There is no topic")]);
  const topic = await topicWithDlq();
  expect(replay(topic).stdout).toBe(`There are no dead letters of "${topic}".\n`);
});
