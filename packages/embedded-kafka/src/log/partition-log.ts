/** One partition: an append-only list of batches in segments, with its offsets, producers and waiting readers. */
import { errorCode } from "../protocol/error-codes.ts";
import {
  type BatchHeader,
  NO_PRODUCER,
  placeBatch,
  readClientBatch,
  readHeader,
  stampAppendTime,
} from "../records/batch.ts";
import { buildMarker, type NewMarker, readMarker } from "../records/control.ts";
import { readRecords, type StoredRecord } from "../records/record.ts";
import { StorageError } from "../storage/errors.ts";
import { type AppendOptions, type AppendResult, refusalOf } from "./append-checks.ts";
import { type CompactedLog, CompactionPasses } from "./compaction-passes.ts";
import type { LogConfig } from "./log-config.ts";
import {
  batchesFrom,
  endOfEpoch,
  firstAtOrAfter,
  type OffsetAndTimestamp,
  segmentOf,
  withMaxTimestamp,
} from "./lookup.ts";
import type { PartitionFiles } from "./partition-files.ts";
import { ProducerStates } from "./producer-state.ts";
import { Segment, storedBatch } from "./segment.ts";
import type { AbortedTransaction, Decision } from "./transaction-index.ts";

export interface MarkerOptions {
  readonly leaderEpoch: number;
}

export interface ReadResult {
  readonly batches: readonly Buffer[];
  readonly bytes: number;
  /** The offset after the last batch; the one that was asked for where there is none. */
  readonly nextOffset: number;
}

/** A record, and what became of the transaction that it was written in. */
export interface LoggedRecord extends StoredRecord {
  /** Null where it was written in none. */
  readonly transaction: Decision | null;
}

export class PartitionLog {
  readonly producers = new ProducerStates();
  readonly #config: () => LogConfig;
  readonly #files: PartitionFiles | null;
  readonly #segments: Segment[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #compaction: CompactionPasses;
  #logStartOffset = 0;
  #logEndOffset = 0;

  /**
   * @param config read each time: a topic's settings may change under a running log.
   * @param files where the log is kept, and what it begins with; null: in memory.
   * @throws StorageError
   */
  constructor(config: () => LogConfig, nowMs: number, files: PartitionFiles | null = null) {
    this.#config = config;
    this.#files = files;
    if (files !== null) this.#load(files, nowMs);
    if (this.#segments.length === 0) this.#roll(nowMs);
    this.#compaction = new CompactionPasses(this.#compacted());
  }

  #compacted(): CompactedLog {
    const log = this;
    return {
      segments: this.#segments,
      files: this.#files,
      producers: this.producers,
      get lastStableOffset() {
        return log.lastStableOffset;
      },
      get highWatermark() {
        return log.highWatermark;
      },
    };
  }

