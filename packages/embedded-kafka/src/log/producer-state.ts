/**
 * What a partition remembers of its idempotent producers (KIP-98): per producer id the epoch and the last five
 * batches, so that a repeated one is recognized and a missing one noticed; and their transactions.
 */
import { errorCode } from "../protocol/error-codes.ts";
import type { BatchHeader } from "../records/batch.ts";
import type { TransactionMarker } from "../records/control.ts";
import { TransactionIndex } from "./transaction-index.ts";

/** A producer keeps at most five requests in flight, so older batches are never sent again. */
const REMEMBERED_BATCHES = 5;
const SEQUENCES = 2 ** 31;

interface AppendedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly timestampMs: number;
}

interface ProducerState {
  epoch: number;
  /** Oldest first. */
  batches: AppendedBatch[];
  lastUsedMs: number;
  /** Of the last record or marker. */
  lastTimestampMs: number;
  /** Of the last marker; -1 before the first. */
  coordinatorEpoch: number;
}

/** The lowest sequence that a transactional producer has sent here in an epoch, since its last batch or marker. */
interface FirstSent {
  readonly epoch: number;
  readonly sequence: number;
  readonly sentMs: number;
}

/** A producer as DescribeProducers shows it (KIP-664). */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 where this epoch has written nothing. */
  readonly lastSequence: number;
  readonly lastTimestampMs: number;
  readonly coordinatorEpoch: number;
  /** -1 outside of a transaction. */
  readonly transactionStartOffset: number;
}

/** Why something may not be appended. */
export interface AppendRefusal {
  readonly errorCode: number;
  readonly message: string;
}

export type SequenceVerdict =
  | { readonly kind: "append" }
  | { readonly kind: "duplicate"; readonly baseOffset: number; readonly timestampMs: number }
  | ({ readonly kind: "refuse" } & AppendRefusal);

const APPEND: SequenceVerdict = { kind: "append" };

/** Sequences wrap from 2^31-1 to 0. */
function sequenceAfter(sequence: number, steps: number): number {
  return (sequence + steps) % SEQUENCES;
}

export class ProducerStates {
  readonly transactions = new TransactionIndex();
  readonly #producers = new Map<number, ProducerState>();
  /** Of producers that have no transaction open here. */
  readonly #firstSent = new Map<number, FirstSent>();

  get size(): number {
    return this.#producers.size;
  }

  /** Whether a batch of an idempotent producer is next in line, a repeat, or out of order. */
  check(header: BatchHeader): SequenceVerdict {
    const verdict = this.#checkSequence(header);
    const openSince = this.transactions.openSince(header.producerId);
    if (verdict.kind !== "append" || header.transactional || openSince === null) return verdict;
    return refuse(
      errorCode.invalidTxnState,
      `producer ${header.producerId} has a transaction open since offset ${openSince} and wrote outside of it`,
    );
  }

