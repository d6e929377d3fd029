/**
 * What stays of a compacted partition: the newest record of each key at its offset. Rules as in Apache Kafka's log
 * cleaner, with delete horizons (KIP-534).
 *
 * - Records of aborted transactions go at once; a marker goes when no batch of its transaction is left.
 * - A tombstone or marker that may go gets a horizon at the first pass, and goes at the first pass after it.
 * - The last batch of a producer that is remembered stays, empty if need be, as the log is what its state is rebuilt
 *   from.
 */
import { DecodeError } from "../protocol/decode-error.ts";
import { type BatchHeader, NO_PRODUCER, readHeader } from "../records/batch.ts";
import { readMarker } from "../records/control.ts";
import { emptyBatch, type RawRecord, readRawRecords, rebuildBatch } from "../records/rebuild.ts";
import type { ProducerStates } from "./producer-state.ts";

export interface CompactionRules {
  readonly nowMs: number;
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number;
}

export class Compaction {
  readonly #rules: CompactionRules;
  readonly #producers: ProducerStates;
  /** Offsets by key. */
  readonly #newest = new Map<string, number>();
  /** Producers of which a batch was seen since the last marker. */
  readonly #inTransaction = new Set<number>();
  #nextHorizonMs = Number.POSITIVE_INFINITY;

  constructor(producers: ProducerStates, rules: CompactionRules) {
    this.#producers = producers;
    this.#rules = rules;
  }

  /** When the first of the tombstones and markers that wait may go. */
  get nextHorizonMs(): number {
    return this.#nextHorizonMs;
  }

  /** Learns the keys of a batch; all batches that may supersede others come by here before any is cleaned. */
  index(batch: Buffer): void {
    const header = readHeader(batch);
    if (header.control || this.#isAborted(header)) return;
    for (const { key, offset } of recordsOf(batch) ?? []) {
      if (key !== null) this.#newest.set(key.toString("latin1"), offset);
    }
  }

  /** A batch as it stays: the very bytes, others, or null where it goes. To be called in the log's order. */
  clean(batch: Buffer): Buffer | null {
    const header = readHeader(batch);
    if (header.control) return this.#cleanMarker(batch, header);
    if (header.transactional) this.#inTransaction.add(header.producerId);
    if (this.#isAborted(header)) return this.#emptied(batch, header);
    const records = recordsOf(batch);
    if (records === null) return batch;
    const kept = records.filter((record) => this.#stays(record, header));
    if (kept.length === 0) return this.#emptied(batch, header);
    const horizonMs = kept.some(({ isTombstone }) => isTombstone) ? this.#horizonOf(header) : null;
    if (kept.length === records.length && horizonMs === header.deleteHorizonMs) return batch;
    return rebuildBatch(batch, kept, horizonMs);
  }

  #isAborted({ transactional, producerId, baseOffset }: BatchHeader): boolean {
    return transactional && this.#producers.transactions.decisionOn(producerId, baseOffset) === "aborted";
  }

  #stays({ key, offset, isTombstone }: RawRecord, { deleteHorizonMs }: BatchHeader): boolean {
    if (key === null) return false;
    const newest = this.#newest.get(key.toString("latin1"));
    if (newest !== undefined && newest > offset) return false;
    return !isTombstone || deleteHorizonMs === null || deleteHorizonMs > this.#rules.nowMs;
  }

  #horizonOf({ deleteHorizonMs }: BatchHeader): number {
    const horizonMs = deleteHorizonMs ?? this.#rules.nowMs + this.#rules.deleteRetentionMs;
    this.#nextHorizonMs = Math.min(this.#nextHorizonMs, horizonMs);
    return horizonMs;
  }

  #cleanMarker(batch: Buffer, header: BatchHeader): Buffer | null {
    if (header.count === 0) return this.#emptied(batch, header);
    const hasRecords = this.#inTransaction.delete(header.producerId);
    const marker = readMarker(batch);
    if (hasRecords || marker === null) return batch;
    if (!marker.committed) this.#producers.transactions.forgetAborted(header.baseOffset);
    if (header.deleteHorizonMs === null) {
      return rebuildBatch(batch, readRawRecords(batch), this.#horizonOf(header));
    }
    if (header.deleteHorizonMs <= this.#rules.nowMs) return this.#emptied(batch, header);
    this.#horizonOf(header);
    return batch;
  }

  #emptied(batch: Buffer, header: BatchHeader): Buffer | null {
    if (header.producerId === NO_PRODUCER || !this.#producers.isLast(header)) return null;
    return header.count === 0 ? batch : emptyBatch(batch);
  }
}

/** Null where a client sent what can't be read, before the topic was a compacted one. */
function recordsOf(batch: Buffer): RawRecord[] | null {
  try {
    return readRawRecords(batch);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
