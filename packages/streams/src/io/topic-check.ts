/** Topics that are there already, compared with what was expected of them. Told, and never changed. */
import kafkajs, { type Admin } from "kafkajs";
import { messageOf } from "../errors.ts";
import type { KafkaConnection, Log, Metrics } from "../ports.ts";

/** What a topic should be. */
export interface ExpectedTopic {
  readonly name: string;
  readonly partitions: number;
  /** Undefined: whatever the brokers give. */
  readonly replicationFactor: number | undefined;
  /** Settings in Kafka's own words. */
  readonly configEntries: Readonly<Record<string, string>>;
}

/** A property of a topic that is not as expected. */
export interface TopicMismatch {
  readonly topic: string;
  /** `partitions`, `replication`, or the name of a topic setting. */
  readonly property: string;
  readonly is: string;
  readonly expected: string;
  /** How a person brings both together. */
  readonly remedy: string;
}

interface CheckOptions {
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** Lines that this process has told: its pipelines share topics, and one line each is enough. */
const told = new Set<string>();

/**
 * A line in the log for each mismatch, once in a process, and the number `kelvin_topic_mismatch` (1 or 0 by topic and
 * property). Never rejects: who may write a topic need not be allowed to describe its settings.
 */
export async function tellMismatches(
  admin: Admin,
  topics: readonly ExpectedTopic[],
  { kafka, log, metrics }: CheckOptions,
): Promise<void> {
  if (topics.length === 0) return;
  try {
    const actual = await actualTopics(admin, topics);
    for (const topic of topics) {
      for (const { isMet, ...mismatch } of comparisons(topic, actual)) {
        const { property, is, expected } = mismatch;
        const labels = { topic: topic.name, property };
        metrics?.gauge("kelvin_topic_mismatch", "1 where a topic is not as expected.", isMet ? 0 : 1, labels);
        const line = `${kafka.brokers.join()} ${topic.name} ${property} ${is} ${expected}`;
        if (isMet || told.has(line)) continue;
        told.add(line);
        log.warn({ topic: topic.name, property, is, expected }, sentenceOf(mismatch));
      }
    }
  } catch (error) {
    const names = topics.map(({ name }) => name);
    log.info(
      { topics: names, reason: messageOf(error) },
      "topics are there; their settings can't be checked",
    );
  }
}

function sentenceOf({ topic, property, is, expected, remedy }: TopicMismatch): string {
  return `topic "${topic}": ${property} is ${is}, expected was ${expected}. It is left as it is. ${remedy}`;
}

interface ActualTopics {
  readonly partitions: ReadonlyMap<string, readonly { replicas: readonly number[] }[]>;
  /** By topic and setting. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

async function actualTopics(admin: Admin, topics: readonly ExpectedTopic[]): Promise<ActualTopics> {
  const names = topics.map(({ name }) => name);
  const metadata = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name, configEntries }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: Object.keys(configEntries),
    })),
  });
  return {
    partitions: new Map(metadata.topics.map(({ name, partitions }) => [name, partitions])),
    configs: new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    ),
  };
}

function comparisons(
  { name: topic, partitions, replicationFactor, configEntries }: ExpectedTopic,
  actual: ActualTopics,
): (TopicMismatch & { isMet: boolean })[] {
  const there = actual.partitions.get(topic) ?? [];
  const replicas = Math.min(...there.map((partition) => partition.replicas.length));
  const copies = replicationFactor ?? replicas;
  return [
    {
      topic,
      property: "partitions",
      isMet: there.length === partitions,
      is: String(there.length),
      expected: String(partitions),
      remedy: partitionsRemedy(topic, there.length, partitions),
    },
    {
      topic,
      property: "replication",
      isMet: replicas === copies,
      is: String(replicas),
      expected: String(copies),
      remedy: `If it is meant, say so (newTopics.replicationFactor; KAFKA_REPLICATION_FACTOR=${replicas}); kafka-reassign-partitions.sh changes it.`,
    },
    ...Object.entries(configEntries).map(([property, expected]) => {
      const is = actual.configs.get(topic)?.get(property) ?? "unknown";
      return {
        topic,
        property,
        isMet: fits(property, is, expected),
        is,
        expected,
        remedy: configRemedy(topic, property, is, expected),
      };
    }),
  ];
}

/** A topic that takes larger records than it must is as good. */
function fits(property: string, is: string, expected: string): boolean {
  return is === expected || (property === "max.message.bytes" && Number(is) >= Number(expected));
}

function partitionsRemedy(topic: string, is: number, expected: number): string {
  const ifMeant = `If it is meant, say so (newTopics.partitions; KAFKA_TOPIC_PARTITIONS=${is});`;
  return is < expected
    ? `${ifMeant} kafka-topics.sh --alter --topic ${topic} --partitions ${expected} adds some, and moves keys between partitions.`
    : `${ifMeant} partitions can't be taken away, only the topic be made anew.`;
}

function configRemedy(topic: string, property: string, is: string, expected: string): string {
  const ifMeant =
    property === "retention.ms" && Number(is) > 0
      ? `If it is meant, say so (newTopics.retentionMs; KAFKA_TOPIC_RETENTION_HOURS=${Number(is) / 3_600_000}); `
      : "";
  const entry = expected.includes(",") ? `${property}=[${expected}]` : `${property}=${expected}`;
  return `${ifMeant}kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${entry} changes it.`;
}
