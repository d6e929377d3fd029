/** Topics as they should be and as they are. On the embedded broker, or the cluster that KAFKA_BROKERS names. */
import kafkajs, { type Admin } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaForTests, keptLog, type TestKafka, uniqueName } from "../../test-support/kafka.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { ensureTopics, type Metrics, type NewTopics } from "../index.ts";

let shared: TestKafka;
let admin: Admin;
beforeAll(async () => {
  shared = await kafkaForTests();
  const { Kafka, logLevel } = kafkajs;
  admin = new Kafka({ brokers: [...shared.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await shared[Symbol.asyncDispose]();
});

/** Ensures a topic of three partitions, kept for an hour, and gives what was told. */
async function ensured(name: string, newTopics: NewTopics = {}) {
  const log = keptLog();
  const gauges: Record<string, number> = {};
  const metrics: Metrics = {
    count: () => {},
    forget: () => {},
    gauge: (gauge, _help, value, labels = {}) => {
      gauges[`${gauge} ${labels["topic"]} ${labels["property"]}`] = value;
    },
  };
  const topic = { ...readingTopic(name, 3), configEntries: { "retention.ms": "3600000" } };
  await ensureTopics({ kafka: { ...shared.kafka, newTopics }, topics: [topic], log, metrics });
  const warnings = log.lines.filter(({ level }) => level === "warn");
  return { warnings, gauges };
}

async function settingsOf(name: string) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const configNames = ["retention.ms", "cleanup.policy"];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames }],
  });
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  return {
    partitions: topics[0]?.partitions.length,
    ...Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
  };
}

test("a topic that matches the settings only sets the gauge", async () => {
  const name = uniqueName("as-expected");
  await ensured(name);
  const { warnings, gauges } = await ensured(name);
  expect(warnings).toEqual([]);
  expect(gauges).toEqual({
    [`kelvin_topic_mismatch ${name} partitions`]: 0,
    [`kelvin_topic_mismatch ${name} replication`]: 0,
    [`kelvin_topic_mismatch ${name} cleanup.policy`]: 0,
    [`kelvin_topic_mismatch ${name} retention.ms`]: 0,
  });
});

test("a mismatch is logged once, with the actual and expected value and what to do, and is not changed", async () => {
  const name = uniqueName("otherwise");
  const configEntries = [
    { name: "cleanup.policy", value: "compact" },
    { name: "retention.ms", value: "7200000" },
  ];
  await admin.createTopics({
    topics: [{ topic: name, numPartitions: 1, configEntries }],
    waitForLeaders: true,
  });
  const { warnings, gauges } = await ensured(name, { replicationFactor: 2 });
  expect(warnings.map(({ fields }) => fields)).toEqual([
    { topic: name, property: "partitions", is: "1", expected: "3" },
    { topic: name, property: "replication", is: "1", expected: "2" },
    { topic: name, property: "cleanup.policy", is: "compact", expected: "delete" },
    { topic: name, property: "retention.ms", is: "7200000", expected: "3600000" },
  ]);
  const [partitions = "", replication = "", policy = "", retention = ""] = warnings.map(
    ({ message }) => message,
  );
  expect(partitions).toContain(`topic "${name}": partitions=1, expected 3. It was not changed.`);
  expect(partitions).toContain(`kafka-topics.sh --alter --topic ${name} --partitions 3`);
  expect(replication).toContain("KAFKA_REPLICATION_FACTOR=1");
  expect(policy).toContain(`--entity-name ${name} --add-config cleanup.policy=delete`);
  expect(retention).toContain("KAFKA_TOPIC_RETENTION_HOURS=2");
  expect(Object.values(gauges)).toEqual([1, 1, 1, 1]);
  expect(await settingsOf(name)).toEqual({
    partitions: 1,
    "cleanup.policy": "compact",
    "retention.ms": "7200000",
  });

  const again = await ensured(name, { replicationFactor: 2 });
  expect(again.warnings).toEqual([]);
  expect(again.gauges).toEqual(gauges);
});

test("a cluster's own rules take the definition's place, for new topics and for those that are there", async () => {
  const name = uniqueName("own-rules");
  const rules = { partitions: 5, replicationFactor: 1, retentionMs: 90_000 };
  await ensured(name, rules);
  expect(await settingsOf(name)).toEqual({
    partitions: 5,
    "cleanup.policy": "delete",
    "retention.ms": "90000",
  });
  expect((await ensured(name, rules)).warnings).toEqual([]);
  expect((await ensured(name)).warnings).toMatchObject([
    { fields: { property: "partitions", is: "5", expected: "3" } },
    { fields: { property: "retention.ms", is: "90000", expected: "3600000" } },
  ]);
});

test("more replicas than there are brokers are refused, and the error names the settings", async () => {
  const kafka = { ...shared.kafka, newTopics: { replicationFactor: 99 } };
  const topics = [readingTopic(uniqueName("copies"), 3)];
  await expect(ensureTopics({ kafka, topics, log: keptLog() })).rejects.toThrow(
    /topic "copies-.*" with 3 partitions .* of 99 replicas each \(KAFKA_REPLICATION_FACTOR\)/,
  );
});