  #checkSequence(header: BatchHeader): SequenceVerdict {
    const state = this.#producers.get(header.producerId);
    const { producerEpoch: epoch, baseSequence: first } = header;
    if (state === undefined) return this.#behindRefused(header) ?? APPEND;
    if (epoch < state.epoch) {
      return refuse(
        errorCode.invalidProducerEpoch,
        `epoch ${epoch} of producer ${header.producerId} is older than ${state.epoch}`,
      );
    }
    const last = sequenceAfter(first, header.lastOffsetDelta);
    const before = state.batches.find((b) => b.firstSequence === first && b.lastSequence === last);
    if (before !== undefined && epoch === state.epoch) return { kind: "duplicate", ...before };
    const behind = this.#behindRefused(header);
    if (behind !== null) return behind;
    if (epoch > state.epoch) {
      if (first === 0) return APPEND;
      return refuse(errorCode.outOfOrderSequence, `epoch ${epoch} starts at sequence ${first}, not 0`);
    }
    const newest = state.batches.at(-1);
    const expected = newest === undefined ? 0 : sequenceAfter(newest.lastSequence, 1);
    if (first === expected) return APPEND;
    return refuse(
      errorCode.outOfOrderSequence,
      `producer ${header.producerId} sent sequence ${first}, expected ${expected}`,
    );
  }

  /** What came before this batch was refused, and may come again: the batch may not take its place. */
  #behindRefused({ producerId, baseSequence: first }: BatchHeader): SequenceVerdict | null {
    const lowest = this.#firstSent.get(producerId)?.sequence ?? first;
    if (first <= lowest) return null;
    return refuse(
      errorCode.outOfOrderSequence,
      `producer ${producerId} sent sequence ${first}, and ${lowest} before it, which was refused`,
    );
  }

  /**
   * Remembers that a transactional producer sent a batch, before it is known whether it will be appended: where it is not,
   * the next one in flight may not take its place (KIP-890).
   */
  sent({ producerId, producerEpoch: epoch, baseSequence: sequence }: BatchHeader, nowMs: number): void {
    if (this.transactions.openSince(producerId) !== null) return;
    const before = this.#firstSent.get(producerId);
    const isFirst = before === undefined || epoch > before.epoch;
    if (isFirst || (epoch === before.epoch && sequence < before.sequence))
      this.#firstSent.set(producerId, { epoch, sequence, sentMs: nowMs });
  }

  /** Remembers a batch that was appended. */
  appended(header: BatchHeader, baseOffset: number, timestampMs: number, nowMs: number): void {
    const state = this.#used(header, timestampMs, nowMs);
    if (header.transactional) this.transactions.wrote(header.producerId, baseOffset);
    state.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: sequenceAfter(header.baseSequence, header.lastOffsetDelta),
      baseOffset,
      timestampMs,
    });
    if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift();
  }

  /** The producer's state in the batch's epoch; a new epoch begins without batches. */
  #used(header: BatchHeader, timestampMs: number, nowMs: number): ProducerState {
    const { producerId, producerEpoch, transactional } = header;
    const before = this.#producers.get(producerId);
    const state: ProducerState =
      before?.epoch === producerEpoch
        ? before
        : { epoch: producerEpoch, batches: [], lastUsedMs: 0, lastTimestampMs: 0, coordinatorEpoch: -1 };
    state.coordinatorEpoch = before?.coordinatorEpoch ?? -1;
    state.lastUsedMs = nowMs;
    state.lastTimestampMs = timestampMs;
    this.#producers.set(producerId, state);
    if (transactional) this.#firstSent.delete(producerId);
    return state;
  }

  /** Why a marker may not be appended; null where it may. */
  markerRefusal(producerId: number, producerEpoch: number, coordinatorEpoch: number): AppendRefusal | null {
    const state = this.#producers.get(producerId);
    if (state === undefined) return null;
    if (producerEpoch < state.epoch) {
      return {
        errorCode: errorCode.invalidProducerEpoch,
        message: `marker of epoch ${producerEpoch} of producer ${producerId}, which is at ${state.epoch}`,
      };
    }
    if (coordinatorEpoch >= state.coordinatorEpoch) return null;
    return {
      errorCode: errorCode.transactionCoordinatorFenced,
      message: `marker of coordinator epoch ${coordinatorEpoch}, after one of ${state.coordinatorEpoch}`,
    };
  }

  /** Remembers a marker that was appended. */
  ended(header: BatchHeader, marker: TransactionMarker, offset: number, nowMs: number): void {
    this.#used(header, header.maxTimestamp, nowMs).coordinatorEpoch = marker.coordinatorEpoch;
    this.transactions.ended(header.producerId, offset, marker.committed);
  }

  /** Whether a stored batch is the one from which a producer's newest sequence, or else its epoch, is known. */
  isLast({ producerId, producerEpoch, baseOffset, control }: BatchHeader): boolean {
    const state = this.#producers.get(producerId);
    if (state === undefined) return false;
    const newest = state.batches.at(-1);
    if (newest === undefined) return control && state.epoch === producerEpoch;
    return newest.baseOffset === baseOffset;
  }

  *all(): Generator<ActiveProducer> {
    for (const [producerId, { epoch, batches, lastTimestampMs, coordinatorEpoch }] of this.#producers) {
      yield {
        producerId,
        producerEpoch: epoch,
        lastSequence: batches.at(-1)?.lastSequence ?? -1,
        lastTimestampMs,
        coordinatorEpoch,
        transactionStartOffset: this.transactions.openSince(producerId) ?? -1,
      };
    }
  }

  /**
   * Forgets producers unused since then that have no transaction open: any sequence of theirs is accepted afterwards.
   */
  expire(unusedSinceMs: number): void {
    for (const [producerId, { lastUsedMs }] of this.#producers) {
      const open = this.transactions.openSince(producerId) !== null;
      if (lastUsedMs < unusedSinceMs && !open) this.#producers.delete(producerId);
    }
    for (const [producerId, { sentMs }] of this.#firstSent) {
      if (sentMs < unusedSinceMs) this.#firstSent.delete(producerId);
    }
  }
}

function refuse(code: number, message: string): SequenceVerdict {
  return { kind: "refuse", errorCode: code, message };
}
