/**
 * The transaction coordinator (KIP-98): who may write under a transactional id, which partitions and groups belong to
 * its transaction, and how that ends everywhere or nowhere.
 *
 * Markers are written in the same stretch as the decision wherever the partition's leader can be reached, so that as a
 * rule nobody sees the states in between.
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { NO_PRODUCER, NO_PRODUCER_EPOCH } from "../records/batch.ts";
import { StorageError } from "../storage/errors.ts";
import { Saved, textIn } from "../storage/saved.ts";
import { outcomes, type TransactionEvent } from "./transaction-states.ts";
import { type ProducerIdentity, TransactionalId } from "./transactional-id.ts";

/** Who asks for something, and under which transactional id. */
export interface TransactionalProducer extends ProducerIdentity {
  readonly transactionalId: string;
}

export interface InitRequest {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  /** Who the producer was, if it continues after an error (KIP-360). */
  readonly expected: ProducerIdentity | null;
}

export interface InitResult extends ProducerIdentity {
  readonly errorCode: number;
}

/** Where a transaction's offsets wait for its end. */
export interface PendingOffsetsOfGroups {
  endTransaction(groupId: string, producerId: number, committed: boolean): void;
}

/** The kind of what is kept. */
const KEPT = "transaction";

/** All brokers of the process share one state, so that no coordinator is ever an older one. */
const COORDINATOR_EPOCH = 0;

/** How long a leader that can't be reached is left alone. */
const RETRY_MS = 100;

export class Transactions {
  readonly #cluster: Cluster;
  readonly #groups: PendingOffsetsOfGroups;
  readonly #reaches: (partition: Partition) => boolean;
  readonly #ids = new Map<string, TransactionalId>();

  /**
   * Begins with the transactions that were kept: those that were decided end now, the others may continue.
   *
   * @param reaches whether a partition's leader can write a marker now; by default always.
   * @throws DataFolderError, StorageError
   */
  constructor(
    cluster: Cluster,
    groups: PendingOffsetsOfGroups,
    reaches: (partition: Partition) => boolean = () => true,
  ) {
    this.#cluster = cluster;
    this.#groups = groups;
    this.#reaches = reaches;
    for (const entry of cluster.state.entries(KEPT)) {
      const held = TransactionalId.restore(textIn(entry, 1), new Saved(entry));
      this.#ids.set(held.id, held);
      if (held.state === "Ongoing")
        this.#expectEnd(held, held.startedMs + held.timeoutMs - cluster.clock.now());
      if (held.state === "PrepareCommit" || held.state === "PrepareAbort") this.#finish(held);
    }
  }

