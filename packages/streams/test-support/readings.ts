/** A topic of small readings, and everything a partition says about them; shared by the tests. */
import { agg } from "../src/aggregates/agg.ts";
import type { IncomingRecord, OutgoingRecord, TopicLike } from "../src/ports.ts";
import { parseDeadLetter } from "../src/runtime/dead-letters.ts";
import { Numbers } from "../src/runtime/numbers.ts";
import { Partition, type PartitionPorts } from "../src/runtime/partition.ts";
import type { Node, SourceNode, TrailingWindowShape, WindowShape } from "../src/topology/nodes.ts";
import type { WindowResult } from "../src/topology/windows.ts";

export interface Reading {
  readonly key: string;
  readonly atMs: number;
  readonly x: number;
}

export interface Kpi {
  readonly count: number;
  readonly sum: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A topic whose values are JSON and trusted. */
export function jsonTopic<T>(
  name: string,
  of: { key: (value: T) => string; eventTimeMs: (value: T, recordTimestampMs: number) => number },
  isValue: (json: unknown) => json is T,
  partitions = 2,
): TopicLike<T> {
  return {
    name,
    partitions,
    // The readings are of 2023: by its default of 7 days Kafka deletes them, half a minute after it was started.
    configEntries: { "retention.ms": "-1" },
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode(bytes) {
      try {
        const json: unknown = JSON.parse(decoder.decode(bytes ?? new Uint8Array()));
        return isValue(json) ? { ok: true, value: json } : { ok: false, problems: ["it is another shape"] };
      } catch (error) {
        return { ok: false, problems: [String(error)] };
      }
    },
    ...of,
  };
}

export function isReading(json: unknown): json is Reading {
  return typeof json === "object" && json !== null && "key" in json && "atMs" in json && "x" in json;
}

export function readingTopic(name: string, partitions = 2): TopicLike<Reading> {
  return jsonTopic(name, { key: ({ key }) => key, eventTimeMs: ({ atMs }) => atMs }, isReading, partitions);
}

type Result = WindowResult<Kpi | null>;

export function isResult(json: unknown): json is Result {
  return (
    typeof json === "object" && json !== null && "endMs" in json && "revision" in json && "value" in json
  );
}

export function resultTopic(name: string, partitions = 2): TopicLike<Result> {
  return jsonTopic(name, { key: ({ key }) => key, eventTimeMs: ({ endMs }) => endMs }, isResult, partitions);
}

export const readings = readingTopic("readings");
export const results = resultTopic("results");

/** readings ─► window ─► results */
export function windowedSource(shape: WindowShape): SourceNode {
  const sink: Node = { kind: "toTopic", topic: results, next: [] };
  const aggregates = { count: agg.count(), sum: agg.sum<Reading>(({ x }) => x) };
  return {
    kind: "source",
    topic: readings,
    next: [{ kind: "window", name: "w", shape, aggregates, next: [sink] }],
  };
}

export function trailingSource(shape: TrailingWindowShape): SourceNode {
  return windowedSource({ kind: "trailing", ...shape });
}

/** A partition whose output is kept, with a wall clock that stands where it is put. */
export class Bench {
  readonly told: Result[] = [];
  readonly deadLetters: { code: string; offset: number }[] = [];
  readonly out: OutgoingRecord[] = [];
  partition: Partition;
  wallMs = 0;
  readonly #source: SourceNode;
  readonly #attempts: number;
  #lives = 0;

  constructor(source: SourceNode, options: { attempts?: number } = {}) {
    this.#source = source;
    this.#attempts = options.attempts ?? 1;
    this.partition = this.fresh(0);
  }

  fresh(position: number): Partition {
    const owner = `life-${this.#lives++}`;
    return new Partition({ source: this.#source, partition: 0, position, owner, ports: this.ports() });
  }

  ports(): PartitionPorts {
    return {
      app: "bench",
      numbers: new Numbers(undefined, "bench"),
      policy: {
        attempts: this.#attempts,
        backoffMs: 0,
        onFailure: "dead-letter",
        onInvalid: "dead-letter",
      },
      wallMs: () => this.wallMs,
      print: () => undefined,
      warn: () => undefined,
      backoff: () => Promise.resolve(),
      emit: (record) => {
        this.out.push(record);
        const letter = parseDeadLetter(record.headers ?? {});
        if (letter !== undefined) this.deadLetters.push({ code: letter.code, offset: letter.source.offset });
        if (record.topic !== results.name) return;
        const decoded = results.decode(record.value);
        if (decoded.ok) this.told.push(decoded.value);
      },
    };
  }
}

export function recordOf(reading: Reading, offset: number): IncomingRecord {
  return {
    topic: readings.name,
    partition: 0,
    offset,
    key: encoder.encode(reading.key),
    value: readings.encode(reading),
    timestampMs: reading.atMs,
    headers: {},
  };
}

/** What a reader who keeps the highest revision ends up with: key@end, count, sum. Of equal ones the later. */
export function tableOf(told: readonly Result[]): Map<string, { revision: number; value: Kpi | null }> {
  const table = new Map<string, { revision: number; value: Kpi | null }>();
  for (const { key, endMs, revision, value } of told) {
    const known = table.get(`${key}@${endMs}`);
    if (known === undefined || revision >= known.revision) table.set(`${key}@${endMs}`, { revision, value });
  }
  return table;
}

/** The table without revisions, sorted, with sums rounded to what floating-point addition in any order can hold. */
export function valuesOf(told: readonly Result[]): Record<string, Kpi> {
  return sorted([...tableOf(told)].flatMap(([at, { value }]) => (value === null ? [] : [[at, value]])));
}

function sorted(entries: [string, Kpi][]): Record<string, Kpi> {
  return Object.fromEntries(
    entries
      .map(([at, { count, sum }]): [string, Kpi] => [at, { count, sum: Math.round(sum * 1e6) / 1e6 }])
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

/**
 * The table by brute force: every window there could be, tried one by one. `untilMs` is the event time reached: windows
 * that end later are not due.
 */
export function bruteForce(
  all: readonly Reading[],
  shape: TrailingWindowShape,
  untilMs: number,
): Record<string, Kpi> {
  const entries: [string, Kpi][] = [];
  const { sizeMs, everyMs } = shape;
  const fromMs = Math.floor(Math.min(...all.map(({ atMs }) => atMs)) / everyMs) * everyMs;
  const within = (key: string, endMs: number) =>
    all.filter((each) => each.key === key && endMs - sizeMs <= each.atMs && each.atMs < endMs);
  for (const key of new Set(all.map((each) => each.key))) {
    for (let endMs = fromMs; endMs <= untilMs; endMs += everyMs) {
      const now = within(key, endMs);
      if (now.length === 0 && within(key, endMs - everyMs).length === 0) continue;
      entries.push([`${key}@${endMs}`, { count: now.length, sum: now.reduce((sum, { x }) => sum + x, 0) }]);
    }
  }
  return sorted(entries);
}
