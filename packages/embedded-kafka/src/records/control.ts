/**
 * Control batches: the one record that ends a transaction in a partition (KIP-98). It takes an offset, and consumers
 * never see it. https://kafka.apache.org/documentation/#controlbatch
 */
import { DecodeError } from "../protocol/decode-error.ts";
import { CONTROL, TRANSACTIONAL } from "./batch.ts";
import { buildBatch, readRecords } from "./record.ts";

const ABORT = 0;
const COMMIT = 1;
const KEY_VERSION = 0;
const VALUE_VERSION = 0;

/** How a transaction ended. */
export interface TransactionMarker {
  readonly committed: boolean;
  /** Grows when another broker becomes the coordinator; an older coordinator's marker is refused. */
  readonly coordinatorEpoch: number;
}

export interface NewMarker extends TransactionMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timestampMs: number;
}

/** The batch that ends a producer's transaction in one partition. */
export function buildMarker(marker: NewMarker): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(KEY_VERSION, 0);
  key.writeInt16BE(marker.committed ? COMMIT : ABORT, 2);
  const value = Buffer.alloc(6);
  value.writeInt16BE(VALUE_VERSION, 0);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  return buildBatch({
    records: [{ key, value }],
    baseTimestampMs: marker.timestampMs,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    attributes: TRANSACTIONAL | CONTROL,
  });
}

/**
 * What a control batch says; null for one of another kind, which concerns nobody here.
 *
 * @throws DecodeError where the batch holds no control record.
 */
export function readMarker(batch: Buffer): TransactionMarker | null {
  for (const { key, value } of readRecords(batch)) {
    if (key === null || key.length < 4) break;
    const type = key.readInt16BE(2);
    if (type !== ABORT && type !== COMMIT) return null;
    if (value === null || value.length < 6) break;
    return { committed: type === COMMIT, coordinatorEpoch: value.readInt32BE(2) };
  }
  throw new DecodeError("control batch without a control record", 0);
}
