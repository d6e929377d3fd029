/** What the tasks tell, on its way to Kafka; what Kafka refuses becomes a dead letter of the record that it came of. */
import type { Kafka } from "kafkajs";
import { KafkaRefusedError } from "../errors.ts";
import { BatchingProducer } from "../io/batching-producer.ts";
import type { Clock, IncomingRecord, Log, OutgoingRecord } from "../ports.ts";
import { cutLetter, deadLetterOf, deadLetterTopicName } from "./dead-letters.ts";

export interface DeliveryOptions {
  readonly app: string;
  readonly client: Kafka;
  readonly log: Log;
  readonly clock: Clock;
  readonly onTopicMissing: () => Promise<void>;
  /** Nothing more can be delivered. */
  readonly onFailure: (error: Error) => void;
}

/** Bytes on their way, above which the tasks wait. */
const BUFFER_BYTES_MAX = 2 * 1024 * 1024;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #producer: BatchingProducer;
  #refusals = 0;

  constructor(options: DeliveryOptions) {
    const { client, log, clock, onTopicMissing } = options;
    this.#options = options;
    this.#producer = new BatchingProducer({
      client,
      log,
      clock,
      onTopicMissing,
      // No waiting for company: what gathers while a request is under way is company enough.
      lingerMs: 0,
      bufferBytesMax: BUFFER_BYTES_MAX,
    });
  }

  get unreachable(): { sinceMs: number; reason: string } | undefined {
    return this.#producer.unreachable;
  }

  get refusal(): KafkaRefusedError | undefined {
    return this.#producer.refusal;
  }

  /** Hands a record on; `origin` is what it came of. */
  emit(record: OutgoingRecord, origin: IncomingRecord): void {
    this.#producer.enqueue(record, (error) => {
      // A retriable error comes from `close`: the record is not committed, and will be produced again.
      if (error === undefined || error.retriable) return;
      const isDeadLetter = record.topic === deadLetterTopicName(origin.topic);
      if (error instanceof KafkaRefusedError) return this.#options.onFailure(error);
      const { topic, partition, offset } = origin;
      const { app, log } = this.#options;
      if (isDeadLetter) {
        const smaller = cutLetter(record);
        if (smaller === undefined) return this.#options.onFailure(error);
        this.#refusals++;
        const bytes = record.value?.length ?? 0;
        log.warn(
          { topic, partition, offset, bytes, reason: error.message },
          "dead letter too large; truncated",
        );
        return this.emit(smaller, origin);
      }
      this.#refusals++;
      log.warn(
        { topic, partition, offset, reason: error.message },
        "Kafka refused an output of a record; sending the record to the dead-letter topic",
      );
      this.emit(deadLetterOf(app, origin, "refused", error.message), origin);
    });
  }

  /** Hands on what there is nothing in place of: a change of a store. */
  keep(record: OutgoingRecord): void {
    this.#producer.enqueue(record, (error) => {
      if (error !== undefined && !error.retriable) this.#options.onFailure(error);
    });
  }

  /** To be waited for before more is told; undefined where there is room. */
  room(): Promise<void> | undefined {
    return this.#producer.hasRoom ? undefined : this.#producer.room();
  }

  /** What was told so far is with Kafka, including the dead letters of what it refused. */
  async delivered(): Promise<void> {
    let refusals: number;
    do {
      refusals = this.#refusals;
      await this.#producer.flush();
    } while (refusals !== this.#refusals);
  }

  async close(deadlineMs: number): Promise<void> {
    const left = await this.#producer.close(deadlineMs);
    if (left === 0) return;
    this.#options.log.warn(
      { records: left },
      "stopped before Kafka accepted these records; they will be produced again",
    );
  }
}
