/**
 * Subscribing alone: the values of topics come out here, starting some time in the past. Offsets are only committed as
 * marks, see `#starts`; they are deleted with the group. */
import type { Kafka } from "kafkajs";
import { KafkaRefusedError, messageOf, StreamsError } from "../errors.ts";
import type {
  Clock,
  IncomingRecord,
  KafkaConnection,
  Log,
  Metrics,
  RecordPosition,
  TopicLike,
} from "../ports.ts";
import { type Batch, type ConsumerSession, keyOf, type TopicPartition } from "./consumer-session.ts";
import { createKafka } from "./kafka-client.ts";
import { machineClock, within } from "./machine-clock.ts";
import { offsetsOf, type PartitionOffsets } from "./offsets.ts";
import { type Reachability, SessionSupervisor } from "./session-supervisor.ts";
import { TopicKeeper, withAdmin } from "./topics.ts";

/** One valid record of one of the topics. */
export interface SubscribedRecord<T> extends RecordPosition {
  readonly key: string;
  readonly value: T;
  /** Event time, milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Kafka's own timestamp of the record. */
  readonly recordTimestampMs: number;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

/** A record that doesn't match its topic's schema. */
export interface InvalidRecord extends RecordPosition {
  readonly problems: readonly string[];
  readonly recordTimestampMs: number;
}

/** Events other than records. */
export type SubscriberStatus =
  | Reachability
  /** A topic was deleted and recreated, empty; reading continues at its beginning. */
  | { readonly kind: "topic-recreated"; readonly topic: string };

/** Where reading starts. `millisecondsAgo` uses Kafka's timestamps; those of our own records are event time. */
export type SubscribeFrom = { readonly millisecondsAgo: number } | "earliest" | "latest";

/** What to read, where to start, and the callbacks. */
export interface SubscriberOptions<T> {
  readonly kafka: KafkaConnection;
  /** Created if missing. `onRecord` gets the union of their payloads; `topic` tells them apart. */
  readonly topics: readonly TopicLike<T>[];
  /** Must be unique to this instance; the group is deleted on `close`. */
  readonly groupId: string;
  /** One for all topics, or one for each by its name. */
  readonly from: SubscribeFrom | ((topic: string) => SubscribeFrom);
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** Called in order within each partition. Must not throw; an error is logged and the next record follows. */
  onRecord(record: SubscribedRecord<T>): void;
  onInvalid(invalid: InvalidRecord): void;
  onStatus?(status: SubscriberStatus): void;
}

/** Whether records arrive; if not, since when and why. */
export interface SubscriberHealth {
  readonly ready: boolean;
  readonly live: boolean;
  readonly why: string;
  /** When brokers stopped answering, wall clock in milliseconds. */
  readonly unreachableSinceMs?: number;
}

/**
 * Reads topics, starting some time in the past, without committing progress, until `close`. Kafka's `KafkaConsumer`.
 */
export interface Subscriber {
  /** Resolves when everything that was in the topics at the start has been delivered. */
  readonly caughtUp: Promise<void>;
  /** Rejects if Kafka refuses permanently; never resolves. */
  readonly failed: Promise<never>;
  health(): SubscriberHealth;
  close(): Promise<void>;
}

const SESSION_TIMEOUT_MS = 6_000;
const NOT_COMMITTED = -1;

/** The metadata of a committed offset that only marks where reading started; it doesn't advance with reading. */
export const START_MARK = "start";

/**
 * Starts reading in the background, waits for a broker as long as it takes, and recovers from broker failures. Quix'
 * `get_consumer`.
 *
 * @throws {StreamsError} with code STREAMS_BAD_OPTION if there are no topics. What Kafka refuses later: `failed`.
 */
export async function createSubscriber<T>(options: SubscriberOptions<T>): Promise<Subscriber> {
  if (options.topics.length === 0)
    throw new StreamsError("STREAMS_BAD_OPTION", "A subscriber needs at least one topic.");
  const subscription = new Subscription(options);
  void subscription.run();
  return subscription;
}

class Subscription<T> implements Subscriber {
  readonly #options: SubscriberOptions<T>;
  readonly #clock: Clock;
  readonly #client: Kafka;
  readonly #topics: ReadonlyMap<string, TopicLike<T>>;
  /** The next record of each partition. */
  readonly #positions = new Map<string, number>();
  /** Where each partition ended when reading began; emptied as they are reached. */
  #missing: Map<string, number> | undefined;
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #stop = new AbortController();
  readonly #startedMs: number;
  readonly #sessions: SessionSupervisor;
  #refusal: KafkaRefusedError | undefined;

