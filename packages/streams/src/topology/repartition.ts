/** The topic that carries records to the partition of another key. */
import { messageOf } from "../errors.ts";
import type { Decoded, TopicLike } from "../ports.ts";

/** Says where a record of a repartition topic comes from, so that a repeated one is known. Never passed on. */
export const ORIGIN_HEADER = "kelvin-origin";

/** To bytes and back. */
export interface ValueCodec<T> {
  readonly encode: (value: T) => Uint8Array;
  /** Throws for what is none; the record then goes to the dead letters. */
  readonly decode: (bytes: Uint8Array) => T;
}

/** What JSON changes or loses. */
type Unspeakable =
  | bigint
  | symbol
  | Date
  | RegExp
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never[]) => unknown);

/** The types of what a value is made of. */
type Parts<T> = T extends Unspeakable
  ? T
  : T extends readonly (infer Each)[]
    ? Each
    : T extends object
      ? T[keyof T & string]
      : T;
type Leaves<T> = Parts<Parts<Parts<Parts<T>>>>;

/** Looks four levels deep into a type for what does not come back from JSON as it went in. */
export type IsJson<T> = Extract<Leaves<T>, Unspeakable> extends never ? true : false;

/** Of the topic that `groupBy` goes by. */
export interface GroupByOptions {
  /**
   * Names the repartition topic: `<app>-<name>-repartition`. Kafka Streams' `Grouped.as`, Quix' `name`. Another name is
   * another topic: what lies in the old one is not read any more.
   */
  readonly name: string;
  /** Of the repartition topic, where it is not there yet. @default as many as the topic has that the values come from */
  readonly partitions?: number;
}

/** Of values that JSON does not carry. */
export interface GroupByCodecOptions<T> extends GroupByOptions {
  /** How values are written to the repartition topic. Kafka Streams' `Grouped.with`. @default JSON */
  readonly codec: ValueCodec<T>;
}

/**
 * The topic as it is created: kept until its records have been worked on (the runtime deletes them), never by time, for
 * the records' times are event times. Kafka Streams does the same.
 */
export function repartitionTopic(
  app: string,
  { name, partitions }: { readonly name: string; readonly partitions: number },
  codec: AnyCodec = json,
): TopicLike<unknown> {
  return {
    name: `${app}-${name}-repartition`,
    partitions,
    configEntries: { "cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": "52428800" },
    encode: (value) => codec.encode(value),
    decode: (bytes) => decoded(codec, bytes),
    // Key and time are the record's own.
    key: () => "",
    eventTimeMs: (_value, recordTimestampMs) => recordTimestampMs,
  };
}

/** A codec with its value's type forgotten: by methods, which are compared loosely. */
interface AnyCodec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const json: AnyCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString("utf8")),
};

function decoded(codec: AnyCodec, bytes: Uint8Array | null): Decoded<unknown> {
  try {
    return { ok: true, value: codec.decode(bytes ?? new Uint8Array()) };
  } catch (error) {
    return { ok: false, problems: [messageOf(error)] };
  }
}
