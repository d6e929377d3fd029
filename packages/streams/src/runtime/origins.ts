/**
 * What a partition of a repartition topic knows of the records that it was given: how far each upstream partition had come.
 *
 * An upstream partition writes in its order, and after a crash it writes what was not noted again, the same records in
 * the same order. So a record that does not lie behind all that its upstream partition has given is a repeated one. (What
 * Kafka's idempotent producer does with sequence numbers, across the lives of a process.)
 */
import type { IncomingRecord, RecordPosition } from "../ports.ts";
import { ORIGIN_HEADER } from "../topology/repartition.ts";

/** `sequence` is the upstream record's, `index` tells the records apart that one record made. */
export function originOf({ topic, partition }: RecordPosition, sequence: number, index: number): string {
  return `${topic}/${partition}/${sequence.toString(36)}/${index.toString(36)}`;
}

type Headed = Pick<IncomingRecord, "headers">;

interface Reached {
  readonly sequence: number;
  readonly index: number;
}

export class Origins {
  readonly #reached = new Map<string, Reached>();

  /** Whether the record was given before. What has no origin never was. */
  isRepeated(record: Headed): boolean {
    const origin = readOrigin(record);
    const reached = origin && this.#reached.get(origin.upstream);
    return origin !== undefined && reached !== undefined && !isBehind(origin, reached);
  }

  /** The record counts from here on. */
  take(record: Headed): void {
    const origin = readOrigin(record);
    if (origin !== undefined) this.#reached.set(origin.upstream, origin);
  }

  /** Short: it stands in the offset's metadata. */
  encode(): Record<string, string> {
    const byTopic: Record<string, string> = {};
    for (const [upstream, { sequence, index }] of this.#reached) {
      const [topic = "", partition] = upstream.split("/");
      const one = `${partition}.${sequence.toString(36)}.${index.toString(36)}`;
      byTopic[topic] = topic in byTopic ? `${byTopic[topic]} ${one}` : one;
    }
    return byTopic;
  }

  static decode(byTopic: Readonly<Record<string, unknown>>): Origins {
    const origins = new Origins();
    for (const [topic, text] of Object.entries(byTopic)) {
      if (typeof text !== "string") continue;
      for (const one of text.split(" ")) {
        const [partition, sequence = "", index = ""] = one.split(".");
        const at = { sequence: Number.parseInt(sequence, 36), index: Number.parseInt(index, 36) };
        if (!Number.isNaN(at.sequence + at.index)) origins.#reached.set(`${topic}/${partition}`, at);
      }
    }
    return origins;
  }
}

function readOrigin({ headers }: Headed): (Reached & { readonly upstream: string }) | undefined {
  const header = headers[ORIGIN_HEADER];
  if (header === undefined) return undefined;
  const [topic = "", partition = "", ...numbers] = String(header).split("/");
  const [sequence = Number.NaN, index = Number.NaN] = numbers.map((number) => Number.parseInt(number, 36));
  return Number.isNaN(sequence + index) ? undefined : { upstream: `${topic}/${partition}`, sequence, index };
}

function isBehind(at: Reached, reached: Reached): boolean {
  return at.sequence > reached.sequence || (at.sequence === reached.sequence && at.index > reached.index);
}

/** The record as it was before it was given on: where it comes from is no one else's business. */
export function withoutOrigin(record: IncomingRecord): IncomingRecord {
  const { [ORIGIN_HEADER]: _origin, ...headers } = record.headers;
  return { ...record, headers };
}
