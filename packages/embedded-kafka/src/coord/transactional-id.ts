/** One transactional id: who may use it, and what its transaction has touched. */
import { errorCode } from "../protocol/error-codes.ts";
import { NO_PRODUCER, NO_PRODUCER_EPOCH } from "../records/batch.ts";
import type { Saved } from "../storage/saved.ts";
import type { Timer } from "../time/clock.ts";
import { type TransactionState, transactionStates } from "./transaction-states.ts";

/** A producer id with its epoch: who speaks. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** The greatest epoch; it fences, and is never given to a producer. */
const LAST_EPOCH = 0x7fff;

function isExhausted(epoch: number): boolean {
  return epoch >= LAST_EPOCH - 1;
}

export class TransactionalId {
  readonly id: string;
  state: TransactionState = "Empty";
  timeoutMs: number;
  /** When the transaction began; -1 before the first one of this producer. */
  startedMs = -1;
  updatedMs: number;
  timer: Timer | null = null;
  /** Partitions by topic that have been added and have no marker yet. */
  readonly partitions = new Map<string, Set<number>>();
  /** Groups whose offsets are part of the transaction. */
  readonly groups = new Set<string>();
  #producerId: number;
  /** The producer id before this one, as long as its last request may come again. */
  #previousProducerId = NO_PRODUCER;
  #producerEpoch = NO_PRODUCER_EPOCH;
  /** The epoch before this one, where the producer itself asked for the next; -1 where another took over. */
  #lastProducerEpoch = NO_PRODUCER_EPOCH;

  constructor(id: string, producerId: number, timeoutMs: number, nowMs: number) {
    this.id = id;
    this.#producerId = producerId;
    this.timeoutMs = timeoutMs;
    this.updatedMs = nowMs;
  }

  /** What has to outlive the process, for {@link restore}. */
  get saved(): object {
    return {
      producerId: this.#producerId,
      previousProducerId: this.#previousProducerId,
      producerEpoch: this.#producerEpoch,
      lastProducerEpoch: this.#lastProducerEpoch,
      state: this.state,
      timeoutMs: this.timeoutMs,
      startedMs: this.startedMs,
      updatedMs: this.updatedMs,
      partitions: Object.fromEntries([...this.partitions].map(([topic, indexes]) => [topic, [...indexes]])),
      groups: [...this.groups],
    };
  }

  /** @throws DataFolderError */
  static restore(id: string, saved: Saved): TransactionalId {
    const held = new TransactionalId(
      id,
      saved.number("producerId"),
      saved.number("timeoutMs"),
      saved.number("updatedMs"),
    );
    held.#previousProducerId = saved.number("previousProducerId");
    held.#producerEpoch = saved.number("producerEpoch");
    held.#lastProducerEpoch = saved.number("lastProducerEpoch");
    held.state = transactionStates.find((state) => state === saved.text("state")) ?? "Empty";
    held.startedMs = saved.number("startedMs");
    for (const [topic, indexes] of saved.numbersByName("partitions")) {
      for (const index of indexes) held.add(topic, index);
    }
    for (const group of saved.texts("groups")) held.groups.add(group);
    return held;
  }

  get producerId(): number {
    return this.#producerId;
  }

  get producerEpoch(): number {
    return this.#producerEpoch;
  }

  /** Why a producer is not the one that holds this id; null where it is. */
  identityProblem({ producerId, producerEpoch }: ProducerIdentity): number | null {
    if (producerId !== this.#producerId) return errorCode.invalidProducerIdMapping;
    return producerEpoch === this.#producerEpoch ? null : errorCode.producerFenced;
  }

  /**
   * Whether a producer that says who it was is one of this id, whatever its epoch (KIP-360). Such a one may end the
   * transaction that is open, as any that begins; only {@link mayContinue} says whether it is the newest.
   */
  isOneOfThese(expected: ProducerIdentity): boolean {
    return (
      this.#producerEpoch === NO_PRODUCER_EPOCH ||
      expected.producerId === this.#producerId ||
      // The epochs were used up, the producer got a new id, and the answer was lost.
      (expected.producerId === this.#previousProducerId && isExhausted(expected.producerEpoch))
    );
  }

  /** Whether a producer that says who it was may begin again (KIP-360). */
  mayContinue({ producerEpoch }: ProducerIdentity): boolean {
    if (this.#producerEpoch === NO_PRODUCER_EPOCH) return true;
    return [this.#producerEpoch, this.#lastProducerEpoch].includes(producerEpoch);
  }

  /** The next epoch for a producer that begins, or a new id where they are used up. */
  begin(expected: ProducerIdentity | null, timeoutMs: number, newProducerId: () => number): void {
    this.timeoutMs = timeoutMs;
    this.startedMs = -1;
    // The same request once more, or the producer whose transaction timed out: it has its new epoch already.
    const again =
      expected !== null &&
      this.#producerEpoch !== NO_PRODUCER_EPOCH &&
      expected.producerEpoch !== this.#producerEpoch;
    if (again && this.#producerEpoch < LAST_EPOCH) return;
    const isNew = this.#producerEpoch === NO_PRODUCER_EPOCH;
    this.#lastProducerEpoch = expected === null || isNew ? NO_PRODUCER_EPOCH : expected.producerEpoch;
    this.#previousProducerId = this.#producerId;
    if (isExhausted(this.#producerEpoch)) {
      this.#producerId = newProducerId();
      this.#producerEpoch = 0;
    } else {
      this.#producerEpoch += 1;
    }
  }

  /** Raises the epoch, so that whoever has the one before can do nothing but begin again. */
  fence(): void {
    this.#lastProducerEpoch = this.#producerEpoch;
    this.#producerEpoch = Math.min(this.#producerEpoch + 1, LAST_EPOCH);
  }

  has(topic: string, partition: number): boolean {
    return this.partitions.get(topic)?.has(partition) ?? false;
  }

  add(topic: string, partition: number): void {
    const partitions = this.partitions.get(topic) ?? new Set();
    this.partitions.set(topic, partitions.add(partition));
  }

  remove(topic: string, partition: number): void {
    const partitions = this.partitions.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.partitions.delete(topic);
  }
}
