/** What the library needs from outside: a topic's definition, broker addresses, a clock, a log, metrics. */

/** The result of decoding a record's value: the value, or all problems found. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A topic as the library sees it; `Topic<T>` of a schema package fits. */
export interface TopicLike<T> {
  readonly name: string;
  /** Decodes bytes. Must not throw; for invalid bytes return the problems, and the record goes to the dead-letter topic. */
  decode(bytes: Uint8Array | null): Decoded<T>;
  encode(value: T): Uint8Array;
  /** The record's key: decides the partition (murmur2, as in Kafka's Java client) and whose window it is in. */
  key(value: T): string;
  /** The value's event time, in milliseconds since the epoch. */
  eventTimeMs(value: T, recordTimestampMs: number): number;
  /** Used when the library creates the topic; an existing topic is never altered. */
  readonly partitions: number;
  /** Topic settings by Kafka's names, used at creation only. */
  readonly configEntries: Readonly<Record<string, string>>;
}

/** Cancels a timer; harmless if it has already fired. */
export type Cancel = () => void;

/** The time source; injected so that tests can control time. */
export interface Clock {
  /** Milliseconds since the epoch; the wall clock, which may step. */
  now(): number;
  /** Milliseconds since some fixed moment; never steps. */
  monotonic(): number;
  setTimeout(run: () => void, delayMs: number): Cancel;
}

/** Receives log lines: fields first, then the message. pino's logger fits. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type Labels = Readonly<Record<string, string | number>>;

/** Receives metrics. Names follow Prometheus; the library's own are in runtime/numbers.ts. */
export interface Metrics {
  /** Increments a counter. */
  count(name: string, help: string, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, help: string, value: number, labels?: Labels): void;
  /** Stops reporting the gauge with these labels: what it measured now belongs to another process. */
  forget(name: string, labels: Labels): void;
}

/** Where Kafka is, and how to authenticate. */
export interface KafkaConnection {
  /** `host:port` of some of the brokers; the others are discovered. */
  readonly brokers: readonly string[];
  /** Kafka's `client.id`, for the broker's logs and quotas. Default: the name of the app or "kelvin". */
  readonly clientId?: string;
  readonly ssl?: boolean | TlsOptions;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
  /** On a wrong password or certificate: fail, or retry with increasing waits. @default "fail" */
  readonly whenRefused?: "fail" | "retry";
  /** When no broker answers: wait for one, or fail at once and leave the decision to the caller. @default "retry" */
  readonly whenUnreachable?: "fail" | "retry";
  /** Settings for new topics, and expected of existing ones, instead of those in their definition. */
  readonly newTopics?: NewTopics;
}

/** A cluster's own rules for topics. */
export interface NewTopics {
  readonly partitions?: number;
  /** Replicas per partition. Kafka's `default.replication.factor` if unset. */
  readonly replicationFactor?: number;
  /** Kafka's `retention.ms`; for topics from which old records are deleted. */
  readonly retentionMs?: number;
}

/** PEM strings, as for Node's `tls.connect`. */
export interface TlsOptions {
  /** CAs to trust instead of the system's. */
  readonly ca?: readonly string[];
  /** The client certificate, if brokers require one (`ssl.client.auth`), and its key. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** A record's position in Kafka. */
export interface RecordPosition {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's offsets are 64 bit; those up to 2^53 are exact here, which is 28,000 years at 10,000 records a second. */
  readonly offset: number;
}

export type Headers = Readonly<Record<string, string>>;

/** A record on its way out. */
export interface OutgoingRecord {
  readonly topic: string;
  /** Where it goes whatever its key is. */
  readonly partition?: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  /** Event time in milliseconds since the epoch; becomes the Kafka timestamp. */
  readonly timestampMs: number;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
}

/** A record as received, untouched. */
export interface IncomingRecord extends RecordPosition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Kafka's timestamp in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}
