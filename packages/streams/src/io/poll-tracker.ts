/**
 * Knows which partitions have been read to their end (rule 2 of the trailing window: only then may a clock run on alone).
 *
 * kafkajs hands over batches only where there are records. That a partition has none follows from a whole round of
 * fetching, from one FETCH_START of each broker to its next, with an answer and without a batch of the partition.
 */
export class PollTracker {
  #sequence = 0;
  #answeredAt = -1;
  readonly #startedAt = new Map<string, number>();
  readonly #partitions = new Map<string, { batchAt: number; isAtEnd: boolean; emptyAt: Set<string> }>();

  /** Forgets everything: the partitions are being reassigned. */
  assigned(partitions: Iterable<string>): void {
    this.#partitions.clear();
    for (const partition of partitions) {
      this.#partitions.set(partition, { batchAt: ++this.#sequence, isAtEnd: false, emptyAt: new Set() });
    }
    this.#startedAt.clear();
  }

  /** A broker's answer to a fetch has come. */
  answered(): void {
    this.#answeredAt = ++this.#sequence;
  }

  fetchStarted(broker: string): void {
    const startedAt = this.#startedAt.get(broker);
    if (startedAt !== undefined && this.#answeredAt > startedAt) {
      for (const { batchAt, emptyAt } of this.#partitions.values())
        if (batchAt < startedAt) emptyAt.add(broker);
    }
    this.#startedAt.set(broker, ++this.#sequence);
  }

  /** The partition is not asked for: whether there is more is not known. */
  unknown(partition: string): void {
    const state = this.#partitions.get(partition);
    if (state === undefined) return;
    state.batchAt = ++this.#sequence;
    state.isAtEnd = false;
    state.emptyAt.clear();
  }

  /** A batch of the partition was handed over; `isLast` where it reached the end that the topic had. */
  batch(partition: string, isLast: boolean): void {
    this.unknown(partition);
    const state = this.#partitions.get(partition);
    if (state !== undefined) state.isAtEnd = isLast;
  }

  /** Whether the partition had no more records when it was last asked for. */
  isAtEnd(partition: string): boolean {
    const state = this.#partitions.get(partition);
    if (state === undefined || this.#startedAt.size === 0) return false;
    return state.isAtEnd || state.emptyAt.size >= this.#startedAt.size;
  }
}
