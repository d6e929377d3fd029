/** The committed offsets of one group, and those that wait for the end of their transaction. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 where the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedMs: number;
}

/** Where a group's offsets are kept. Null: the offset is gone. The order is that of the group's commits. */
export interface OffsetKeeper {
  committed(topic: string, partition: number, offset: CommittedOffset | null, order: number): void;
  pending(
    producerId: number,
    topic: string,
    partition: number,
    offset: CommittedOffset | null,
    order: number,
  ): void;
  together(work: () => void): void;
}

const nowhere: OffsetKeeper = {
  committed: () => {},
  pending: () => {},
  together: (work) => work(),
};

const NO_ORDER = -1;

interface PendingOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: CommittedOffset;
  /** Which commit of the group it was: what was committed after it stays. */
  readonly order: number;
}

export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();
  /** By producer id. */
  readonly #pending = new Map<number, PendingOffset[]>();
  /** Which commit of the group each offset was. */
  readonly #orders = new WeakMap<CommittedOffset, number>();
  readonly #keeper: OffsetKeeper;
  #commits = 0;

  constructor(keeper: OffsetKeeper = nowhere) {
    this.#keeper = keeper;
  }

  /** Takes over what was kept. */
  restore(topic: string, partition: number, offset: CommittedOffset, order: number): void {
    this.#commits = Math.max(this.#commits, order + 1);
    this.#place(topic, partition, offset, order);
  }

  /** Takes over what was kept of a transaction that is not over. */
  restorePending(
    producerId: number,
    topic: string,
    partition: number,
    offset: CommittedOffset,
    order: number,
  ): void {
    this.#commits = Math.max(this.#commits, order + 1);
    const others = this.#pending.get(producerId) ?? [];
    this.#setPending(producerId, [...others, { topic, partition, offset, order }]);
  }

  /** Nothing is committed, and nothing waits to be. */
  get empty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0;
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  set(topic: string, partition: number, offset: CommittedOffset): void {
    this.#set(topic, partition, offset, this.#commits++);
  }

  #set(topic: string, partition: number, offset: CommittedOffset, order: number): void {
    this.#keeper.committed(topic, partition, offset, order);
    this.#place(topic, partition, offset, order);
  }

  #place(topic: string, partition: number, offset: CommittedOffset, order: number): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    partitions.set(partition, offset);
    this.#orders.set(offset, order);
  }

  /** False where there was none. */
  delete(topic: string, partition: number): boolean {
    const partitions = this.#topics.get(topic);
    if (partitions?.has(partition)) this.#keeper.committed(topic, partition, null, NO_ORDER);
    const there = partitions?.delete(partition) ?? false;
    if (partitions?.size === 0) this.#topics.delete(topic);
    return there;
  }

  deleteTopic(topic: string): void {
    this.#keeper.together(() => {
      for (const partition of this.#topics.get(topic)?.keys() ?? []) {
        this.#keeper.committed(topic, partition, null, NO_ORDER);
      }
      for (const [producerId, pending] of this.#pending) {
        this.#forgetPending(
          producerId,
          pending.filter((one) => one.topic === topic),
        );
      }
    });
    this.#topics.delete(topic);
    for (const [producerId, pending] of this.#pending) {
      this.#setPending(
        producerId,
        pending.filter((one) => one.topic !== topic),
      );
    }
  }

  /** Forgets everything: the group is gone. */
  clear(): void {
    for (const topic of new Set([...this.#topics.keys(), ...[...this.pending()].map((one) => one.topic)])) {
      this.deleteTopic(topic);
    }
  }

  // ------------------------------------------------------------------ in a transaction

  /** Holds an offset back until the producer's transaction ends. */
  setPending(producerId: number, topic: string, partition: number, offset: CommittedOffset): void {
    const others = (this.#pending.get(producerId) ?? []).filter(
      (one) => one.topic !== topic || one.partition !== partition,
    );
    const order = this.#commits++;
    this.#keeper.pending(producerId, topic, partition, offset, order);
    this.#setPending(producerId, [...others, { topic, partition, offset, order }]);
  }

  #forgetPending(producerId: number, pending: readonly PendingOffset[]): void {
    for (const { topic, partition } of pending) {
      this.#keeper.pending(producerId, topic, partition, null, NO_ORDER);
    }
  }

  #setPending(producerId: number, pending: PendingOffset[]): void {
    if (pending.length === 0) this.#pending.delete(producerId);
    else this.#pending.set(producerId, pending);
  }

  /** Whether a transaction that is not over has an offset of this partition (KIP-447). */
  isPending(topic: string, partition: number): boolean {
    return [...this.#pending.values()]
      .flat()
      .some((pending) => pending.topic === topic && pending.partition === partition);
  }

  /** Applies what a producer's transaction held back, or drops it. */
  endTransaction(producerId: number, committed: boolean): void {
    const pending = this.#pending.get(producerId) ?? [];
    const applied = committed ? pending.filter((one) => this.#isNewest(one)) : [];
    this.#keeper.together(() => {
      for (const { topic, partition, offset, order } of applied) {
        this.#keeper.committed(topic, partition, offset, order);
      }
      this.#forgetPending(producerId, pending);
    });
    this.#pending.delete(producerId);
    for (const { topic, partition, offset, order } of applied) this.#place(topic, partition, offset, order);
  }

  #isNewest({ topic, partition, order }: PendingOffset): boolean {
    const current = this.get(topic, partition);
    return current === undefined || (this.#orders.get(current) ?? NO_ORDER) <= order;
  }

  /** Everything that waits for the end of a transaction. */
  *pending(): Generator<{ producerId: number; topic: string; partition: number; offset: CommittedOffset }> {
    for (const [producerId, pending] of this.#pending) {
      for (const { topic, partition, offset } of pending) yield { producerId, topic, partition, offset };
    }
  }

  // ------------------------------------------------------------------ all of them

  /** Everything that is committed, by topic. */
  *all(): Generator<[topic: string, partitions: ReadonlyMap<number, CommittedOffset>]> {
    yield* this.#topics;
  }

  /** Drops what was committed before then, of the topics that the group no longer reads. */
  expire(committedBeforeMs: number, isRead: (topic: string) => boolean): void {
    for (const [topic, partitions] of this.#topics) {
      if (isRead(topic)) continue;
      for (const [partition, { committedMs }] of partitions) {
        if (committedMs < committedBeforeMs) this.delete(topic, partition);
      }
    }
  }
}
