/**
 * How far the partitions have come that feed a repartition topic.
 *
 * Each of them says in the topic itself when it is behind, that is, has records that are not processed yet, and up to what event
 * time it has come; and when it is behind no more. As long as one is behind, event time in the topic does not pass it: what it
 * is still to write is not late because it is processed later than what others have written (a watermark, as in Flink).
 */
import type { IncomingRecord, OutgoingRecord } from "../ports.ts";

const PROGRESS_HEADER = "kelvin-progress";

/** Event time in milliseconds; minus infinity where it is not known yet, undefined for one that is not behind. */
export type Progress = number | undefined;

/** To each partition of the repartition topic. */
export function progressRecords(
  upstream: { readonly topic: string; readonly partition: number },
  progress: Progress,
  to: { readonly topic: string; readonly partitions: number },
  wallMs: number,
): OutgoingRecord[] {
  const header = `${upstream.topic}/${upstream.partition}/${textOf(progress)}`;
  return Array.from({ length: to.partitions }, (_, partition) => ({
    ...{ topic: to.topic, partition, key: null, value: null, timestampMs: wallMs },
    headers: { [PROGRESS_HEADER]: header },
  }));
}

export function isProgress({ headers }: Pick<IncomingRecord, "headers">): boolean {
  return headers[PROGRESS_HEADER] !== undefined;
}

export class Upstreams {
  /** By topic/partition. */
  readonly #behind = new Map<string, number>();

  /** Event time that must not be passed; infinite where nobody is behind. */
  get limitMs(): number {
    return Math.min(...this.#behind.values());
  }

  take({ headers }: Pick<IncomingRecord, "headers">): void {
    const [topic = "", partition = "", text = ""] = String(headers[PROGRESS_HEADER] ?? "").split("/");
    this.#set(`${topic}/${partition}`, text);
  }

  /** Short: it stands in the offset's metadata. */
  encode(): Record<string, string> {
    const byTopic: Record<string, string> = {};
    for (const [upstream, atMs] of this.#behind) {
      const [topic = "", partition] = upstream.split("/");
      const one = `${partition}.${textOf(atMs)}`;
      byTopic[topic] = topic in byTopic ? `${byTopic[topic]} ${one}` : one;
    }
    return byTopic;
  }

  static decode(byTopic: Readonly<Record<string, unknown>>): Upstreams {
    const upstreams = new Upstreams();
    for (const [topic, list] of Object.entries(byTopic)) {
      for (const one of String(list).split(" ")) {
        const [partition, text = ""] = one.split(".");
        upstreams.#set(`${topic}/${partition}`, text);
      }
    }
    return upstreams;
  }

  #set(upstream: string, text: string): void {
    const atMs = text === UNKNOWN ? Number.NEGATIVE_INFINITY : Number.parseInt(text, 36);
    // What is no number is said by nobody of ours: it must not hold everybody for ever.
    if (text === CAUGHT_UP || Number.isNaN(atMs)) this.#behind.delete(upstream);
    else this.#behind.set(upstream, atMs);
  }
}

const CAUGHT_UP = "-";
const UNKNOWN = "?";

function textOf(progress: Progress): string {
  if (progress === undefined) return CAUGHT_UP;
  return Number.isFinite(progress) ? progress.toString(36) : UNKNOWN;
}
