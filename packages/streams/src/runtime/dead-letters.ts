/** Records that could not be processed: kept, with the reason, in a topic beside their source topic. */
import type { IncomingRecord, OutgoingRecord, RecordPosition, TopicLike } from "../ports.ts";

/**
 * Why a record is a dead letter.
 *
 * - `undecodable`: its bytes don't match the topic's schema
 * - `failed`: a function of the pipeline threw on every attempt
 * - `late`: it arrived after its window's allowed lateness
 * - `future`: its event time is too far ahead of the wall clock
 * - `refused`: Kafka refuses an output made from it
 * - `result-failed`: a function threw on a window's result; the dead letter's value is the result as JSON
 */
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

export const DEAD_LETTER_CODES = [
  "undecodable",
  "failed",
  "late",
  "future",
  "refused",
  "result-failed",
] as const;
const CODES: readonly string[] = DEAD_LETTER_CODES;

/** The headers added to a dead letter. The record's own key, value and headers are untouched. */
export const deadLetterHeaders = {
  pipeline: "kelvin-dlq-pipeline",
  topic: "kelvin-dlq-topic",
  partition: "kelvin-dlq-partition",
  offset: "kelvin-dlq-offset",
  timestamp: "kelvin-dlq-timestamp",
  code: "kelvin-dlq-code",
  reason: "kelvin-dlq-reason",
  /** Only if a function threw: its step, as named in diagrams. */
  step: "kelvin-dlq-step",
  /** Only if the value had to be truncated: its original size in bytes. The full value is at the source position. */
  cutFrom: "kelvin-dlq-cut-from",
} as const;

/** The contents of the headers. (pipeline, source) identifies the dead letter: duplicates have the same. */
export interface DeadLetter {
  readonly pipeline: string;
  readonly source: RecordPosition;
  /** Kafka's timestamp of the record, milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly code: DeadLetterCode;
  /** Human-readable; at most 1,000 bytes. */
  readonly reason: string;
  /** The step whose function threw, as named in diagrams; undefined if none did. */
  readonly step?: string;
}

/** The name of a topic's dead-letter topic: `<topic>.dlq`. */
export function deadLetterTopicName(sourceTopic: string): string {
  return `${sourceTopic}.dlq`;
}

const REASON_BYTES_MAX = 1_000;
/** Kafka's default `max.message.bytes`. */
const MESSAGE_BYTES_DEFAULT = 1_048_588;
/** Room for the headers, so that whatever fitted the source fits here. */
const HEADER_BYTES = 64 * 1024;

/** Definition of a source's dead-letter topic, used to create it. */
export function deadLetterTopic(source: Pick<TopicLike<never>, "name" | "partitions" | "configEntries">) {
  const sourceMax = Number(source.configEntries["max.message.bytes"] ?? MESSAGE_BYTES_DEFAULT);
  return {
    name: deadLetterTopicName(source.name),
    partitions: source.partitions,
    configEntries: { ...source.configEntries, "max.message.bytes": String(sourceMax + HEADER_BYTES) },
  };
}

export function deadLetterOf(
  pipeline: string,
  record: IncomingRecord,
  code: DeadLetterCode,
  reason: string,
  step?: string,
): OutgoingRecord {
  return {
    topic: deadLetterTopicName(record.topic),
    key: record.key,
    value: record.value,
    timestampMs: record.timestampMs,
    headers: {
      ...record.headers,
      [deadLetterHeaders.pipeline]: pipeline,
      [deadLetterHeaders.topic]: record.topic,
      [deadLetterHeaders.partition]: String(record.partition),
      [deadLetterHeaders.offset]: String(record.offset),
      [deadLetterHeaders.timestamp]: String(record.timestampMs),
      [deadLetterHeaders.code]: code,
      [deadLetterHeaders.reason]: cut(reason),
      ...(step !== undefined && { [deadLetterHeaders.step]: cut(step) }),
    },
  };
}

/** Fits what Kafka takes by default, headers included. */
const CUT_BYTES = 512 * 1024;

/**
 * The letter with less in it, for a dead-letter topic that does not take it whole (the source's limit was raised after
 * it was made, or not by us): first the value is cut, then nothing but our own headers is kept. undefined where there is
 * nothing left to cut.
 */
export function cutLetter(letter: OutgoingRecord): OutgoingRecord | undefined {
  const { value, headers = {} } = letter;
  const bytes = value?.length ?? 0;
  const cutFrom = headers[deadLetterHeaders.cutFrom] ?? String(bytes);
  if (value !== null && bytes > CUT_BYTES) {
    const kept = value.subarray(0, CUT_BYTES);
    return { ...letter, value: kept, headers: { ...headers, [deadLetterHeaders.cutFrom]: cutFrom } };
  }
  const names: readonly string[] = Object.values(deadLetterHeaders);
  const own = Object.entries(headers).filter(([name]) => names.includes(name));
  if (bytes === 0 && letter.key === null && own.length === Object.keys(headers).length) return undefined;
  const least = { ...Object.fromEntries(own), [deadLetterHeaders.cutFrom]: cutFrom };
  return { ...letter, key: null, value: new Uint8Array(), headers: least };
}

/** Reads a dead letter's headers; undefined if the record is not a dead letter. */
export function parseDeadLetter(
  headers: Readonly<Record<string, string | Uint8Array | undefined>>,
): DeadLetter | undefined {
  const text = (name: keyof typeof deadLetterHeaders): string => {
    const value = headers[deadLetterHeaders[name]];
    return value === undefined ? "" : typeof value === "string" ? value : Buffer.from(value).toString("utf8");
  };
  const code = text("code");
  const partition = whole(text("partition"));
  const offset = whole(text("offset"));
  const timestampMs = whole(text("timestamp"));
  if (!isCode(code) || text("topic") === "" || Number.isNaN(partition + offset + timestampMs))
    return undefined;
  const source = { topic: text("topic"), partition, offset };
  const step = text("step");
  return {
    pipeline: text("pipeline"),
    source,
    timestampMs,
    code,
    reason: text("reason"),
    ...(step !== "" && { step }),
  };
}

function whole(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}

function isCode(code: string): code is DeadLetterCode {
  return CODES.includes(code);
}

/** At most REASON_BYTES_MAX bytes, no half characters. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason, "utf8");
  if (bytes.length <= REASON_BYTES_MAX) return reason;
  return `${bytes
    .subarray(0, REASON_BYTES_MAX - 3)
    .toString("utf8")
    .replace(/\uFFFD+$/, "")}…`;
}
