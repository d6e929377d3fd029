/** Compares existing topics with the settings. Mismatches are logged; topics are never changed. */
import kafkajs, { type Admin } from "kafkajs";
import { messageOf } from "../errors.ts";
import type { KafkaConnection, Log, Metrics } from "../ports.ts";

/** What a topic should be. */
export interface ExpectedTopic {
  readonly name: string;
  readonly partitions: number;
  /** Undefined: the brokers' default. */
  readonly replicationFactor: number | undefined;
  /** Topic settings, as Kafka names them. */
  readonly configEntries: Readonly<Record<string, string>>;
}

/** A property of a topic that differs from the settings. */
export interface TopicMismatch {
  readonly topic: string;
  /** `partitions`, `replication`, or the name of a topic setting. */
  readonly property: string;
  readonly is: string;
  readonly expected: string;
  /** What to do about it. */
  readonly remedy: string;
}

interface CheckOptions {
  readonly kafka: KafkaConnection;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** What this process has logged: its pipelines share topics, and one line per mismatch is enough. */
const told = new Set<string>();

/**
 * Logs each mismatch once per process, and sets the gauge `kelvin_topic_mismatch` (1 or 0 by topic and property). Never
 * rejects: permission to write a topic does not imply permission to describe its settings.
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
        metrics?.gauge(
          "kelvin_topic_mismatch",
          "1 if a topic differs from the settings.",
          isMet ? 0 : 1,
          labels,
        );
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
      "topics exist, but their settings can't be checked",
    );
  }
}

function sentenceOf({ topic, property, is, expected, remedy }: TopicMismatch): string {
  return `topic "${topic}": ${property}=${is}, expected ${expected}. It was not changed. ${remedy}`;
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
      remedy: `If this is intended, set newTopics.replicationFactor or KAFKA_REPLICATION_FACTOR=${replicas}; otherwise change it with kafka-reassign-partitions.sh.`,
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

/** A topic that accepts larger records than required is fine too. */
function fits(property: string, is: string, expected: string): boolean {
  return is === expected || (property === "max.message.bytes" && Number(is) >= Number(expected));
}

function partitionsRemedy(topic: string, is: number, expected: number): string {
  const ifIntended = `If this is intended, set newTopics.partitions or KAFKA_TOPIC_PARTITIONS=${is};`;
  return is < expected
    ? `${ifIntended} otherwise add partitions with kafka-topics.sh --alter --topic ${topic} --partitions ${expected}, which moves keys between partitions.`
    : `${ifIntended} otherwise recreate the topic: partitions can't be removed.`;
}

function configRemedy(topic: string, property: string, is: string, expected: string): string {
  const change =
    property === "retention.ms" && Number(is) > 0
      ? `If this is intended, set newTopics.retentionMs or KAFKA_TOPIC_RETENTION_HOURS=${Number(is) / 3_600_000}; otherwise change`
      : "Change";
  const entry = expected.includes(",") ? `${property}=[${expected}]` : `${property}=${expected}`;
  return `${change} it with kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${entry}.`;
}
