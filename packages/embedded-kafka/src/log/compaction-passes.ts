/** Passes of compaction over a log's closed segments: which of them, when, and what takes their place. */
import { Compaction } from "./compaction.ts";
import type { LogConfig } from "./log-config.ts";
import type { PartitionFiles } from "./partition-files.ts";
import type { ProducerStates } from "./producer-state.ts";
import { Segment, storedBatch } from "./segment.ts";

/** What a pass asks of the log, again each time: it is written and truncated meanwhile. */
export interface CompactedLog {
  /** The log's own list, the one that is appended to last. */
  readonly segments: Segment[];
  readonly files: PartitionFiles | null;
  readonly producers: ProducerStates;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

interface CleanedSegment {
  readonly segment: Segment;
  readonly batches: readonly Buffer[];
  readonly bytes: number;
  readonly changed: boolean;
}

export class CompactionPasses {
  readonly #log: CompactedLog;
  /** Up to here every key is there once. */
  #compactedTo = 0;
  /** When the first of the tombstones and markers that wait may go. */
  #nextHorizonMs = Number.POSITIVE_INFINITY;

  constructor(log: CompactedLog) {
    this.#log = log;
  }

  /**
   * One pass in steps of one segment, where enough is new since the last one, or tombstones are due. Between the steps
   * the log may be written and cut as ever.
   *
   * @throws StorageError
   */
  *pass(nowMs: number, config: LogConfig): Generator<undefined, void> {
    const { segments, producers, highWatermark } = this.#log;
    const cleanable = this.#cleanable(nowMs, config);
    const dirty = cleanable.filter(({ baseOffset }) => baseOffset >= this.#compactedTo);
    const dirtyBytes = sizeOf(dirty);
    const isWorth = dirtyBytes > 0 && dirtyBytes > sizeOf(cleanable) * config.minCleanableDirtyRatio;
    if (!isWorth && nowMs < this.#nextHorizonMs) return;
    const endOffset = segments[cleanable.length]?.baseOffset ?? highWatermark;
    const compaction = new Compaction(producers, { nowMs, deleteRetentionMs: config.deleteRetentionMs });
    for (const segment of dirty) {
      if (!segments.includes(segment)) continue;
      for (const { bytes } of segment.batches) compaction.index(bytes);
      yield;
    }
    // Neighbours that fit into one segment become one: compaction would else leave ever more small ones.
    let run: CleanedSegment[] = [];
    for (const segment of cleanable) {
      if (!segments.includes(segment)) continue;
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
    const { segments, lastStableOffset } = this.#log;
    const first = segments.findIndex((segment, index) => {
      const next = segments[index + 1];
      const isYoung = segment.maxTimestampMs > nowMs - config.minCompactionLagMs;
      return next === undefined || next.baseOffset > lastStableOffset || isYoung;
    });
    return segments.slice(0, first);
  }

  /** One segment with what is left of some neighbours in their place; none where nothing is. */
  #replace(cleaned: readonly CleanedSegment[]): void {
    const { segments, files, highWatermark } = this.#log;
    const run = cleaned.filter(({ segment }) => segments.includes(segment));
    const [first] = run;
    if (first === undefined || (run.length === 1 && !first.changed)) return;
    const at = segments.indexOf(first.segment);
    const { baseOffset, createdMs } = first.segment;
    const endOffset = segments[at + run.length]?.baseOffset ?? highWatermark;
    const batches = run.flatMap((one) => one.batches);
    const file = files?.replace(baseOffset, endOffset, batches) ?? null;
    const segment = new Segment(baseOffset, createdMs, file);
    for (const batch of batches) {
      segment.appendFound(storedBatch(file === null ? segment.pack(batch) : batch));
    }
    segments.splice(at, run.length, ...(batches.length === 0 ? [] : [segment]));
  }
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

function sizeOf(all: readonly { readonly bytes: number }[]): number {
  return all.reduce((sum, { bytes }) => sum + bytes, 0);
}