  constructor(options: SubscriberOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
    this.#startedMs = this.#clock.now();
    this.#topics = new Map(options.topics.map((topic) => [topic.name, topic]));
    this.#client = createKafka({
      kafka: options.kafka,
      log: options.log,
      onNotice: ({ topic, partition }) => this.#outOfRange(topic, partition),
    });
    const { kafka, topics, groupId, log, metrics, onStatus } = options;
    const keeper = new TopicKeeper({ kafka, definitions: topics, log, metrics });
    this.#sessions = new SessionSupervisor({
      client: this.#client,
      brokers: kafka.brokers,
      purpose: "to let us read",
      groupId,
      topics: [...this.#topics.keys()],
      log,
      clock: this.#clock,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      prepare: () => withAdmin(this.#client, this.#clock, (admin) => keeper.ensure(admin)),
      onAssigned: (session, partitions) => this.#assigned(session, partitions),
      onBatch: (batch) => this.#take(batch),
      onReachability: (news) => onStatus?.(news),
    });
    this.#failed.promise.catch(() => undefined);
  }

  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  async run(): Promise<void> {
    try {
      await this.#sessions.run();
    } catch (error) {
      this.#refused(error);
    }
  }

  health(): SubscriberHealth {
    if (this.#refusal !== undefined) return { ready: false, live: false, why: this.#refusal.message };
    const { trouble } = this.#sessions;
    if (trouble !== undefined) return { ready: false, ...trouble };
    return { ready: true, live: true, why: "reading" };
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#sessions.stop();
    await this.#sessions.session?.stop(3_000);
    const { groupId } = this.#options;
    const deleted = withAdmin(this.#client, this.#clock, (admin) => admin.deleteGroups([groupId]));
    await within(
      this.#clock,
      3_000,
      deleted.catch((error) =>
        this.#options.log.debug(
          { groupId, reason: messageOf(error) },
          "the consumer group could not be deleted",
        ),
      ),
    );
  }

  async #assigned(session: ConsumerSession, partitions: readonly TopicPartition[]) {
    const ends = await offsetsOf(this.#client, this.#clock, this.#options.groupId, [...this.#topics.keys()]);
    const starts = await this.#starts(ends);
    if (this.#missing === undefined) {
      this.#missing = new Map();
      for (const each of partitions) {
        const key = keyOf(each.topic, each.partition);
        const { high = 0 } = ends.get(key) ?? {};
        if ((starts.get(key) ?? 0) < high) this.#missing.set(key, high);
      }
    }
    const result = partitions.map((each) => {
      const key = keyOf(each.topic, each.partition);
      const offset = starts.get(key) ?? 0;
      this.#positions.set(key, offset);
      return { ...each, offset };
    });
    await session.commit(result.map((each) => ({ ...each, metadata: START_MARK })));
    this.#checkCaughtUp();
    return result;
  }

  /** Where we were, if that is still there; the beginning of a recreated topic; otherwise as `from` says. */
  async #starts(ends: ReadonlyMap<string, PartitionOffsets>): Promise<Map<string, number>> {
    const first = await this.#firstStarts(ends);
    const starts = new Map<string, number>();
    const recreated = new Set<string>();
    for (const [key, { low, high, committed }] of ends) {
      const position = this.#positions.get(key);
      if (position === undefined) starts.set(key, first.get(key) ?? low);
      else {
        // Kafka forgets a group's offsets with their topic: without ours, this is another topic of the same name.
        const isAnother = position > high || committed === NOT_COMMITTED;
        starts.set(key, isAnother ? low : Math.max(low, position));
        if (isAnother) recreated.add(key.slice(0, key.lastIndexOf("/")));
      }
    }
    for (const topic of recreated) {
      this.#options.log.warn({ topic }, "the topic was recreated; reading it from the beginning");
      this.#options.onStatus?.({ kind: "topic-recreated", topic });
    }
    return starts;
  }

  async #firstStarts(ends: ReadonlyMap<string, PartitionOffsets>): Promise<Map<string, number>> {
    const isKnown = [...ends.keys()].every((key) => this.#positions.has(key));
    if (isKnown) return new Map();
    const starts = new Map<string, number>();
    for (const topic of this.#topics.keys()) {
      const from = this.#fromOf(topic);
      const found =
        typeof from === "string" ? edgesOf(topic, ends, from) : await this.#startsAgo(topic, from);
      for (const [key, offset] of found) starts.set(key, offset);
    }
    return starts;
  }

  #fromOf(topic: string): SubscribeFrom {
    const { from } = this.#options;
    return typeof from === "function" ? from(topic) : from;
  }

  async #startsAgo(topic: string, { millisecondsAgo }: { readonly millisecondsAgo: number }) {
    const offsets = await withAdmin(this.#client, this.#clock, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, this.#startedMs - millisecondsAgo),
    );
    return offsets.map(({ partition, offset }) => [keyOf(topic, partition), Number(offset)] as const);
  }

  #take({ topic, partition, records, nextOffset }: Batch): boolean {
    const definition = this.#topics.get(topic);
    const key = keyOf(topic, partition);
    if (definition === undefined) return false;
    for (const record of records) {
      if (record.offset < (this.#positions.get(key) ?? 0)) continue;
      this.#positions.set(key, record.offset + 1);
      this.#hand(definition, record);
    }
    this.#positions.set(key, nextOffset);
    this.#checkCaughtUp();
    return true;
  }

  #hand(definition: TopicLike<T>, record: IncomingRecord): void {
    const { topic, partition, offset, timestampMs: recordTimestampMs, headers } = record;
    const { log, onRecord, onInvalid } = this.#options;
    try {
      const decoded = definition.decode(record.value);
      if (!decoded.ok) {
        onInvalid({ topic, partition, offset, recordTimestampMs, problems: decoded.problems });
        return;
      }
      const { value } = decoded;
      const timestampMs = definition.eventTimeMs(value, recordTimestampMs);
      onRecord({
        topic,
        partition,
        offset,
        recordTimestampMs,
        headers,
        value,
        timestampMs,
        key: definition.key(value),
      });
    } catch (error) {
      log.error(
        { topic, partition, offset, reason: messageOf(error) },
        "onRecord or onInvalid threw; continuing",
      );
    }
  }

  #checkCaughtUp(): void {
    if (this.#missing === undefined) return;
    for (const [key, end] of this.#missing) {
      if ((this.#positions.get(key) ?? 0) >= end) this.#missing.delete(key);
    }
    if (this.#missing.size === 0) this.#caughtUp.resolve();
  }

  #refused(reason: unknown): void {
    this.#refusal =
      reason instanceof KafkaRefusedError ? reason : new KafkaRefusedError("to let us read", reason);
    this.#options.log.debug({ reason: this.#refusal.message }, "can't continue reading");
    this.#failed.reject(this.#refusal);
  }

  /** kafkajs reports this only in its log. A new consumer starts from the records that remain. */
  #outOfRange(topic: string, partition: number): void {
    this.#options.log.warn(
      { topic, partition },
      "the next record was deleted; continuing with the records that remain",
    );
    this.#sessions.restart(`the next records of ${topic}[${partition}] were deleted`);
  }
}

/** The oldest or the next offset of each of the topic's partitions. */
function edgesOf(topic: string, ends: ReadonlyMap<string, PartitionOffsets>, from: "earliest" | "latest") {
  return [...ends]
    .filter(([key]) => key.slice(0, key.lastIndexOf("/")) === topic)
    .map(([key, { low, high }]) => [key, from === "earliest" ? low : high] as const);
}
