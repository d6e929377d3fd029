/** Topics that must be there. */
import type { Admin, Kafka } from "kafkajs";
import { KafkaRefusedError } from "../errors.ts";
import type { Clock, KafkaConnection, Log, TopicLike } from "../ports.ts";
import { explained, isFinal, longestWaitMs } from "./access.ts";
import { createKafka } from "./kafka-client.ts";
import { protocolErrorOf } from "./kafka-errors.ts";
import { delay, machineClock, within } from "./machine-clock.ts";

/** What the library needs to know of a topic to create it. */
export type TopicDefinition = Pick<TopicLike<never>, "name" | "partitions" | "configEntries">;

export interface EnsureTopicsOptions {
  readonly kafka: KafkaConnection;
  readonly topics: readonly TopicDefinition[];
  readonly log: Log;
  readonly clock?: Clock;
  /** Ends the waiting for a broker; what was created stays. */
  readonly signal?: AbortSignal;
}

/**
 * Creates the topics that are missing, from their definition, and never alters one that exists. Several processes may do
 * so at once. Waits for a broker as long as it takes (see `signal`).
 *
 * @throws {KafkaRefusedError} where Kafka says no for good (permissions, an invalid name or setting).
 */
export async function ensureTopics(options: EnsureTopicsOptions): Promise<void> {
  const { log, signal, clock = machineClock } = options;
  const kafka = createKafka(options);
  let isTold = false;
  for (let waitMs = 500; signal?.aborted !== true; ) {
    try {
      await withAdmin(kafka, clock, (admin) => createMissing(admin, options.topics, log));
      return;
    } catch (error) {
      if (isFinal(kafka, error) || error instanceof KafkaRefusedError) {
        throw error instanceof KafkaRefusedError ? error : new KafkaRefusedError("to create topics", error);
      }
      if (!isTold) {
        log.warn(
          { brokers: options.kafka.brokers, reason: explained(error) },
          "topics can't be checked yet; trying again until a broker answers",
        );
      }
      isTold = true;
      await delay(clock, waitMs, signal);
      waitMs = Math.min(longestWaitMs(error, 500), waitMs * 2);
    }
  }
}

/** Lends an admin client for one piece of work. A disconnect that hangs (tulios/kafkajs#571) is left behind. */
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

export async function createMissing(
  admin: Admin,
  topics: readonly TopicDefinition[],
  log: Log,
): Promise<void> {
  const present = new Set(await admin.listTopics());
  for (const topic of topics) {
    if (present.has(topic.name)) continue;
    present.add(topic.name);
    if (await createTopic(admin, topic)) {
      log.info({ topic: topic.name, partitions: topic.partitions }, "topic created");
    }
  }
}

async function createTopic(admin: Admin, topic: TopicDefinition): Promise<boolean> {
  try {
    return await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          configEntries: Object.entries(topic.configEntries).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  } catch (error) {
    const reason = reasonOf(error);
    // Someone else was quicker.
    if (reason.type === "TOPIC_ALREADY_EXISTS") return false;
    if (reason.type !== undefined && WRONG_DEFINITION.has(reason.type)) {
      throw new KafkaRefusedError(`to create topic "${topic.name}"`, reason.error);
    }
    throw error;
  }
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
