/** Outputs and position of a partition in one transaction: both become visible to readers of committed records, or neither. */
import type { Kafka } from "kafkajs";
import { DeliveryError, KafkaRefusedError, messageOf, StreamsError } from "../errors.ts";
import { isFinal } from "../io/access.ts";
import { type ConsumerSession, keyOf, type TopicPartition } from "../io/consumer-session.ts";
import { isTopicMissing } from "../io/kafka-errors.ts";
import { inTime } from "../io/machine-clock.ts";
import { bytesOf } from "../io/messages.ts";
import { type CommittedPosition, isFenced, TransactionalProducer } from "../io/transactional-producer.ts";
import type { Clock, IncomingRecord, Log, OutgoingRecord } from "../ports.ts";
import type { Commits } from "./commits.ts";
import { cutLetter, deadLetterOf, deadLetterTopicName } from "./dead-letters.ts";
import type { Numbers } from "./numbers.ts";
import type { Outlet } from "./outlet.ts";
import type { Task } from "./task.ts";
import type { Positions, Tasks } from "./tasks.ts";

export interface ExactlyOnceOptions {
  readonly app: string;
  /** With short retries, see `TRANSACTION_RETRY`. */
  readonly client: Kafka;
  readonly log: Log;
  readonly clock: Clock;
  readonly numbers: Numbers;
  readonly onTopicMissing: () => Promise<void>;
  readonly onCommitted: (positions: readonly CommittedPosition[]) => void;
  /** The partition's task has told what can't be committed; it was marked as broken. */
  readonly onBroken: (at: TopicPartition, reason: unknown) => void;
  /** A commit is wanted now: there is no more room. */
  readonly onFull: () => void;
  /** Nothing more can be delivered. */
  readonly onFailure: (error: Error) => void;
}

/** Bytes that one partition may tell in one transaction, above which its task waits. */
const OUTBOX_BYTES_MAX = 1024 * 1024;

/** How long it may take to be given a transactional id: brokers end the former owner's transaction meanwhile. */
const OPEN_MS = 20_000;

interface Told {
  readonly record: OutgoingRecord;
  readonly origin: IncomingRecord;
}

/** What one life of a partition has emitted since its last transaction, and the producer that it may use. */
class Outbox implements Outlet {
  readonly #onFull: () => void;
  #told: Told[] = [];
  #bytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #producer: TransactionalProducer | undefined;
  committing: Promise<void> | undefined;

  constructor(producer: TransactionalProducer, onFull: () => void) {
    this.#producer = producer;
    this.#onFull = onFull;
  }

  /** Undefined when this life is over: nothing of it may be committed any more. */
  get producer(): TransactionalProducer | undefined {
    return this.#producer;
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.take();
    await producer?.close();
  }

  emit(record: OutgoingRecord, origin: IncomingRecord): void {
    this.#told.push({ record, origin });
    this.#bytes += bytesOf(record);
  }

  room(): Promise<void> | undefined {
    if (this.#bytes < OUTBOX_BYTES_MAX) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    const { promise } = this.#room;
    // May take it at once, and so make room.
    this.#onFull();
    return promise;
  }

  /** Its task waits for the next transaction to make room. */
  get isFull(): boolean {
    return this.#room !== undefined;
  }

  take(): Told[] {
    const told = this.#told;
    this.#told = [];
    this.#bytes = 0;
    this.#room?.resolve();
    this.#room = undefined;
    return told;
  }
}

export class ExactlyOnce implements Commits {
  readonly #options: ExactlyOnceOptions;
  readonly #outboxes = new Map<string, Outbox>();
  #refusal: Error | undefined;

  constructor(options: ExactlyOnceOptions) {
    this.#options = options;
  }

  /** A broker's absence ends the session: who looks after that tells of it. */
  get unreachable(): undefined {
    return undefined;
  }

  get refusal(): Error | undefined {
    return this.#refusal;
  }

  keepOnly(partitions: readonly TopicPartition[]): void {
    const kept = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const [key, outbox] of this.#outboxes) {
      if (kept.has(key)) continue;
      this.#outboxes.delete(key);
      // A commit under way may still be in time.
      void (outbox.committing ?? Promise.resolve()).then(() => outbox.close());
    }
  }

