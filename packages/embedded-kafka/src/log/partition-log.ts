/** One partition: an append-only list of batches in segments, with its offsets, producers and waiting readers. */
import { DecodeError } from "../protocol/decode-error.ts";
import { errorCode } from "../protocol/error-codes.ts";
import {
  type BatchHeader,
  NO_PRODUCER,
  placeBatch,
  readClientBatch,
  readHeader,
  stampAppendTime,
  ZSTD,
} from "../records/batch.ts";
import { buildMarker, type NewMarker, readMarker } from "../records/control.ts";
import { readRecords, type StoredRecord } from "../records/record.ts";
import { StorageError } from "../storage/errors.ts";
import { Compaction } from "./compaction.ts";
import type { LogConfig } from "./log-config.ts";
import type { PartitionFiles } from "./partition-files.ts";
import { ProducerStates } from "./producer-state.ts";
import { type NewStoredBatch, Segment, type StoredBatch } from "./segment.ts";
import type { AbortedTransaction, Decision } from "./transaction-index.ts";

export interface AppendOptions {
  readonly nowMs: number;
  readonly leaderEpoch: number;
  /** Version of the Produce request: zstd is legal from 7 on (KIP-110). */
  readonly produceVersion: number;
}

export type AppendResult =
  | {
      readonly errorCode: 0;
      readonly baseOffset: number;
      /** -1 where the records keep their own time. */
      readonly logAppendTimeMs: number;
    }
  | { readonly errorCode: number; readonly message: string };

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

export interface OffsetAndTimestamp {
  readonly offset: number;
  readonly timestampMs: number;
}

export class PartitionLog {
  readonly producers = new ProducerStates();
  readonly #config: () => LogConfig;
  readonly #files: PartitionFiles | null;
  readonly #segments: Segment[] = [];
  readonly #waiting = new Set<() => void>();
  #logStartOffset = 0;
  #logEndOffset = 0;
  /** Up to here every key is there once. */
  #compactedTo = 0;
  /** When the first of the tombstones and markers that wait may go. */
  #nextHorizonMs = Number.POSITIVE_INFINITY;

