/** The committed offsets of one group, and those that wait for the end of their transaction. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 where the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedMs: number;
}

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
  #commits = 0;

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
    const there = partitions?.delete(partition) ?? false;
    if (partitions?.size === 0) this.#topics.delete(topic);
    return there;
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic);
    for (const [producerId, pending] of this.#pending) {
      this.#setPending(
        producerId,
        pending.filter((one) => one.topic !== topic),
      );
    }
  }

  // ------------------------------------------------------------------ in a transaction

  /** Holds an offset back until the producer's transaction ends. */
  setPending(producerId: number, topic: string, partition: number, offset: CommittedOffset): void {
    const others = (this.#pending.get(producerId) ?? []).filter(
      (one) => one.topic !== topic || one.partition !== partition,
    );
    this.#setPending(producerId, [...others, { topic, partition, offset, order: this.#commits++ }]);
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
    this.#pending.delete(producerId);
    if (!committed) return;
    for (const { topic, partition, offset, order } of pending) {
      const current = this.get(topic, partition);
      const newer = current !== undefined && (this.#orders.get(current) ?? -1) > order;
      if (!newer) this.#set(topic, partition, offset, order);
    }
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