  #load(files: PartitionFiles, nowMs: number): void {
    this.#logStartOffset = files.logStartOffset;
    this.#logEndOffset = files.logStartOffset;
    for (const { baseOffset, file, batches } of files.load()) {
      this.#logEndOffset = Math.max(this.#logEndOffset, baseOffset);
      this.#segments.at(-1)?.close();
      let segment: Segment | null = null;
      for (const { bytes } of batches) {
        const header = readHeader(bytes);
        const { maxTimestamp, lastOffsetDelta } = header;
        const lastOffset = header.baseOffset + lastOffsetDelta;
        // Its age is that of its first record, as in Apache Kafka.
        segment ??= new Segment(baseOffset, Math.min(maxTimestamp < 0 ? nowMs : maxTimestamp, nowMs), file);
        segment.appendFound(storedBatch(bytes));
        this.#logEndOffset = lastOffset + 1;
        this.#remember(bytes, header, nowMs);
      }
      this.#segments.push(segment ?? new Segment(baseOffset, nowMs, file));
    }
    this.producers.transactions.deleteBefore(this.#logStartOffset);
    this.#dropSegmentsBefore(this.#logStartOffset);
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /** The next offset to be given out; consumers see what is below it. There is one copy, so it is the log's end. */
  get highWatermark(): number {
    return this.#logEndOffset;
  }

  /** Below it nothing is undecided: where the oldest open transaction began, else the high watermark. */
  get lastStableOffset(): number {
    const firstOpenOffset = this.producers.transactions.firstOpenOffset ?? this.#logEndOffset;
    return Math.max(firstOpenOffset, this.#logStartOffset);
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get batchCount(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.batches.length, 0);
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  /** Checks a client's batch and appends it; a repeat of an idempotent producer is answered with its first offset. */
  append(bytes: Buffer, options: AppendOptions): AppendResult {
    const config = this.#config();
    const header = readClientBatch(bytes);
    if ("errorCode" in header) return header;
    const problem = refusalOf(bytes, header, options, config);
    if (problem !== null) return problem;
    if (header.producerId !== NO_PRODUCER) {
      const verdict = this.producers.check(header);
      if (verdict.kind === "refuse") return verdict;
      if (verdict.kind === "duplicate") {
        return {
          errorCode: 0,
          baseOffset: verdict.baseOffset,
          // Whichever time it is: Apache Kafka makes no difference here.
          logAppendTimeMs: verdict.timestampMs,
        };
      }
    }
    return this.#store(bytes, header, options, config);
  }

  /** Ends a producer's transaction in this partition, whether it wrote anything here or not. */
  appendMarker(marker: NewMarker, options: MarkerOptions): AppendResult {
    const { producerId, producerEpoch, coordinatorEpoch, timestampMs } = marker;
    const refusal = this.producers.markerRefusal(producerId, producerEpoch, coordinatorEpoch);
    if (refusal !== null) return refusal;
    const bytes = buildMarker(marker);
    return this.#store(bytes, readHeader(bytes), { ...options, nowMs: timestampMs }, this.#config());
  }

  #store(
    received: Buffer,
    header: BatchHeader,
    options: Pick<AppendOptions, "nowMs" | "leaderEpoch">,
    config: LogConfig,
  ): AppendResult {
    try {
      return this.#write(received, header, options, config);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { errorCode: errorCode.kafkaStorageError, message: error.message };
    }
  }

  #write(
    received: Buffer,
    header: BatchHeader,
    { nowMs, leaderEpoch }: Pick<AppendOptions, "nowMs" | "leaderEpoch">,
    config: LogConfig,
  ): AppendResult {
    const baseOffset = this.#logEndOffset;
    const segment = this.#activeSegment(received.length, nowMs, config);
    const bytes = segment.pack(received);
    placeBatch(bytes, baseOffset, leaderEpoch);
    if (config.logAppendTime) stampAppendTime(bytes, nowMs);
    const maxTimestampMs = config.logAppendTime ? nowMs : header.maxTimestamp;
    const lastOffset = baseOffset + header.lastOffsetDelta;
    segment.append({ baseOffset, lastOffset, maxTimestampMs, bytes });
    this.#logEndOffset = lastOffset + 1;
    this.#remember(bytes, { ...header, baseOffset, maxTimestamp: maxTimestampMs }, nowMs);
    this.wake();
    return { errorCode: 0, baseOffset, logAppendTimeMs: config.logAppendTime ? nowMs : -1 };
  }

  /** Keeps what a stored batch says of its producer. */
  #remember(bytes: Buffer, header: BatchHeader, nowMs: number): void {
    if (header.producerId === NO_PRODUCER) return;
    // Of a marker that compaction has emptied, only the producer's epoch is left.
    const emptied = { committed: true, coordinatorEpoch: -1 };
    const marker = !header.control ? null : header.count === 0 ? emptied : readMarker(bytes);
    if (marker !== null) this.producers.ended(header, marker, header.baseOffset, nowMs);
    else this.producers.appended(header, header.baseOffset, header.maxTimestamp, nowMs);
  }

