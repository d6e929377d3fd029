/** The committed offsets of one group. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 where the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedMs: number;
}

export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();

  get empty(): boolean {
    return this.#topics.size === 0;
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  set(topic: string, partition: number, offset: CommittedOffset): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    partitions.set(partition, offset);
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
  }

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
