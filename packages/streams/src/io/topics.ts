/** Topics that must exist. */
import type { Admin, Kafka } from "kafkajs";
import { KafkaRefusedError } from "../errors.ts";
import type { Clock, KafkaConnection, Log, Metrics, TopicLike } from "../ports.ts";
import { explained, isFinal, longestWaitMs } from "./access.ts";
import { createKafka } from "./kafka-client.ts";
import { protocolErrorOf } from "./kafka-errors.ts";
import { delay, machineClock, within } from "./machine-clock.ts";
import { type ExpectedTopic, tellMismatches } from "./topic-check.ts";

/** What the library needs to know about a topic to create it. */
export type TopicDefinition = Pick<TopicLike<never>, "name" | "partitions" | "configEntries">;

/** Which topics must exist, and in which cluster. */
export interface EnsureTopicsOptions {
  readonly kafka: KafkaConnection;
  readonly topics: readonly TopicDefinition[];
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock;
  /** Stops waiting for a broker; topics already created stay. */
  readonly signal?: AbortSignal;
}

/**
 * Creates missing topics from their definition. Never alters an existing topic: differences from the definition are
 * logged and reported by `kelvin_topic_mismatch`. Several processes can call it at once. Waits for a broker as long as it
 * takes (see `signal`).
 *
 * @throws {KafkaRefusedError} if Kafka refuses permanently (permissions, an invalid name or setting).
 */
export async function ensureTopics(options: EnsureTopicsOptions): Promise<void> {
  const { log, signal, clock = machineClock } = options;
  const kafka = createKafka(options);
  const topics = new TopicKeeper({ ...options, definitions: options.topics });
  let isTold = false;
  for (let waitMs = 500; signal?.aborted !== true; ) {
    try {
      await withAdmin(kafka, clock, (admin) => topics.ensure(admin));
      return;
    } catch (error) {
      if (isFinal(kafka, error) || error instanceof KafkaRefusedError) {
        throw error instanceof KafkaRefusedError ? error : new KafkaRefusedError("to create topics", error);
      }
      if (!isTold) {
        log.warn(
          { brokers: options.kafka.brokers, reason: explained(error) },
          "topics can't be checked yet; retrying until a broker answers",
        );
      }
      isTold = true;
      await delay(clock, waitMs, signal);
      waitMs = Math.min(longestWaitMs(error, 500), waitMs * 2);
    }
  }
}

/** Runs `work` with an admin client. A disconnect that hangs (tulios/kafkajs#571) is left behind. */
export async function withAdmin<R>(
  kafka: Kafka,
  clock: Clock,
  work: (admin: Admin) => Promise<R>,
): Promise<R> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await within(clock, 1_000, admin.disconnect());
  }
}

interface TopicKeeperOptions {
  readonly kafka: KafkaConnection;
  readonly definitions: readonly TopicDefinition[];
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** The topics that must exist: created whenever they are missing, and compared with their definition once. */
export class TopicKeeper {
  readonly #options: TopicKeeperOptions;
  readonly #expected: readonly ExpectedTopic[];
  #isCompared = false;

  constructor(options: TopicKeeperOptions) {
    this.#options = options;
    const byName = new Map(options.definitions.map((topic) => [topic.name, topic]));
    this.#expected = [...byName.values()].map((topic) => expectedOf(topic, options.kafka));
  }

  /** @throws {KafkaRefusedError} where Kafka won't have a topic so; kafkajs's errors where it can't be asked. */
  async ensure(admin: Admin): Promise<void> {
    const { log } = this.#options;
    const present = new Set(await admin.listTopics());
    const missing = this.#expected.filter(({ name }) => !present.has(name));
    // All at once: with each of them kafkajs waits 100 ms before it first asks for leaders.
    await Promise.all(
      missing.map(async (topic) => {
        const { name, partitions } = topic;
        if (await createTopic(admin, topic)) log.info({ topic: name, partitions }, "topic created");
      }),
    );
    if (this.#isCompared) return;
    this.#isCompared = true;
    await tellMismatches(
      admin,
      this.#expected.filter(({ name }) => present.has(name)),
      this.#options,
    );
  }
}

function expectedOf(topic: TopicDefinition, { newTopics = {} }: KafkaConnection): ExpectedTopic {
  const { partitions = topic.partitions, replicationFactor, retentionMs } = newTopics;
  const configEntries = { "cleanup.policy": "delete", ...topic.configEntries };
  const isKeptForATime = configEntries["cleanup.policy"].includes("delete");
  return {
    name: topic.name,
    partitions,
    replicationFactor,
    configEntries:
      retentionMs === undefined || !isKeptForATime
        ? configEntries
        : { ...configEntries, "retention.ms": String(retentionMs) },
  };
}

async function createTopic(admin: Admin, topic: ExpectedTopic): Promise<boolean> {
  const { name, partitions, replicationFactor, configEntries } = topic;
  try {
    return await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic: name,
          numPartitions: partitions,
          ...(replicationFactor === undefined ? {} : { replicationFactor }),
          configEntries: Object.entries(configEntries).map(([entry, value]) => ({ name: entry, value })),
        },
      ],
    });
  } catch (error) {
    const reason = reasonOf(error);
    // Someone else was quicker.
    if (reason.type === "TOPIC_ALREADY_EXISTS") return false;
    if (reason.type !== undefined && WRONG_DEFINITION.has(reason.type)) {
      throw new KafkaRefusedError(`to create ${described(topic)}`, reason.error);
    }
    throw error;
  }
}

/** With the settings that Kafka may have refused, such as more replicas than there are brokers. */
function described({ name, partitions, replicationFactor }: ExpectedTopic): string {
  const asked = `${partitions} partitions (KAFKA_TOPIC_PARTITIONS)`;
  const copies =
    replicationFactor === undefined
      ? ""
      : ` of ${replicationFactor} replicas each (KAFKA_REPLICATION_FACTOR)`;
  return `topic "${name}" with ${asked}${copies}`;
}

const WRONG_DEFINITION = new Set([
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_CONFIG",
  "INVALID_PARTITIONS",
  "INVALID_REPLICATION_FACTOR",
  "POLICY_VIOLATION",
]);

/** kafkajs wraps the answers for the topics of one request into an aggregate; ours has one topic. */
function reasonOf(error: unknown): { error: unknown; type: string | undefined } {
  if (typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors)) {
    const first: unknown = error.errors[0];
    return { error: first, type: protocolErrorOf(first) };
  }
  return { error, type: protocolErrorOf(error) };
}
