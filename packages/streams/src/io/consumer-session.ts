/**
 * One life of a kafkajs consumer, from its start to its end, whatever ends it. What comes next is the owner's affair:
 * kafkajs's own restart is switched off, because it starts again without telling and not in every case.
 *
 * No user code runs inside kafkajs: a batch is handed to `onBatch`, which queues it.
 */
import type { Consumer, EachBatchPayload, IMemberAssignment, Kafka } from "kafkajs";
import { messageOf, StreamsError } from "../errors.ts";
import type { Clock, IncomingRecord, Log } from "../ports.ts";
import { METADATA_MAX_AGE_MS } from "./kafka-client.ts";
import { isRegrouping } from "./kafka-errors.ts";
import { within } from "./machine-clock.ts";
import { asMember } from "./member-id.ts";
import { PollTracker } from "./poll-tracker.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface Batch extends TopicPartition {
  readonly records: readonly IncomingRecord[];
  /** The offset after the batch's last, transaction markers included. */
  readonly nextOffset: number;
  /** The topic's end when the batch was read. */
  readonly highWatermark: number;
}

export interface ConsumerSessionOptions {
  readonly client: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds. Kafka's `session.timeout.ms`: how long a killed process's partitions wait for another. */
  readonly sessionTimeoutMs: number;
  /** The group member that an earlier session left behind, see `leftBehind`. */
  readonly memberId: string | undefined;
  /**
   * Partitions were handed out. Nothing is read until it resolves with the offset to start each of them from; called at
   * every rebalance, with all partitions, before anything else of the new generation.
   */
  onAssigned(
    partitions: readonly TopicPartition[],
  ): Promise<readonly (TopicPartition & { offset: number })[]>;
  /** Queues the batch, or returns false to get it again later. Must be quick and must not throw. */
  onBatch(batch: Batch): boolean;
}

/**
 * So long an empty fetch waits. Less than Kafka's 500: kafkajs sleeps as long when all partitions are paused, which they are
 * while an assignment is prepared, and looks at nothing else meanwhile. At 200 an idle pipeline reads again 300 ms earlier
 * and costs 0.7 % of a core more.
 */
const MAX_WAIT_MS = 200;
/**
 * Of one partition at once. Kafka's `max.partition.fetch.bytes`, which is 1 MiB there: kafkajs decodes all of an answer
 * before it hands out any, so that smaller ones live shorter. A batch that is larger is answered all the same (KIP-74).
 */
const FETCH_BYTES = 128 * 1024;
/** An empty fetch is answered after MAX_WAIT_MS and a delay; what is older says nothing about now. */
const FETCH_FRESH_MS = 1_500;

/** How long a group may take to reassign its partitions before the session is given up. */
const REGROUP_MS = 15_000;

