/** A run of batches in memory: the unit that retention drops. */

/** One batch as the client sent it, with the header fields that look-ups need. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

/** From this size on a batch has a buffer to itself. */
const ALONE_FROM_BYTES = 16 * 1024;
const SLAB_BYTES_MIN = 1024;
const SLAB_BYTES_MAX = 64 * 1024;

export class Segment {
  readonly baseOffset: number;
  readonly createdMs: number;
  readonly #batches: StoredBatch[] = [];
  #bytes = 0;
  #maxTimestampMs = -1;
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;

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

  /**
   * A batch as the log keeps it. Small ones are packed into slabs of the segment: a copy in Node's shared pool, or a
   * slice of what came over the socket, would hold on to the kilobytes of short-lived bytes around it.
   */
  pack(bytes: Buffer): Buffer {
    if (bytes.length >= ALONE_FROM_BYTES) {
      return bytes.length * 2 < bytes.buffer.byteLength ? copyAlone(bytes) : bytes;
    }
    if (this.#slabUsed + bytes.length > this.#slab.length) {
      // As large as what there is already: a topic with a few records stays small.
      const wanted = Math.max(this.#bytes, bytes.length, SLAB_BYTES_MIN);
      this.#slab = Buffer.allocUnsafeSlow(Math.min(wanted, SLAB_BYTES_MAX));
      this.#slabUsed = 0;
    }
    const packed = this.#slab.subarray(this.#slabUsed, this.#slabUsed + bytes.length);
    bytes.copy(packed);
    this.#slabUsed += bytes.length;
    return packed;
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

function copyAlone(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
