/**
 * Hands records to Kafka in batches: one request at a time, so that order holds whatever has to be repeated.
 *
 * While a request is under way the next batch gathers; with `lingerMs` a lone record waits for company as well. kafkajs
 * has no such thing (tulios/kafkajs#1161). Writes are idempotent (KIP-98): a repeated request adds nothing twice as long
 * as this producer lives.
 */
import type { Kafka, Producer } from "kafkajs";
import { DeliveryError, KafkaRefusedError, messageOf, StreamsError } from "../errors.ts";
import type { Clock, Log, OutgoingRecord } from "../ports.ts";
import { explained, isFinal, longestWaitMs } from "./access.ts";
import { METADATA_MAX_AGE_MS } from "./kafka-client.ts";
import { isProducerLost, isRecordAtFault, isTopicMissing } from "./kafka-errors.ts";
import { delay, within } from "./machine-clock.ts";
import { byTopic, bytesOf } from "./messages.ts";
import { javaPartitioner } from "./partitioner.ts";

export interface BatchingProducerOptions {
  readonly client: Kafka;
  readonly log: Log;
  readonly clock: Clock;
  /** How long a lone record waits for others, in milliseconds; a full batch or a flush ends it. Kafka's `linger.ms`. */
  readonly lingerMs: number;
  /** Bytes that may wait here, in a broker's absence too. Kafka's `buffer.memory`. */
  readonly bufferBytesMax: number;
  /** Recreates a missing topic; called before the batch is sent again. */
  readonly onTopicMissing: () => Promise<void>;
}

/** Called once: without an error when Kafka has the record on all in-sync replicas. */
export type Settled = (error?: DeliveryError | KafkaRefusedError) => void;

interface Waiting {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly settled: Settled;
}

/** Under Kafka's default `message.max.bytes` with room for framing: a request's share of one partition is one batch. */
const BATCH_BYTES_MAX = 512 * 1024;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;

export class BatchingProducer {
  readonly #options: BatchingProducerOptions;
  #producer: Producer | undefined;
  #waiting: Waiting[] = [];
  #bufferedBytes = 0;
  #inFlight = 0;
  #isPumping = false;
  /** While records wait for others. */
  #linger: AbortController | undefined;
  #taken = 0;
  #settled = 0;
  #flushWaiters: { upTo: number; resolve: () => void }[] = [];
  #roomWaiters: (() => void)[] = [];
  #unreachable: { sinceMs: number; reason: string } | undefined;
  #refusal: KafkaRefusedError | undefined;
  readonly #abort = new AbortController();

  constructor(options: BatchingProducerOptions) {
    this.#options = options;
  }

  /** Since when (wall clock, milliseconds) Kafka accepts nothing, and why; undefined while it accepts records. */
  get unreachable(): { sinceMs: number; reason: string } | undefined {
    return this.#unreachable;
  }

  /** Set when Kafka has refused permanently: nothing more will be delivered. */
  get refusal(): KafkaRefusedError | undefined {
    return this.#refusal;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get hasRoom(): boolean {
    return this.#bufferedBytes < this.#options.bufferBytesMax;
  }

