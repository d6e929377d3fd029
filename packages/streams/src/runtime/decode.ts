/** From a record's bytes to a value, where it comes from, whose it is and of when. */
import { messageOf } from "../errors.ts";
import type { IncomingRecord } from "../ports.ts";
import type { RecordContext, SourceNode } from "../topology/nodes.ts";

export interface Readable {
  readonly ok: true;
  readonly value: unknown;
  readonly context: RecordContext;
}

export type DecodedRecord = Readable | { readonly ok: false; readonly problems: readonly string[] };

/** A key or time that can't be had is as bad as a value that can't. */
export function decode({ topic: source, repartition }: SourceNode, record: IncomingRecord): DecodedRecord {
  const { topic, partition, offset, headers } = record;
  try {
    const decoded = source.decode(record.value);
    if (!decoded.ok) return decoded;
    const { value } = decoded;
    const timestampMs = Math.floor(source.eventTimeMs(value, record.timestampMs));
    if (!Number.isSafeInteger(timestampMs))
      return { ok: false, problems: [`its event time is ${timestampMs}`] };
    // The key of a record that groupBy wrote is what it was grouped by; its value does not tell.
    const key =
      repartition === undefined ? source.key(value) : Buffer.from(record.key ?? []).toString("utf8");
    return { ok: true, value, context: { topic, partition, offset, headers, timestampMs, key } };
  } catch (error) {
    return { ok: false, problems: [messageOf(error)] };
  }
}
