/** What people type to look into Kafka, as they type it. */
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createLog } from "@kelvin/service-kit";
import { createSubscriber, type TopicLike } from "@kelvin/streams";
import { brokersFromEnvironment, createTopics, followTopic, uniqueName, waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const brokers = brokersFromEnvironment() ?? [];
const kafka = new Kafka({ brokers, clientId: "commands-test", logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const program = (name: string) => fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
const env = { PATH: process.env["PATH"], KAFKA_BROKERS: brokers.join(",") };

function run(name: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [program(name), ...args], { env, encoding: "utf8", timeout: 30_000 });
}

/** Of now: older records than the topic's retention are Kafka's to delete at any time. */
const START_MS = Date.now();

/** A topic with five records of two keys in two partitions. */
async function topicWithRecords(): Promise<string> {
  const topic = uniqueName("people");
  const configEntries = [{ name: "retention.ms", value: "5400000" }];
  await createTopics(admin, [{ topic, numPartitions: 2, configEntries }]);
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: 5 }, (_, index) => ({
    key: `key-${index % 2}`,
    value: `value ${index}`,
    timestamp: String(START_MS + index),
    headers: { origin: "a test" },
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
  return topic;
}

function textTopic(name: string): TopicLike<string> {
  return {
    name,
    decode: (bytes) => ({ ok: true, value: Buffer.from(bytes ?? []).toString() }),
    encode: (text) => Buffer.from(text),
    key: (text) => text,
    eventTimeMs: (_, recordTimestampMs) => recordTimestampMs,
    partitions: 2,
    configEntries: {},
  };
}

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

test("topics lists each topic with its partitions, records and retention", async () => {
  const topic = await topicWithRecords();
  const { stdout, status } = run("topics");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^TOPIC +PARTITIONS +RECORDS +RETENTION$/m);
  expect(stdout).toMatch(new RegExp(`^${topic} +2 +5 +90 min$`, "m"));
});

describe("watch", () => {
  test("shows time, key and value from the first record on", async () => {
    const topic = await topicWithRecords();
    const { stdout, status } = run("watch", topic, "--count", "5");
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.toSorted()).toEqual(
      [0, 1, 2, 3, 4].map(
        (index) => `${new Date(START_MS + index).toISOString()}  key-${index % 2}  value ${index}`,
      ),
    );
  });

  test("runs until Ctrl-C, and leaves no group behind", async () => {
    const topic = await topicWithRecords();
    const child = spawn(process.execPath, [program("watch"), topic, "--headers"], { env });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await waitFor("five lines", () => output.split("\n").length > 5);
    expect(output).toContain("value 4  origin=a test");
    child.kill("SIGINT");
    expect((await once(child, "close"))[0]).toBe(0);
    const { groups } = await admin.listGroups();
    const { groups: described } = await admin.describeGroups(
      groups.map(({ groupId }) => groupId).filter((id) => id.startsWith("kelvin-watch-")),
    );
    expect(described.filter(({ members }) => members.length === 0)).toEqual([]);
  });

  test("ends in order when nobody reads its lines any more", async () => {
    const topic = await topicWithRecords();
    const child = spawn(process.execPath, [program("watch"), topic], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.destroy();
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("makes visible what would steer the terminal", async () => {
    const topic = await topicWithRecords();
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ key: "\u001b[2J", value: "a\nb\u0007" }] });
    await producer.disconnect();
    const { stdout } = run("watch", topic, "--count", "6");
    expect(stdout).toContain("\\x1b[2J  a\\x0ab\\x07");
    expect(stdout).not.toContain("\u001b");
  });
});

test("groups tells how far each group has read, and its lag", async () => {
  const topic = await topicWithRecords();
  const groupId = uniqueName("people-group");
  const ends = await admin.fetchTopicOffsets(topic);
  const [first] = ends.filter(({ high }) => high === "3");
  expect(first).toBeDefined();
  const partitions = [{ partition: first?.partition ?? 0, offset: "1" }];
  await admin.setOffsets({ groupId, topic, partitions });
  const { stdout, status } = run("groups");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^GROUP +STATE +MEMBERS +TOPIC +READ UP TO +END +LAG$/m);
  expect(stdout).toMatch(new RegExp(`^${groupId} +Empty +0 +${topic} +1 +5 +4$`, "m"));
});