export class ConsumerSession {
  readonly #options: ConsumerSessionOptions;
  readonly #consumer: Consumer;
  readonly #polls = new PollTracker();
  readonly #paused = new Set<string>();
  readonly #ended = Promise.withResolvers<unknown>();
  #generation = 0;
  #isOver = false;
  #isCrashed = false;
  #memberId: string | undefined;
  #isReading = false;
  #isJoining = true;
  #lastContactMs: number;
  #lastFetchMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConsumerSessionOptions) {
    this.#options = options;
    this.#memberId = options.memberId;
    this.#lastContactMs = options.clock.monotonic();
    this.#consumer = options.client.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytesPerPartition: FETCH_BYTES,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: Math.max(10_000, options.sessionTimeoutMs),
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 4),
      metadataMaxAge: METADATA_MAX_AGE_MS,
      retry: {
        initialRetryTime: 100,
        maxRetryTime: 500,
        retries: 2,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    this.#listen();
  }

  /** Resolves with the reason when the session is over; with undefined after `stop`. */
  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Partitions are assigned and being read. */
  get isReading(): boolean {
    return this.#isReading && !this.#isOver;
  }

  /** The group has not assigned partitions yet: it may be waiting for a member that is dead. */
  get isJoining(): boolean {
    return this.#isJoining && !this.#isOver;
  }

  /** A broker has answered over another connection. */
  heard(): void {
    this.#lastContactMs = this.#options.clock.monotonic();
  }

  /** The group member that this session was, if it ended without having been able to leave. */
  get leftBehind(): string | undefined {
    return this.#isCrashed ? this.#memberId : undefined;
  }

  /** Milliseconds since a broker last answered anything. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#lastContactMs;
  }

  /** Connects and joins the group. Never rejects: what goes wrong ends the session. */
  async start(): Promise<void> {
    try {
      await this.#consumer.connect();
      // Our own offsets decide where reading starts; where Kafka has lost them, losing records is the worse mistake.
      await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await asMember(this.#options.memberId, () =>
        this.#consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: async (payload) => this.#take(payload),
        }),
      );
    } catch (error) {
      this.end(error);
    }
  }

  /** Whether the partition was read to its end when it was last asked for, which was just now. */
  isAtEnd({ topic, partition }: TopicPartition): boolean {
    const isAsked = this.#options.clock.monotonic() - this.#lastFetchMs < FETCH_FRESH_MS;
    return isAsked && this.isReading && this.#polls.isAtEnd(keyOf(topic, partition));
  }

  pause({ topic, partition }: TopicPartition): void {
    const key = keyOf(topic, partition);
    if (this.#isOver || this.#paused.has(key)) return;
    this.#paused.add(key);
    this.#polls.unknown(key);
    this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  resume({ topic, partition }: TopicPartition): void {
    const key = keyOf(topic, partition);
    if (this.#isOver || !this.#paused.delete(key)) return;
    this.#polls.unknown(key);
    this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  /** Commits under the present generation; rejects where the group has moved on. */
  async commit(offsets: readonly (TopicPartition & { offset: number; metadata: string })[]): Promise<void> {
    if (this.#isOver)
      throw new StreamsError("STREAMS_CLOSED", "The consumer has ended.", { retriable: true });
    await this.#consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: String(each.offset) })));
  }

  /** Leaves the group and disconnects, within the deadline: kafkajs may hang there (tulios/kafkajs#571, #1639). */
  async stop(deadlineMs: number): Promise<void> {
    this.end(undefined);
    const isDone = await within(this.#options.clock, deadlineMs, this.#consumer.disconnect());
    if (!isDone)
      this.#options.log.debug({ groupId: this.#options.groupId }, "the consumer did not leave in time");
  }

  end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#generation++;
    this.#ended.resolve(reason);
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.REBALANCING, () => {
      this.#isJoining = true;
    });
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#isJoining = false;
      this.#memberId = payload.memberId;
      this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      this.#isCrashed = !this.#isOver;
      this.end(payload.error);
    });
    this.#consumer.on(events.FETCH_START, ({ payload }) => this.#polls.fetchStarted(String(payload.nodeId)));
    this.#consumer.on(events.REQUEST, ({ payload }) => {
      this.#lastContactMs = this.#options.clock.monotonic();
      if (payload.apiName !== "Fetch") return;
      this.#lastFetchMs = this.#lastContactMs;
      this.#polls.answered();
    });
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      // Batches with nothing for readers in them never come to eachBatch; their offsets count all the same.
      if (payload.batchSize > 0) return;
      const { topic, partition, lastOffset, highWatermark } = payload;
      this.#hand({
        topic,
        partition,
        records: [],
        nextOffset: Number(lastOffset) + 1,
        highWatermark: Number(highWatermark),
      });
    });
  }

  #assigned(assignment: IMemberAssignment): void {
    if (this.#isOver) return;
    const generation = ++this.#generation;
    this.#isReading = false;
    const partitions = Object.entries(assignment).flatMap(([topic, ids]) =>
      ids.map((partition) => ({ topic, partition })),
    );
    this.#paused.clear();
    for (const each of partitions) this.pause(each);
    this.#polls.assigned(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    this.#options.onAssigned(partitions).then(
      (starts) => {
        if (generation !== this.#generation) return;
        for (const { topic, partition, offset } of starts)
          this.#consumer.seek({ topic, partition, offset: String(offset) });
        for (const each of partitions) this.resume(each);
        this.#isReading = true;
      },
      (error: unknown) => {
        if (generation !== this.#generation) return;
        if (!isRegrouping(error)) return this.end(error);
        // The group is rebalancing again: kafkajs notices with its next heartbeat, and this is called with the outcome.
        this.#options.clock.setTimeout(() => {
          if (generation === this.#generation) this.end(error);
        }, REGROUP_MS);
      },
    );
  }

  #take({ batch, resolveOffset, isStale, isRunning }: EachBatchPayload): void {
    if (isStale() || !isRunning()) return;
    const { topic, partition } = batch;
    if (this.#paused.has(keyOf(topic, partition))) return;
    const nextOffset = Number(batch.lastOffset()) + 1;
    const records = batch.messages.map((message) => incoming(topic, partition, message));
    const isKept = this.#hand({
      topic,
      partition,
      records,
      nextOffset,
      highWatermark: Number(batch.highWatermark),
    });
    const last = batch.messages.at(-1);
    if (isKept && last !== undefined) resolveOffset(last.offset);
  }

  #hand(batch: Batch): boolean {
    if (this.#isOver) return false;
    try {
      const isKept = this.#options.onBatch(batch);
      this.#polls.batch(
        keyOf(batch.topic, batch.partition),
        isKept && batch.nextOffset >= batch.highWatermark,
      );
      return isKept;
    } catch (error) {
      this.#options.log.error(
        { reason: messageOf(error) },
        "a batch could not be queued; restarting the consumer",
      );
      this.end(error);
      return false;
    }
  }
}

export function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

type Message = EachBatchPayload["batch"]["messages"][number];

function incoming(topic: string, partition: number, message: Message): IncomingRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    timestampMs: Number(message.timestamp),
    headers: headersOf(message.headers),
  };
}

const NO_HEADERS: IncomingRecord["headers"] = Object.freeze({});

/** Kafka allows a header's name more than once; the last one counts here. */
function headersOf(headers: Message["headers"]): IncomingRecord["headers"] {
  let result: Record<string, string | Uint8Array> | undefined;
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last === undefined) continue;
    result ??= {};
    result[name] = last;
  }
  return result ?? NO_HEADERS;
}