  /** The segment to append to: a new one where this batch would make the last one too large or too old. */
  #activeSegment(batchBytes: number, nowMs: number, config: LogConfig): Segment {
    const active = this.#last();
    const full =
      active.bytes + batchBytes > config.segmentBytes || nowMs - active.createdMs > config.segmentMs;
    if (!full || active.batches.length === 0) return active;
    const rolled = this.#roll(nowMs);
    this.applyRetention(nowMs);
    return rolled;
  }

  #last(): Segment {
    const last = this.#segments.at(-1);
    return last ?? this.#roll(0);
  }

  #roll(nowMs: number): Segment {
    const file = this.#files?.create(this.#logEndOffset) ?? null;
    const segment = new Segment(this.#logEndOffset, nowMs, file);
    this.#segments.at(-1)?.close();
    this.#segments.push(segment);
    return segment;
  }

  /**
   * Whole batches from the one that holds `offset` on, up to `maxBytes`; the first one in any case where
   * `atLeastOne` says so. The first batch may begin before the offset.
   *
   * @param endOffset no batch from here on; by default the high watermark, for readers at read_committed the last
   * stable offset.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean, endOffset = this.#logEndOffset): ReadResult {
    if (offset >= endOffset) return { batches: [], bytes: 0, nextOffset: offset };
    let nextOffset = offset;
    const batches: Buffer[] = [];
    let bytes = 0;
    for (let s = segmentOf(this.#segments, offset); s < this.#segments.length; s++) {
      const segment = this.#segments[s];
      if (segment === undefined) break;
      const from = bytes === 0 ? segment.indexOf(offset) : 0;
      let to = from;
      let full = false;
      for (let batch = segment.batches[from]; batch !== undefined; batch = segment.batches[to]) {
        const first = bytes === 0 && atLeastOne;
        full = (!first && bytes + batch.size > maxBytes) || batch.baseOffset >= endOffset;
        if (full) break;
        bytes += batch.size;
        nextOffset = batch.lastOffset + 1;
        to += 1;
      }
      segment.slice(from, to, batches);
      if (full) break;
    }
    return { batches, bytes, nextOffset };
  }

  /** The aborted transactions that a reader at read_committed has to leave out of `[from, to)`. */
  abortedBetween(from: number, to: number): AbortedTransaction[] {
    return this.producers.transactions.abortedBetween(from, to);
  }

  /** The first record that is not older than the time; null where none is. */
  firstAtOrAfter(timestampMs: number): OffsetAndTimestamp | null {
    return firstAtOrAfter(this.#segments, this.#logStartOffset, timestampMs);
  }

  /** The first record with the greatest timestamp; null in an empty log. */
  withMaxTimestamp(): OffsetAndTimestamp | null {
    return withMaxTimestamp(this.#segments, this.#logStartOffset);
  }

  /** Where a leader epoch's records end: see {@link endOfEpoch}. */
  endOfEpoch(epoch: number): { leaderEpoch: number; endOffset: number } {
    return endOfEpoch(this.#segments, this.#logStartOffset, epoch);
  }

  /** The leader epoch of the batch that holds an offset; null where none does. */
  epochAt(offset: number): number | null {
    if (offset < this.#logStartOffset || offset >= this.#logEndOffset) return null;
    const segment = this.#segments[segmentOf(this.#segments, offset)];
    return segment?.batches[segment.indexOf(offset)]?.leaderEpoch ?? null;
  }

  /** Every record that a consumer at read_uncommitted sees, decoded: for inspection, not for the hot path. */
  *records(): Generator<LoggedRecord> {
    for (const { bytes } of batchesFrom(this.#segments, this.#logStartOffset)) {
      const { control, transactional, producerId } = readHeader(bytes);
      if (control) continue;
      for (const record of readRecords(bytes)) {
        if (record.offset < this.#logStartOffset) continue;
        const { transactions } = this.producers;
        const transaction = transactional ? transactions.decisionOn(producerId, record.offset) : null;
        yield { ...record, transaction };
      }
    }
  }

  /** Moves the log's start up to an offset; segments that are all below it are dropped. */
  deleteBefore(offset: number): void {
    if (offset <= this.#logStartOffset) return;
    this.#files?.keepLogStart(offset);
    this.#logStartOffset = offset;
    this.producers.transactions.deleteBefore(offset);
    this.#dropSegmentsBefore(offset);
    this.wake();
  }

  #dropSegmentsBefore(offset: number): void {
    let second = this.#segments[1];
    while (second !== undefined && second.baseOffset <= offset) {
      const dropped = this.#segments.shift();
      if (dropped?.file) this.#files?.delete(dropped.file);
      second = this.#segments[1];
    }
  }

  /**
   * Drops whole segments by `retention.ms` (of the newest record in each) and `retention.bytes`. An active segment
   * that is expired as a whole is rolled first. Does nothing on a topic that is only compacted.
   */
  applyRetention(nowMs: number): void {
    const config = this.#config();
    if (!config.deletes) return;
    let dropBefore = this.#logStartOffset;
    let bytes = this.bytes;
    for (const segment of [...this.#segments]) {
      if (segment.batches.length === 0) break;
      const old = config.retentionMs >= 0 && nowMs - segment.maxTimestampMs > config.retentionMs;
      const active = segment === this.#segments.at(-1);
      const large = config.retentionBytes >= 0 && bytes - segment.bytes >= config.retentionBytes && !active;
      if (!old && !large) break;
      bytes -= segment.bytes;
      if (active) this.#roll(nowMs);
      dropBefore = (segment.batches.at(-1)?.lastOffset ?? dropBefore) + 1;
    }
    this.deleteBefore(dropBefore);
  }

  /**
   * Leaves the newest record of each key (`cleanup.policy=compact`), in segments that are closed and of which nothing is
   * undecided or younger than `min.compaction.lag.ms`; where enough is new since the last time, or tombstones are due.
   *
   * @throws StorageError
   */
  compact(nowMs: number): void {
    for (const _ of this.compacting(nowMs));
  }

  /** {@link compact} in steps of one segment; between them the log may be written and cut as ever. */
  *compacting(nowMs: number): Generator<undefined, void> {
    const config = this.#config();
    if (config.compacts) yield* this.#compaction.pass(nowMs, config);
  }

  /** Calls back, once for each change, until the returned function is called. */
  onChange(changed: () => void): () => void {
    this.#waiting.add(changed);
    return () => void this.#waiting.delete(changed);
  }

  /** How many readers wait for this partition. */
  get waiting(): number {
    return this.#waiting.size;
  }

  wake(): void {
    for (const changed of this.#waiting) changed();
  }
}
