/** What the library needs from outside: the shape of a topic, a broker's address, a clock, a log, numbers. */

/** The outcome of reading a record's value: the value, or every reason why it is not one. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A topic as the library sees it; `Topic<T>` of a schema package fits. */
export interface TopicLike<T> {
  readonly name: string;
  /** Bytes to value. Must not throw; a bad value is an answer, and its record goes to the dead letters. */
  decode(bytes: Uint8Array | null): Decoded<T>;
  encode(value: T): Uint8Array;
  /** The record's key: decides the partition (murmur2, as in Kafka's Java client) and whose window it is in. */
  key(value: T): string;
  /** The instant the value speaks of, in milliseconds since the epoch. */
  eventTimeMs(value: T, recordTimestampMs: number): number;
  /** Used where the library creates the topic; an existing topic is never altered. */
  readonly partitions: number;
  /** Topic settings in Kafka's own words, used at creation only. */
  readonly configEntries: Readonly<Record<string, string>>;
}

/** Takes back what was planned; harmless when it has happened already. */
export type Cancel = () => void;

/** Time, handed in so that a test can drive it. */
export interface Clock {
  /** Milliseconds since the epoch; the wall clock, which may step. */
  now(): number;
  /** Milliseconds since some fixed moment; never steps. */
  monotonic(): number;
  setTimeout(run: () => void, delayMs: number): Cancel;
}

/** Where log lines go: fields first, then the event in words. pino's logger fits. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type Labels = Readonly<Record<string, string | number>>;

/** Where numbers go. Names follow Prometheus; the library's own are in runtime/numbers.ts. */
export interface Metrics {
  /** Adds to a number that only grows. */
  count(name: string, help: string, labels?: Labels, by?: number): void;
  /** Sets a number that goes up and down. */
  gauge(name: string, help: string, value: number, labels?: Labels): void;
  /** The gauge is not told any more with these labels: what it spoke of is another process's affair now. */
  forget(name: string, labels: Labels): void;
}

/** Where Kafka is and how to be let in. */
export interface KafkaConnection {
  /** `host:port` of some of the brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Kafka's `client.id`, for the broker's logs and quotas. Default: the name of the app or "kelvin". */
  readonly clientId?: string;
  readonly ssl?: boolean | TlsOptions;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
  /** A wrong password or certificate: the work fails, or is tried again, ever more seldom. @default "fail" */
  readonly whenRefused?: "fail" | "retry";
  /** No broker answers: wait for one, or fail at once for someone else to decide. @default "retry" */
  readonly whenUnreachable?: "fail" | "retry";
  /** What topics are created with, and compared with where they are there, in place of what their definition says. */
  readonly newTopics?: NewTopics;
}

/** A cluster's own rules for topics. */
export interface NewTopics {
  readonly partitions?: number;
  /** Copies of each partition. Kafka's `default.replication.factor` where it is unset. */
  readonly replicationFactor?: number;
  /** Kafka's `retention.ms`; for topics from which old records are deleted. */
  readonly retentionMs?: number;
}

/** PEM texts, as Node's `tls.connect` takes them. */
export interface TlsOptions {
  /** Authorities to trust, in place of the system's. */
  readonly ca?: readonly string[];
  /** Our own certificate, where brokers ask for one (`ssl.client.auth`), and its key. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** Where a record stands in Kafka. */
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

/** A record as it came in, untouched. */
export interface IncomingRecord extends RecordPosition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Kafka's timestamp in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}
