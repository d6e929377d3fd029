/**
 * The transactions of one partition, as readers at read_committed need them (KIP-98): where the open ones began, and
 * which stretches belong to aborted ones.
 */

/** Records of `producerId` from the first to the last offset were aborted; the last offset is that of the marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export type Decision = "committed" | "aborted" | "open";

export class TransactionIndex {
  /** First offsets by producer id. Offsets only grow, so the order of insertion is theirs. */
  readonly #open = new Map<number, number>();
  /** By their last offset, ascending. */
  readonly #aborted: AbortedTransaction[] = [];

  /** The first offset of the oldest transaction that is open; null where none is. */
  get firstOpenOffset(): number | null {
    for (const offset of this.#open.values()) return offset;
    return null;
  }

  /** Where a producer's open transaction began; null where it has none. */
  openSince(producerId: number): number | null {
    return this.#open.get(producerId) ?? null;
  }

  /** Every aborted transaction of which records may be left, by its last offset. */
  get aborted(): readonly AbortedTransaction[] {
    return this.#aborted;
  }

  /** A producer wrote in a transaction: it begins here unless it has begun before. */
  wrote(producerId: number, offset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, offset);
  }

  /** A marker at this offset ends a producer's transaction. One that wrote nothing here leaves nothing to be told. */
  ended(producerId: number, markerOffset: number, committed: boolean): void {
    const firstOffset = this.#open.get(producerId);
    if (firstOffset === undefined) return;
    this.#open.delete(producerId);
    if (!committed) this.#aborted.push({ producerId, firstOffset, lastOffset: markerOffset });
  }

  /** The aborted transactions that have a part in `[from, to)`. */
  abortedBetween(from: number, to: number): AbortedTransaction[] {
    let first = 0;
    let after = this.#aborted.length;
    while (first < after) {
      const middle = (first + after) >>> 1;
      if ((this.#aborted[middle]?.lastOffset ?? from) < from) first = middle + 1;
      else after = middle;
    }
    return this.#aborted.slice(first).filter(({ firstOffset }) => firstOffset < to);
  }

  /** What became of a record that a producer wrote in a transaction. */
  decisionOn(producerId: number, offset: number): Decision {
    const openSince = this.#open.get(producerId);
    if (openSince !== undefined && openSince <= offset) return "open";
    const aborted = this.abortedBetween(offset, offset + 1);
    return aborted.some((one) => one.producerId === producerId) ? "aborted" : "committed";
  }

  /** Forgets an aborted transaction of which compaction has left nothing but the marker. */
  forgetAborted(markerOffset: number): void {
    const index = this.#aborted.findIndex(({ lastOffset }) => lastOffset === markerOffset);
    if (index >= 0) this.#aborted.splice(index, 1);
  }

  /** Forgets the aborted transactions that are all below the log's new start. */
  deleteBefore(logStartOffset: number): void {
    const kept = this.#aborted.findIndex(({ lastOffset }) => lastOffset >= logStartOffset);
    this.#aborted.splice(0, kept < 0 ? this.#aborted.length : kept);
  }
}