  /**
   * @param config asked anew each time: a topic's settings may change under a running log.
   * @param files where the log is kept, and what it begins with; null: in memory.
   * @throws StorageError
   */
  constructor(config: () => LogConfig, nowMs: number, files: PartitionFiles | null = null) {
    this.#config = config;
    this.#files = files;
    if (files !== null) this.#load(files, nowMs);
    if (this.#segments.length === 0) this.#roll(nowMs);
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
    const problem = this.#refusal(bytes, header, options, config);
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

  #refusal(
    bytes: Buffer,
    header: BatchHeader,
    options: AppendOptions,
    config: LogConfig,
  ): AppendResult | null {
    if (header.codec === ZSTD && options.produceVersion < 7) {
      return { errorCode: errorCode.unsupportedCompressionType, message: "zstd needs Produce version 7" };
    }
    if (bytes.length > config.maxMessageBytes) {
      return {
        errorCode: errorCode.messageTooLarge,
        message: `record batch of ${bytes.length} bytes, max.message.bytes is ${config.maxMessageBytes}`,
      };
    }
    return timestampRefusal(bytes, header, options.nowMs, config) ?? keyRefusal(bytes, config);
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
    for (let s = this.#segmentOf(offset); s < this.#segments.length; s++) {
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

  /** Index of the last segment that starts at or before an offset. */
  #segmentOf(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#segments[middle]?.baseOffset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  *#batches(): Generator<StoredBatch> {
    for (const segment of this.#segments) {
      for (const batch of segment.batches) {
        if (batch.lastOffset >= this.#logStartOffset) yield batch;
      }
    }
  }

  /** The first record that is not older than the time; null where none is. Looks into one batch as a rule. */
  firstAtOrAfter(timestampMs: number): OffsetAndTimestamp | null {
    for (const segment of this.#segments) {
      if (segment.maxTimestampMs < timestampMs) continue;
      for (const batch of segment.batches) {
        if (batch.maxTimestampMs < timestampMs || batch.lastOffset < this.#logStartOffset) continue;
        const found = this.#findIn(batch, (record) => record.timestampMs >= timestampMs);
        if (found !== null) return found;
      }
    }
    return null;
  }

  /** The first record with the greatest timestamp; null in an empty log. */
  withMaxTimestamp(): OffsetAndTimestamp | null {
    let greatest: StoredBatch | null = null;
    for (const batch of this.#batches()) {
      if (greatest === null || batch.maxTimestampMs > greatest.maxTimestampMs) greatest = batch;
    }
    const { maxTimestampMs } = greatest ?? { maxTimestampMs: -1 };
    return greatest === null
      ? null
      : this.#findIn(greatest, (record) => record.timestampMs === maxTimestampMs);
  }

  /**
   * The first record in a batch that is wanted. A client may have sent records that can't be read: they are found by
   * what the batch's header says, so that one bad batch does not stop those who look for a time.
   */
  #findIn(batch: StoredBatch, isWanted: (record: StoredRecord) => boolean): OffsetAndTimestamp | null {
    try {
      for (const record of readRecords(batch.bytes)) {
        if (isWanted(record) && record.offset >= this.#logStartOffset) return record;
      }
      return null;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const offset = Math.max(batch.baseOffset, this.#logStartOffset);
      return { offset, timestampMs: batch.maxTimestampMs };
    }
  }

  /**
   * The largest leader epoch up to `epoch` that has records here, and the offset after the last of them; -1 twice where
   * no record is of that epoch or a later one (KIP-101, KIP-279).
   */
  endOfEpoch(epoch: number): { leaderEpoch: number; endOffset: number } {
    let leaderEpoch = -1;
    let endOffset = this.#logStartOffset;
    let newest = -1;
    for (const batch of this.#batches()) {
      newest = batch.leaderEpoch;
      if (newest > epoch) break;
      leaderEpoch = newest;
      endOffset = batch.lastOffset + 1;
    }
    if (newest < epoch) return { leaderEpoch: -1, endOffset: -1 };
    return { leaderEpoch: leaderEpoch < 0 ? epoch : leaderEpoch, endOffset };
  }

  /** Every record that a consumer at read_uncommitted sees, decoded: for inspection, not for the hot path. */
  *records(): Generator<LoggedRecord> {
    for (const { bytes } of this.#batches()) {
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
    if (!config.compacts) return;
    const cleanable = this.#cleanable(nowMs, config);
    const dirty = cleanable.filter(({ baseOffset }) => baseOffset >= this.#compactedTo);
    const dirtyBytes = bytesOf(dirty);
    const isWorth = dirtyBytes > 0 && dirtyBytes > bytesOf(cleanable) * config.minCleanableDirtyRatio;
    if (!isWorth && nowMs < this.#nextHorizonMs) return;
    const endOffset = this.#segments[cleanable.length]?.baseOffset ?? this.#logEndOffset;
    const compaction = new Compaction(this.producers, { nowMs, deleteRetentionMs: config.deleteRetentionMs });
    for (const segment of dirty) {
      if (!this.#segments.includes(segment)) continue;
      for (const { bytes } of segment.batches) compaction.index(bytes);
      yield;
    }
    // Neighbours that fit into one segment become one: compaction would else leave ever more small ones.
    let run: CleanedSegment[] = [];
    for (const segment of cleanable) {
      if (!this.#segments.includes(segment)) continue;
      const cleaned = cleanSegment(segment, compaction);
      if (sizeOf(run) + cleaned.bytes > config.segmentBytes) {
        this.#replace(run);
        run = [];
      }
      run.push(cleaned);
      yield;
    }
    this.#replace(run);
    this.#compactedTo = endOffset;
    this.#nextHorizonMs = compaction.nextHorizonMs;
  }

  #cleanable(nowMs: number, config: LogConfig): Segment[] {
    const stable = this.lastStableOffset;
    const first = this.#segments.findIndex((segment, index) => {
      const next = this.#segments[index + 1];
      const isYoung = segment.maxTimestampMs > nowMs - config.minCompactionLagMs;
      return next === undefined || next.baseOffset > stable || isYoung;
    });
    return this.#segments.slice(0, first);
  }

  /** One segment with what is left of some neighbours in their place; none where nothing is. */
  #replace(cleaned: readonly CleanedSegment[]): void {
    const run = cleaned.filter(({ segment }) => this.#segments.includes(segment));
    const [first] = run;
    if (first === undefined || (run.length === 1 && !first.changed)) return;
    const at = this.#segments.indexOf(first.segment);
    const { baseOffset, createdMs } = first.segment;
    const endOffset = this.#segments[at + run.length]?.baseOffset ?? this.#logEndOffset;
    const batches = run.flatMap((one) => one.batches);
    const file = this.#files?.replace(baseOffset, endOffset, batches) ?? null;
    const segment = new Segment(baseOffset, createdMs, file);
    for (const batch of batches) {
      segment.appendFound(storedBatch(file === null ? segment.pack(batch) : batch));
    }
    this.#segments.splice(at, run.length, ...(batches.length === 0 ? [] : [segment]));
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

interface CleanedSegment {
  readonly segment: Segment;
  readonly batches: readonly Buffer[];
  readonly bytes: number;
  readonly changed: boolean;
}

function cleanSegment(segment: Segment, compaction: Compaction): CleanedSegment {
  let changed = false;
  const batches = segment.batches.flatMap(({ bytes }) => {
    const kept = compaction.clean(bytes);
    changed ||= kept !== bytes;
    return kept ?? [];
  });
  return { segment, batches, bytes: batches.reduce((sum, { length }) => sum + length, 0), changed };
}

function sizeOf(run: readonly CleanedSegment[]): number {
  return run.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}

function storedBatch(bytes: Buffer): NewStoredBatch {
  const { baseOffset, lastOffsetDelta, maxTimestamp } = readHeader(bytes);
  return { baseOffset, lastOffset: baseOffset + lastOffsetDelta, maxTimestampMs: maxTimestamp, bytes };
}

function timestampRefusal(
  bytes: Buffer,
  header: BatchHeader,
  nowMs: number,
  config: LogConfig,
): AppendResult | null {
  if (config.logAppendTime) return null;
  const newestMs = nowMs + config.timestampAfterMaxMs;
  if (header.maxTimestamp > newestMs) {
    return {
      errorCode: errorCode.invalidTimestamp,
      message: `timestamp ${header.maxTimestamp} is more than message.timestamp.after.max.ms ahead of ${nowMs}`,
    };
  }
  const oldestMs = nowMs - config.timestampBeforeMaxMs;
  if (oldestMs <= 0) return null;
  for (const record of readRecords(bytes)) {
    if (record.timestampMs < oldestMs) {
      return {
        errorCode: errorCode.invalidTimestamp,
        message: `timestamp ${record.timestampMs} is more than message.timestamp.before.max.ms behind ${nowMs}`,
      };
    }
  }
  return null;
}

/** A compacted topic is about keys. */
function keyRefusal(bytes: Buffer, config: LogConfig): AppendResult | null {
  if (!config.compacts) return null;
  for (const record of readRecords(bytes)) {
    if (record.key === null) {
      return {
        errorCode: errorCode.invalidRecord,
        message: "a compacted topic takes no record without a key",
      };
    }
  }
  return null;
}