  /** Buffers a record without waiting. Check `hasRoom` first: a record beyond the limit is buffered all the same. */
  enqueue(record: OutgoingRecord, settled: Settled): void {
    if (this.#abort.signal.aborted) return settled(new DeliveryError(record.topic, "the producer is closed"));
    if (this.#refusal !== undefined) return settled(this.#refusal);
    const bytes = bytesOf(record);
    this.#waiting.push({ record, bytes, settled });
    this.#bufferedBytes += bytes;
    this.#taken++;
    if (this.#bufferedBytes >= BATCH_BYTES_MAX) this.#linger?.abort();
    if (!this.#isPumping) void this.#run();
  }

  /** Waits until the buffer is below its limit. */
  async room(): Promise<void> {
    while (!this.hasRoom && !this.#abort.signal.aborted) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  /** Waits until every record buffered so far is delivered or has failed. */
  async flush(): Promise<void> {
    const upTo = this.#taken;
    if (this.#settled >= upTo) return;
    this.#linger?.abort();
    await new Promise<void>((resolve) => this.#flushWaiters.push({ upTo, resolve }));
  }

  /** Connects now instead of with the first record; waits for a broker as long as it takes. */
  async connect(): Promise<void> {
    await this.#repeatedly([], async () => {
      await this.#connected();
    });
  }

  /** Delivers what is buffered, within the deadline; what is left then fails. Returns how many records failed. */
  async close(deadlineMs: number): Promise<number> {
    const { clock } = this.#options;
    await within(clock, deadlineMs, this.flush());
    const left = this.#waiting.length + this.#inFlight;
    this.#abort.abort();
    const unsent = this.#waiting.splice(0);
    await within(clock, 1_000, this.flush());
    this.#settle(
      unsent,
      (record) =>
        new DeliveryError(record.topic, "the producer was closed before a broker accepted it", {
          retriable: true,
        }),
    );
    this.#releaseRoom();
    await this.#discard();
    return left;
  }

  async #run(): Promise<void> {
    this.#isPumping = true;
    while (this.#waiting.length > 0 && !this.#abort.signal.aborted) {
      await this.#company();
      await this.#deliver(this.#nextBatch());
      if (this.hasRoom) this.#releaseRoom();
    }
    this.#isPumping = false;
  }

  /** Waits for records to share the request with. */
  async #company(): Promise<void> {
    const { clock, lingerMs } = this.#options;
    const isAwaited = this.#flushWaiters.length > 0 || this.#bufferedBytes >= BATCH_BYTES_MAX;
    // Records that are taken in the same turn travel together in any case.
    if (lingerMs === 0 || isAwaited) return;
    this.#linger = new AbortController();
    await delay(clock, lingerMs, this.#linger.signal);
    this.#linger = undefined;
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > BATCH_BYTES_MAX) break;
      bytes += waiting.bytes;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #deliver(batch: Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    this.#inFlight = batch.length;
    const topicMessages = byTopic(batch.map(({ record }) => record));
    const topics = topicMessages.map(({ topic }) => topic);
    const error = await this.#repeatedly(topics, async () => {
      const producer = await this.#connected();
      await producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages });
    });
    this.#inFlight = 0;
    if (error !== undefined && isRecordAtFault(error) && batch.length > 1) {
      for (const waiting of batch) await this.#deliver([waiting]);
      return;
    }
    this.#settle(batch, (record) => (error === undefined ? undefined : this.#asDeliveryError(record, error)));
  }

  #settle(batch: readonly Waiting[], outcome: (record: OutgoingRecord) => Parameters<Settled>[0]): void {
    for (const { record, bytes, settled } of batch) {
      this.#bufferedBytes -= bytes;
      this.#settled++;
      settled(outcome(record));
    }
    const isDone = ({ upTo }: { upTo: number }) => this.#settled >= upTo;
    for (const { resolve } of this.#flushWaiters.filter(isDone)) resolve();
    this.#flushWaiters = this.#flushWaiters.filter((waiter) => !isDone(waiter));
  }

  #asDeliveryError(record: OutgoingRecord, error: unknown): DeliveryError | KafkaRefusedError {
    if (this.#refusal !== undefined) return this.#refusal;
    return new DeliveryError(record.topic, messageOf(error), {
      retriable: !isRecordAtFault(error),
      cause: error,
    });
  }

  /**
   * Does the work, and retries while the broker is unreachable. Returns an error that retrying can't fix.
   *
   * @param topics that it writes to, for the log
   */
  async #repeatedly(topics: readonly string[], work: () => Promise<void>): Promise<unknown> {
    const { client, clock, log } = this.#options;
    for (let waitMs = RETRY_MS_MIN; ; ) {
      try {
        await work();
        this.#reached();
        return undefined;
      } catch (error) {
        if (isRecordAtFault(error)) return error;
        if (isFinal(client, error)) {
          this.#refusal = new KafkaRefusedError("to accept records", error);
          log.error({ reason: explained(error) }, "Kafka permanently refuses records");
          return error;
        }
        if (this.#abort.signal.aborted) return error;
        await this.#mend(error, topics);
        await delay(clock, waitMs, this.#abort.signal);
        waitMs = Math.min(longestWaitMs(error, RETRY_MS_MAX), waitMs * 2);
      }
    }
  }

  async #mend(error: unknown, topics: readonly string[]): Promise<void> {
    const { clock, log, onTopicMissing } = this.#options;
    if (isTopicMissing(error)) {
      if (this.#unreachable === undefined)
        log.warn({ topics, reason: messageOf(error) }, "an output topic is missing; recreating it");
      await onTopicMissing().catch((reason: unknown) => {
        if (this.#unreachable !== undefined) return;
        this.#unreachable = {
          sinceMs: clock.now(),
          reason: `a topic can't be created: ${messageOf(reason)}`,
        };
        log.warn({ reason: messageOf(reason) }, "the topic can't be created yet; buffering its records");
      });
      return;
    }
    if (isProducerLost(error)) {
      log.warn({ reason: messageOf(error) }, "the broker no longer knows this producer; starting a new one");
      await this.#discard();
      return;
    }
    if (this.#unreachable === undefined) {
      this.#unreachable = { sinceMs: clock.now(), reason: explained(error) };
      log.warn(
        { reason: explained(error), bufferedRecords: this.#waiting.length + this.#inFlight },
        "Kafka does not accept records; buffering and retrying",
      );
    }
  }

  #reached(): void {
    const { clock, log } = this.#options;
    if (this.#unreachable === undefined) return;
    log.info({ awayMs: clock.now() - this.#unreachable.sinceMs }, "Kafka accepts records again");
    this.#unreachable = undefined;
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const producer = this.#options.client.producer({
      createPartitioner: javaPartitioner,
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 2 },
    });
    try {
      await producer.connect();
    } catch (error) {
      void producer.disconnect().catch(() => undefined);
      throw error;
    }
    this.#producer = producer;
    return producer;
  }

  /** A disconnect may hang (tulios/kafkajs#571); it is left behind then. */
  async #discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer !== undefined) await within(this.#options.clock, 1_000, producer.disconnect());
  }

  #releaseRoom(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }
}

/** Checks the limits before anything connects. */
export function checkedLimits(lingerMs: number, bufferBytesMax: number): void {
  if (!(lingerMs >= 0)) {
    throw new StreamsError(
      "STREAMS_BAD_OPTION",
      `lingerMs is ${lingerMs}; it must be 0 or more milliseconds.`,
    );
  }
  if (!(bufferBytesMax > 0)) {
    throw new StreamsError(
      "STREAMS_BAD_OPTION",
      `bufferBytesMax is ${bufferBytesMax}; it must be more than 0.`,
    );
  }
}
