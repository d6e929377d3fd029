/** A run of batches: the unit that is rolled, dropped by retention, and kept in a file where the log has a folder. */
import { readHeader } from "../records/batch.ts";
import type { SegmentFile } from "./partition-files.ts";

/** A batch as it is appended: its bytes, with the header fields that look-ups need. */
export interface NewStoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

/** One batch as the client sent it. */
export interface StoredBatch extends NewStoredBatch {
  readonly size: number;
  readonly leaderEpoch: number;
}

class BatchInMemory implements StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;

  constructor({ baseOffset, lastOffset, maxTimestampMs, bytes }: NewStoredBatch) {
    this.baseOffset = baseOffset;
    this.lastOffset = lastOffset;
    this.maxTimestampMs = maxTimestampMs;
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  get leaderEpoch(): number {
    return this.bytes.readInt32BE(12);
  }
}

/** A batch whose bytes are read from its segment's file when they are wanted. */
class BatchInFile implements StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number;
  readonly size: number;
  readonly leaderEpoch: number;
  readonly position: number;
  readonly file: SegmentFile;

  constructor(file: SegmentFile, position: number, batch: StoredBatch) {
    this.baseOffset = batch.baseOffset;
    this.lastOffset = batch.lastOffset;
    this.maxTimestampMs = batch.maxTimestampMs;
    this.size = batch.size;
    this.leaderEpoch = batch.leaderEpoch;
    this.position = position;
    this.file = file;
  }

  get bytes(): Buffer {
    return this.file.read(this.position, this.size);
  }
}

/** From this size on a batch has a buffer to itself. */
const ALONE_FROM_BYTES = 16 * 1024;
const SLAB_BYTES_MIN = 1024;
const SLAB_BYTES_MAX = 64 * 1024;

export class Segment {
  readonly baseOffset: number;
  readonly createdMs: number;
  /** Null in a log that is in memory alone. */
  readonly file: SegmentFile | null;
  #batches: StoredBatch[] = [];
  #bytes = 0;
  #maxTimestampMs = -1;
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;

  constructor(baseOffset: number, createdMs: number, file: SegmentFile | null = null) {
    this.baseOffset = baseOffset;
    this.createdMs = createdMs;
    this.file = file;
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

  /**
   * Adds a batch: to the file first, and then for readers.
   *
   * @throws StorageError, and nothing has changed.
   */
  append(batch: NewStoredBatch): void {
    this.file?.append(batch.bytes);
    this.#add(new BatchInMemory(batch));
  }

  /** Adds a batch that is in the file already. */
  appendFound(batch: NewStoredBatch): void {
    const stored = new BatchInMemory(batch);
    this.#add(this.file === null ? stored : new BatchInFile(this.file, this.#bytes, stored));
  }

  #add(batch: StoredBatch): void {
    this.#batches.push(batch);
    this.#bytes += batch.size;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, batch.maxTimestampMs);
  }

  /** Nothing is appended any more: what is in a file need not be in memory as well. */
  close(): void {
    const { file } = this;
    if (file === null) return;
    let position = 0;
    this.#batches = this.#batches.map((batch) => {
      const at = position;
      position += batch.size;
      return batch instanceof BatchInFile ? batch : new BatchInFile(file, at, batch);
    });
    this.#slab = Buffer.alloc(0);
    this.#slabUsed = 0;
  }

  /** Puts the bytes of the batches `[from, to)` into a list; those in the file are read at once. */
  slice(from: number, to: number, into: Buffer[]): void {
    for (let index = from; index < to; ) {
      const batch = this.#batches[index];
      if (batch instanceof BatchInFile) {
        index = this.#sliceFile(batch, index, to, into);
      } else {
        if (batch !== undefined) into.push(batch.bytes);
        index += 1;
      }
    }
  }

  /** Those in the file from one on; the index of the first that is not. */
  #sliceFile(first: BatchInFile, from: number, to: number, into: Buffer[]): number {
    const ends: number[] = [];
    let bytes = 0;
    for (let index = from; index < to; index++) {
      const batch = this.#batches[index];
      if (!(batch instanceof BatchInFile)) break;
      bytes += batch.size;
      ends.push(bytes);
    }
    const read = first.file.read(first.position, bytes);
    let start = 0;
    for (const end of ends) {
      into.push(read.subarray(start, end));
      start = end;
    }
    return from + ends.length;
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

/** A batch with what its header says of its place. */
export function storedBatch(bytes: Buffer): NewStoredBatch {
  const { baseOffset, lastOffsetDelta, maxTimestamp } = readHeader(bytes);
  return { baseOffset, lastOffset: baseOffset + lastOffsetDelta, maxTimestampMs: maxTimestamp, bytes };
}
