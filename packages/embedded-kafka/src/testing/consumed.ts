/** What a consumer makes of the bytes of a Fetch answer, as Kafka's clients do it (KIP-98). */
import { readHeader } from "../records/batch.ts";
import { readMarker } from "../records/control.ts";
import { readRecords, type StoredRecord } from "../records/record.ts";

interface FetchedPartition {
  readonly records: Buffer | null;
  readonly abortedTransactions: readonly { producerId: number; firstOffset: number }[] | null;
}

/** The batches that lie in one byte string. */
export function batchesIn(records: Buffer | null): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; records !== null && at < records.length; ) {
    const length = records.readInt32BE(at + 8) + 12;
    batches.push(records.subarray(at, at + length));
    at += length;
  }
  return batches;
}

/** The records from an offset on: no control batches, and at read_committed nothing of aborted transactions. */
export function consumed(answer: FetchedPartition, fromOffset = 0): StoredRecord[] {
  const aborted = new Set<number>();
  const toCome = [...(answer.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset);
  return batchesIn(answer.records).flatMap((batch) => {
    const { baseOffset, lastOffsetDelta, producerId, transactional, control } = readHeader(batch);
    for (let next = toCome[0]; next !== undefined; next = toCome[0]) {
      if (next.firstOffset > baseOffset + lastOffsetDelta) break;
      aborted.add(next.producerId);
      toCome.shift();
    }
    if (control) {
      if (readMarker(batch)?.committed === false) aborted.delete(producerId);
      return [];
    }
    if (transactional && aborted.has(producerId)) return [];
    return [...readRecords(batch)].filter(({ offset }) => offset >= fromOffset);
  });
}

/** The offset after all that came, also after what a consumer does not show. */
export function nextOffset({ records }: FetchedPartition, fromOffset: number): number {
  const last = batchesIn(records).at(-1);
  if (last === undefined) return fromOffset;
  const { baseOffset, lastOffsetDelta } = readHeader(last);
  return baseOffset + lastOffsetDelta + 1;
}

/** The values of it, as text. */
export const seenIn = (answer: Parameters<typeof consumed>[0]): string[] =>
  consumed(answer).map(({ value }) => String(value));