  async acquire(partitions: readonly TopicPartition[]): Promise<boolean> {
    await Promise.all(partitions.map((each) => this.#open(each)));
    return partitions.length > 0;
  }

  outletOf({ topic, partition }: TopicPartition): Outlet {
    const outbox = this.#outboxes.get(keyOf(topic, partition));
    if (outbox !== undefined) return outbox;
    throw new StreamsError("STREAMS_CLOSED", `${topic}[${partition}] is not assigned to this process.`, {
      retriable: true,
    });
  }

  async note(_session: ConsumerSession, beginnings: readonly Positions[]): Promise<void> {
    const positions = beginnings.flatMap(({ offsets, changes }) =>
      offsets.map((position) => ({ position, changes })),
    );
    await Promise.all(
      positions.map(async ({ position, changes }) => {
        const outbox = this.#outboxes.get(keyOf(position.topic, position.partition));
        await outbox?.producer?.commit(changes, position, undelivered);
      }),
    );
  }

  async commit(_session: ConsumerSession, tasks: Tasks, isLast: boolean): Promise<void> {
    await Promise.all(tasks.moved(isLast).map((task) => this.#commitOf(task, tasks, isLast)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.close()));
  }

  /** One transaction of the task after another; the partitions do not wait for each other. */
  #commitOf(task: Task, tasks: Tasks, isLast: boolean): Promise<void> {
    const outbox = task.outlet;
    if (!(outbox instanceof Outbox)) return Promise.resolve();
    if (outbox.committing !== undefined) {
      return isLast ? outbox.committing.then(() => this.#commitOf(task, tasks, isLast)) : Promise.resolve();
    }
    if (outbox.producer === undefined) return Promise.resolve();
    outbox.committing = this.#transact(task, tasks, outbox).finally(() => {
      outbox.committing = undefined;
      // It became so while a transaction was under way: the next one need not wait for its time.
      if (outbox.isFull) this.#options.onFull();
    });
    return outbox.committing;
  }

  async #transact(task: Task, tasks: Tasks, outbox: Outbox): Promise<void> {
    const { clock, numbers } = this.#options;
    const at = { topic: task.topic, partition: task.partitionId };
    // Between two records, so that all of a record's outputs are in it, or none.
    const { news, told } = await task.cut(() => ({ news: tasks.newsOf(task), told: outbox.take() }));
    const { producer } = outbox;
    if (producer === undefined || task.isBroken) return;
    const startedMs = clock.monotonic();
    try {
      const replaced = new Map<OutgoingRecord, IncomingRecord>();
      const replacement = (refused: OutgoingRecord, error: unknown) => {
        const origin = replaced.get(refused) ?? told.find(({ record }) => record === refused)?.origin;
        if (origin === undefined) return undelivered(refused, error);
        const other = this.#replacement(refused, origin, error);
        replaced.set(other, origin);
        return other;
      };
      const records = [...told.map(({ record }) => record), ...news.changes];
      const positions = news.offsets;
      for (const position of positions) await producer.commit(records, position, replacement);
      this.#options.onCommitted(positions);
      news.noted();
      numbers.count("commits");
      numbers.gauge("commit_seconds", (clock.monotonic() - startedMs) / 1_000, at);
    } catch (error) {
      await this.#broken(task, outbox, error);
    }
  }

  async #broken(task: Task, outbox: Outbox, error: unknown): Promise<void> {
    const { client, log, onBroken, onFailure, onTopicMissing } = this.#options;
    const at = { topic: task.topic, partition: task.partitionId };
    task.isBroken = true;
    void outbox.close();
    // It went to another, here or elsewhere: nobody misses it.
    if (this.#outboxes.get(keyOf(task.topic, task.partitionId)) !== outbox) return;
    if (error instanceof DeliveryError || isFinal(client, error)) {
      const refusal = error instanceof DeliveryError ? error : new KafkaRefusedError("a transaction", error);
      this.#refusal = refusal;
      return onFailure(refusal);
    }
    const reason = messageOf(error);
    if (isFenced(error)) log.info({ ...at, reason }, "the partition was taken over by another process");
    else
      log.debug({ ...at, reason }, "a transaction failed; continuing from the last one that was committed");
    if (isTopicMissing(error)) await onTopicMissing().catch(() => undefined);
    onBroken(at, error);
  }

  async #open({ topic, partition }: TopicPartition): Promise<void> {
    const { app, client, clock } = this.#options;
    const key = keyOf(topic, partition);
    void this.#outboxes.get(key)?.close();
    const transactionalId = `${app}-${topic}-${partition}`;
    const producer = new TransactionalProducer({ client, clock, transactionalId, groupId: app });
    try {
      await inTime(clock, OPEN_MS, `Taking over ${key}`, producer.open());
    } catch (error) {
      void producer.close();
      throw error;
    }
    this.#outboxes.set(key, new Outbox(producer, this.#options.onFull));
  }

  /** As `Delivery` does it: what Kafka refuses is a dead letter of what it came of, and that is cut where it is too large. */
  #replacement(refused: OutgoingRecord, origin: IncomingRecord, error: unknown): OutgoingRecord {
    const { app, log } = this.#options;
    const { topic, partition, offset } = origin;
    const fields = { topic, partition, offset, reason: messageOf(error) };
    if (refused.topic !== deadLetterTopicName(origin.topic)) {
      log.warn(fields, "Kafka refused an output of a record; sending the record to the dead-letter topic");
      return deadLetterOf(app, origin, "refused", messageOf(error));
    }
    const smaller = cutLetter(refused);
    if (smaller === undefined) return undelivered(refused, error);
    log.warn({ ...fields, bytes: refused.value?.length ?? 0 }, "dead letter too large; truncated");
    return smaller;
  }
}

/** There is nothing to write in its place: a block of a changelog, or a dead letter that can't be cut. */
function undelivered({ topic }: OutgoingRecord, error: unknown): never {
  throw new DeliveryError(topic, messageOf(error), { cause: error });
}
