/** The topic that carries records to the partition of another key. */
import { messageOf } from "../errors.ts";
import type { Decoded, TopicLike } from "../ports.ts";

/** Says where a record of a repartition topic comes from, so that a repeated one is known. Never passed on. */
export const ORIGIN_HEADER = "kelvin-origin";

/** Encodes values to bytes and decodes them. */
export interface ValueCodec<T> {
  readonly encode: (value: T) => Uint8Array;
  /** Throws if the bytes are invalid; the record then goes to the dead-letter topic. */
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

/** Whether values of a type survive JSON unchanged; checks four levels deep. */
export type IsJson<T> = Extract<Leaves<T>, Unspeakable> extends never ? true : false;

/** Options of `groupBy`'s repartition topic. */
export interface GroupByOptions {
  /**
   * Name of the repartition topic: `<app>-<name>-repartition`. Kafka Streams' `Grouped.as`, Quix' `name`. A new name is
   * a new topic: records in the old one are no longer read.
   */
  readonly name: string;
  /** Partitions of the repartition topic, used to create it. @default as many as the source topic has */
  readonly partitions?: number;
}

/** Options of `groupBy` for values that don't survive JSON. */
export interface GroupByCodecOptions<T> extends GroupByOptions {
  /** How values are written to the repartition topic. Kafka Streams' `Grouped.with`. @default JSON */
  readonly codec: ValueCodec<T>;
}

/**
 * The topic as it is created: kept until its records have been processed (the runtime deletes them), never by time, for
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
