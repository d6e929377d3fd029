/**
 * What a partition remembers of its idempotent producers (KIP-98): per producer id the epoch and the last five
 * batches, so that a repeated one is recognized and a missing one noticed.
 */
import { errorCode } from "../protocol/error-codes.ts";
import type { BatchHeader } from "../records/batch.ts";

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
}

export type SequenceVerdict =
  | { readonly kind: "append" }
  | { readonly kind: "duplicate"; readonly baseOffset: number; readonly timestampMs: number }
  | { readonly kind: "refuse"; readonly errorCode: number; readonly message: string };

const APPEND: SequenceVerdict = { kind: "append" };

/** Sequences wrap from 2^31-1 to 0. */
function sequenceAfter(sequence: number, steps: number): number {
  return (sequence + steps) % SEQUENCES;
}

export class ProducerStates {
  readonly #producers = new Map<number, ProducerState>();

  get size(): number {
    return this.#producers.size;
  }

  /** Whether a batch of an idempotent producer is next in line, a repeat, or out of order. */
  check(header: BatchHeader): SequenceVerdict {
    const state = this.#producers.get(header.producerId);
    if (state === undefined) return APPEND;
    const { producerEpoch: epoch, baseSequence: first } = header;
    if (epoch < state.epoch) {
      return refuse(
        errorCode.invalidProducerEpoch,
        `epoch ${epoch} of producer ${header.producerId} is older than ${state.epoch}`,
      );
    }
    if (epoch > state.epoch) {
      if (first === 0) return APPEND;
      return refuse(errorCode.outOfOrderSequence, `epoch ${epoch} starts at sequence ${first}, not 0`);
    }
    const last = sequenceAfter(first, header.lastOffsetDelta);
    const before = state.batches.find((b) => b.firstSequence === first && b.lastSequence === last);
    if (before !== undefined) return { kind: "duplicate", ...before };
    const newest = state.batches.at(-1);
    const expected = newest === undefined ? first : sequenceAfter(newest.lastSequence, 1);
    if (first === expected) return APPEND;
    return refuse(
      errorCode.outOfOrderSequence,
      `producer ${header.producerId} sent sequence ${first}, expected ${expected}`,
    );
  }

  /** Remembers a batch that was appended. */
  appended(header: BatchHeader, baseOffset: number, timestampMs: number, nowMs: number): void {
    let state = this.#producers.get(header.producerId);
    if (state === undefined || state.epoch !== header.producerEpoch) {
      state = { epoch: header.producerEpoch, batches: [], lastUsedMs: nowMs };
      this.#producers.set(header.producerId, state);
    }
    state.lastUsedMs = nowMs;
    state.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: sequenceAfter(header.baseSequence, header.lastOffsetDelta),
      baseOffset,
      timestampMs,
    });
    if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift();
  }

  /** Forgets producers unused since then: any sequence of theirs is accepted afterwards. */
  expire(unusedSinceMs: number): void {
    for (const [producerId, state] of this.#producers) {
      if (state.lastUsedMs < unusedSinceMs) this.#producers.delete(producerId);
    }
  }
}

function refuse(code: number, message: string): SequenceVerdict {
  return { kind: "refuse", errorCode: code, message };
}