  /** @throws StorageError */
  #save(held: TransactionalId): void {
    this.#cluster.state.put([KEPT, held.id], held.saved);
  }

  get all(): readonly TransactionalId[] {
    return [...this.#ids.values()];
  }

  get(transactionalId: string): TransactionalId | undefined {
    return this.#ids.get(transactionalId);
  }

  // ------------------------------------------------------------------ a producer begins

  /**
   * Gives a producer its id and epoch, which fences whoever had them before. Error 51 where a transaction has to end
   * first: by the time the producer asks again it has.
   */
  init({ transactionalId, timeoutMs, expected }: InitRequest): InitResult {
    const { clock, configs } = this.#cluster;
    if (timeoutMs <= 0 || timeoutMs > configs.brokerNumber("transaction.max.timeout.ms")) {
      return failedInit(errorCode.invalidTransactionTimeout);
    }
    let held = this.#ids.get(transactionalId);
    if (held === undefined) {
      held = new TransactionalId(transactionalId, this.#cluster.newProducerId(), timeoutMs, clock.now());
      this.#ids.set(transactionalId, held);
    }
    if (expected !== null && !held.isOneOfThese(expected)) return failedInit(errorCode.producerFenced);
    const isIdle = outcomes[held.state].init.kind === "move";
    if (isIdle && expected !== null && !held.mayContinue(expected)) {
      return failedInit(errorCode.producerFenced);
    }
    const code = this.#happens(held, "init");
    if (code !== errorCode.none) return failedInit(code);
    held.begin(expected, timeoutMs, () => this.#cluster.newProducerId());
    this.#save(held);
    return { errorCode: errorCode.none, producerId: held.producerId, producerEpoch: held.producerEpoch };
  }

  // ------------------------------------------------------------------ what belongs to a transaction

  addPartitions(
    producer: TransactionalProducer,
    topics: readonly { readonly name: string; readonly partitions: readonly number[] }[],
  ): number {
    return this.#asked(producer, "add", (held) => {
      for (const { name, partitions } of topics)
        for (const partition of partitions) held.add(name, partition);
    });
  }

  addGroup(producer: TransactionalProducer, groupId: string): number {
    return this.#asked(producer, "add", (held) => held.groups.add(groupId));
  }

  /** 0 where a producer may write to a partition in its transaction; 120 where the partition was not added. */
  verifyPartition(producer: TransactionalProducer, topic: string, partition: number): number {
    return this.#verify(producer, (held) => held.has(topic, partition));
  }

  /** 0 where a producer may commit a group's offsets in its transaction; 120 where the group was not added. */
  verifyGroup(producer: TransactionalProducer, groupId: string): number {
    return this.#verify(producer, (held) => held.groups.has(groupId));
  }

  #verify(producer: TransactionalProducer, isPart: (held: TransactionalId) => boolean): number {
    const held = this.#heldBy(producer);
    if (typeof held === "number") return held;
    if (held.state === "PrepareCommit" || held.state === "PrepareAbort") {
      return errorCode.concurrentTransactions;
    }
    return isPart(held) ? errorCode.none : errorCode.transactionAbortable;
  }

  // ------------------------------------------------------------------ how it ends

  end(producer: TransactionalProducer, committed: boolean): number {
    return this.#asked(producer, committed ? "commit" : "abort", () => undefined);
  }

  #heldBy(producer: TransactionalProducer): TransactionalId | number {
    if (producer.transactionalId === "") return errorCode.invalidRequest;
    const held = this.#ids.get(producer.transactionalId);
    if (held === undefined) return errorCode.invalidProducerIdMapping;
    return held.identityProblem(producer) ?? held;
  }

  #asked(
    producer: TransactionalProducer,
    event: TransactionEvent,
    change: (held: TransactionalId) => void,
  ): number {
    const held = this.#heldBy(producer);
    if (typeof held === "number") return held;
    const code = this.#happens(held, event);
    if (code !== errorCode.none) return code;
    change(held);
    if (event === "add") this.#save(held);
    return code;
  }

  /** Lets an event take its course, by the table; the error that its sender is answered. */
  #happens(held: TransactionalId, event: TransactionEvent): number {
    const outcome = outcomes[held.state][event];
    if (outcome.kind === "answer") return outcome.errorCode;
    const nowMs = this.#cluster.clock.now();
    held.updatedMs = nowMs;
    if (outcome.kind === "forget") {
      this.#cluster.state.delete([KEPT, held.id]);
      this.#ids.delete(held.id);
      return errorCode.none;
    }
    const before = held.state;
    held.state = outcome.to;
    if (outcome.kind === "fence") held.fence();
    if (held.state === "Ongoing" && before !== "Ongoing") this.#start(held, nowMs);
    if (before === "Ongoing" && held.state !== "Ongoing") {
      // The decision is kept before anything follows from it.
      this.#saveOr(held, () => {
        held.state = before;
      });
      this.#finish(held);
    }
    // Whoever begins again has to wait for the end of what was fenced, even where that took no time.
    return outcome.kind === "fence" ? errorCode.concurrentTransactions : errorCode.none;
  }

  #start(held: TransactionalId, nowMs: number): void {
    held.startedMs = nowMs;
    this.#expectEnd(held, held.timeoutMs);
  }

  #expectEnd(held: TransactionalId, inMs: number): void {
    held.timer = this.#cluster.clock.setTimer(inMs, () => {
      this.#orLater(held, () => void this.#happens(held, "timeout"));
    });
  }

  #saveOr(held: TransactionalId, undo: () => void): void {
    try {
      this.#save(held);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** What the disk refuses is tried again: nobody waits who could be told. */
  #orLater(held: TransactionalId, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      held.timer = this.#cluster.clock.setTimer(RETRY_MS, () => this.#orLater(held, work));
    }
  }

  /** Writes the markers; those of leaders that can't be reached are tried again. */
  #finish(held: TransactionalId): void {
    held.timer?.cancel();
    held.timer = null;
    const committed = held.state === "PrepareCommit";
    for (const [topic, partitions] of [...held.partitions]) {
      for (const index of [...partitions]) {
        if (this.#writeMarker(held, topic, index, committed)) held.remove(topic, index);
      }
    }
    if (held.partitions.size > 0) {
      held.timer = this.#cluster.clock.setTimer(RETRY_MS, () => this.#finish(held));
      return;
    }
    this.#orLater(held, () => {
      for (const groupId of held.groups) this.#groups.endTransaction(groupId, held.producerId, committed);
      held.groups.clear();
      this.#happens(held, "written");
      this.#save(held);
    });
  }

  /** False where the leader can't be reached. A partition that is gone, or knows a later epoch, needs no marker. */
  #writeMarker(held: TransactionalId, topic: string, index: number, committed: boolean): boolean {
    const partition = this.#cluster.partition(topic, index);
    if (partition === undefined) return true;
    if (!this.#reaches(partition)) return false;
    const { producerId, producerEpoch } = held;
    const timestampMs = this.#cluster.clock.now();
    const written = partition.log.appendMarker(
      { producerId, producerEpoch, committed, coordinatorEpoch: COORDINATOR_EPOCH, timestampMs },
      { leaderEpoch: partition.leaderEpoch },
    );
    return written.errorCode !== errorCode.kafkaStorageError;
  }

  // ------------------------------------------------------------------ time

  /** Forgets transactional ids that were not used for `transactional.id.expiration.ms`. */
  cleanUp(): void {
    const { clock, configs } = this.#cluster;
    const unusedSinceMs = clock.now() - configs.brokerNumber("transactional.id.expiration.ms");
    for (const held of this.all) {
      if (held.updatedMs <= unusedSinceMs) this.#happens(held, "expire");
    }
  }

  close(): void {
    for (const { timer } of this.#ids.values()) timer?.cancel();
  }
}

function failedInit(code: number): InitResult {
  return { errorCode: code, producerId: NO_PRODUCER, producerEpoch: NO_PRODUCER_EPOCH };
}
