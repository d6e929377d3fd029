/** A run of batches in memory: the unit that retention drops. */

/** One batch as the client sent it, with the header fields that look-ups need. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

export class Segment {
  readonly baseOffset: number;
  readonly createdMs: number;
  readonly #batches: StoredBatch[] = [];
  #bytes = 0;
  #maxTimestampMs = -1;

  constructor(baseOffset: number, createdMs: number) {
    this.baseOffset = baseOffset;
    this.createdMs = createdMs;
  }

  get batches(): readonly StoredBatch[] {
    return this.#batches;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of all its records; -1 for an empty segment. */
  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  append(batch: StoredBatch): void {
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
  }

  /** Index of the batch that holds an offset, or of the first one after it. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.#batches[middle];
      if (batch !== undefined && batch.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