test("groups does not call it lag where a group only marks where it began", async () => {
  const topic = await topicWithRecords();
  const groupId = uniqueName("people-marks");
  const subscriber = await createSubscriber({
    kafka: { brokers },
    topics: [textTopic(topic)],
    groupId,
    from: "earliest",
    log: createLog({ name: "t", level: "silent", format: "json" }),
    onRecord: () => {},
    onInvalid: () => {},
  });
  await subscriber.caughtUp;
  const { stdout, status } = run("groups");
  await subscriber.close();
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`^${groupId} +Stable +1 +${topic} +- +5 +-$`, "m"));
  expect(stdout).toContain("-  This group's members keep their position in memory");
});

describe("send", () => {
  test("puts a record with key and headers into a topic", async () => {
    const topic = uniqueName("people-send");
    await createTopics(admin, [{ topic, numPartitions: 1 }]);
    const { stdout, status } = run("send", topic, "not JSON", "--key", "machine-01", "--header", "a=b=c");
    expect([status, stdout]).toEqual([0, `1 record is in "${topic}".\n`]);
    await using log = await followTopic(brokers, topic);
    expect(await log.toEnd()).toMatchObject([
      { key: "machine-01", value: "not JSON", headers: { a: "b=c" } },
    ]);
  });

  test("takes a record from each line of its input, and one without a value by name", async () => {
    const topic = uniqueName("people-send");
    await createTopics(admin, [{ topic, numPartitions: 1 }]);
    const input = Array.from({ length: 20_000 }, (_, index) => `line ${index} äöü`).join("\r\n");
    const { stdout } = spawnSync(process.execPath, [program("send"), topic], {
      env,
      encoding: "utf8",
      input,
    });
    expect(stdout).toBe(`20000 records are in "${topic}".\n`);
    expect(run("send", topic, "--empty").stdout).toBe(`1 record is in "${topic}".\n`);
    await using log = await followTopic(brokers, topic);
    const values = (await log.toEnd()).map(({ value }) => value);
    expect(values).toEqual([...input.split("\r\n"), null]);
  });
});

test("delete takes a topic away, and says when there is none of that name", async () => {
  const topic = await topicWithRecords();
  const { stdout, status } = run("delete", topic);
  expect([status, stdout]).toEqual([0, `Topic "${topic}" is deleted, with 5 records.\n`]);
  await waitFor("it to be gone", async () => !(await admin.listTopics()).includes(topic));
  const again = run("delete", topic);
  expect([again.status, again.stdout]).toEqual([1, ""]);
  expect(again.stderr).toContain(`There is no topic "${topic}". Topics: `);
});

describe("called wrong", () => {
  test.each([
    ["watch", []],
    ["watch", ["a", "b"]],
    ["watch", ["a", "--count", "none"]],
    ["delete", []],
    ["topics", ["--nonsense"]],
    ["groups", ["a"]],
    ["send", []],
    ["send", ["a", "b", "c"]],
    ["send", ["a", "b", "--empty"]],
    ["send", ["a", "b", "--header", "c"]],
  ])("%s %j gives its help, and 2", (name, args) => {
    const { stderr, status } = run(name, ...args);
    expect(status).toBe(2);
    expect(stderr).toContain(`npm run ${name}`);
  });

  test("missing and unexpected arguments are named", () => {
    expect(run("watch").stderr).toMatch(/^<topic> is missing\.\n/);
    expect(run("watch", "a", "b").stderr).toMatch(/^Unexpected argument "b": expected <topic>\.\n/);
    expect(run("groups", "alert").stderr).toMatch(
      /^Unexpected argument "alert": only options are allowed\.\n/,
    );
  });

  test("with no Kafka there gives one clear line, and 1", () => {
    const nobody = { ...env, KAFKA_BROKERS: "127.0.0.1:1" };
    const { stderr, status } = spawnSync(process.execPath, [program("topics")], {
      env: nobody,
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^No Kafka answers at 127\.0\.0\.1:1 .*KAFKA_BROKERS/),
    ]);
  });

  test("with a setting that can't be says which, and 2", () => {
    const wrong = { ...env, KAFKA_BROKERS: "here" };
    const { stderr, status } = spawnSync(process.execPath, [program("topics")], {
      env: wrong,
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining("KAFKA_BROKERS=here")]);
  });
});
