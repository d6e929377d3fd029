/** What a topic is: its name, what its records mean, and how Kafka should keep it. */
import type * as z from "zod";

/** The outcome of reading a record's value: the value, or every reason why it is not one. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A topic, whole: one object that producers, pipelines and readers share. */
export interface Topic<T> {
  readonly name: string;
  /** Reads a record's value. Never throws: a bad value is an answer with its problems. */
  decode(value: Uint8Array | null): Decoded<T>;
  /** The record's value as UTF-8 JSON. */
  encode(value: T): Uint8Array;
  /** The record's key. Records of one key keep their order and share a partition. */
  key(value: T): string;
  /** The instant the value speaks of, in milliseconds since the epoch. */
  eventTimeMs(value: T, recordTimestampMs: number): number;
  /** Used when a service creates the topic; an existing topic is never altered. */
  readonly partitions: number;
  /** Topic settings in Kafka's own words (`retention.ms`, ...), used at creation only. */
  readonly configEntries: Readonly<Record<string, string>>;
}

interface TopicOptions<T> {
  name: string;
  value: z.ZodType<T>;
  key: (value: T) => string;
  eventTimeMs: (value: T, recordTimestampMs: number) => number;
  partitions: number;
  retentionMs: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** Makes a topic of a zod schema; the values are JSON in UTF-8. */
export function defineTopic<T>(options: TopicOptions<T>): Topic<T> {
  return {
    name: options.name,
    decode: (bytes) => decodeJson(bytes, options.value),
    encode: (value) => encoder.encode(JSON.stringify(value)),
    key: options.key,
    eventTimeMs: options.eventTimeMs,
    partitions: options.partitions,
    configEntries: { "retention.ms": String(options.retentionMs) },
  };
}

/** The same topic under another name, as `SENSOR_TOPIC` and its like ask for. */
export function renamed<T>(topic: Topic<T>, name: string): Topic<T> {
  return { ...topic, name };
}

function decodeJson<T>(bytes: Uint8Array | null, schema: z.ZodType<T>): Decoded<T> {
  if (bytes === null || bytes.length === 0) return refused("the value is empty");
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    return refused(`the value is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) =>
      issue.path.length === 0 ? issue.message : `${issue.path.map(String).join(".")}: ${issue.message}`,
    ),
  };
}

function refused(problem: string): Decoded<never> {
  return { ok: false, problems: [problem] };
}
