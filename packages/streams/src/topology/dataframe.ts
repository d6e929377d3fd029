/** The streaming data frame: how a pipeline is written. It only describes; nothing runs here. */
import type { Aggregates, ResultOf } from "../aggregates/aggregate.ts";
import type { TopicLike } from "../ports.ts";
import type { Duration } from "./duration.ts";
import type { KeyState, RecordContext } from "./nodes.ts";
import type { GroupByCodecOptions, GroupByOptions, IsJson } from "./repartition.ts";
import type { StepOptions } from "./step.ts";
import type { HoppingWindowOptions, TrailingWindowOptions, WindowOptions, WindowResult } from "./windows.ts";

/** A topic to write to. Functions are properties, so that the payload's type is checked strictly. */
export interface TopicSink<T> {
  readonly name: string;
  readonly encode: (value: T) => Uint8Array;
  readonly key: (value: T) => string;
  readonly eventTimeMs: (value: T, recordTimestampMs: number) => number;
  readonly decode: (bytes: Uint8Array | null) => ReturnType<TopicLike<unknown>["decode"]>;
  readonly partitions: number;
  readonly configEntries: Readonly<Record<string, string>>;
}

/** A trailing window that has no aggregates yet. */
export interface TrailingWindow<T> {
  /** Computes every aggregate over the window in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): StreamingDataFrame<WindowResult<ResultOf<A>>>;
}

/** A window that closes, and has no aggregates yet. */
export interface ClosingWindow<T> {
  /** Computes every aggregate over the window in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): WindowAggregation<ResultOf<A>>;
}

/** Choose when a window is emitted. Empty windows are never emitted. */
export interface WindowAggregation<A> {
  /**
   * Emits once, when the window closes: the clock has reached its end plus grace, through records or, if none arrive,
   * through time. Quix' `final`, Kafka Streams' `suppress(untilWindowCloses)` and `EmitStrategy.onWindowClose`, which both
   * wait for the next record.
   */
  final(): StreamingDataFrame<WindowResult<A>>;
  /**
   * Emits with each record that changes the window. Quix' `current`, Kafka Streams' `EmitStrategy.onWindowUpdate` without
   * a cache.
   */
  current(): StreamingDataFrame<WindowResult<A>>;
}

/** Sessions that have no aggregates yet. */
export interface SessionWindow<T> {
  /** Computes every aggregate over the session in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): SessionAggregation<ResultOf<A>>;
}

/** Choose when a session is emitted. */
export interface SessionAggregation<A> {
  /** Like {@link WindowAggregation.final}: emits once, when no more records can belong to the session. */
  final(): StreamingDataFrame<WindowResult<A>>;
  /**
   * Emits with each record that changes the session. When a session grows, its bounds change: the result under the old
   * bounds is retracted by one with value null, like Kafka Streams' tombstones.
   */
  current(): StreamingDataFrame<WindowResult<A | null>>;
}

/** Decides whether a branch takes a value. */
export type BranchPredicate<T> = (value: T, context: RecordContext) => boolean;

/** What a branch's predicate leaves of the type: a type guard narrows it. */
type Taken<T, P> = P extends BranchGuard<T, infer S> ? S : T;
type BranchGuard<T, S extends T> = (value: T, context: RecordContext) => value is S;

/** One stream per branch, and `otherwise` for values that no branch took. */
export type Branches<T, P> = {
  readonly [Name in keyof P]: StreamingDataFrame<Taken<T, P[Name]>>;
} & { readonly otherwise: StreamingDataFrame<T> };

/** A stream of values of one type. Every method returns a new stream; a stream can be used more than once. */
export interface StreamingDataFrame<T> {
  /**
   * Replaces each value with what the function returns, or with what its promise resolves to; the next record waits for
   * it. The function must depend only on its arguments. Quix' `apply`, Kafka Streams' `mapValues`.
   */
  apply<R>(
    transform: (value: T, context: RecordContext) => R,
    options?: StepOptions,
  ): StreamingDataFrame<Awaited<R>>;
  /**
   * Like `apply`, for a function that calls an external system: up to `concurrency` records of a partition are in flight
   * at once, and all outputs are still written in order. Steps without side effects may already process later values;
   * `update` and stateful steps after it wait for their turn, and with a stateful step before it no record starts early.
   * After a window, it runs one at a time. Errors are handled as in `apply`; a stop waits for calls in flight. Kafka
   * Streams and Quix have no equivalent.
   *
   * @throws {TopologyError} if the concurrency is not an integer from 1 to 1,000.
   */
  applyAsync<R>(
    transform: (value: T, context: RecordContext) => Promise<R>,
    options: ApplyAsyncOptions,
  ): StreamingDataFrame<R>;
  /**
   * Like `apply`, with the state that a store keeps for the value's key: the next record of the key gets what this one
   * sets, also after a crash or in another process. A record that fails changes nothing. The state is JSON; declare its
   * type on the function's parameter. Quix' `apply(stateful=True)`, Kafka Streams' `process` with a key-value store.
   *
   * ```ts
   * readings.applyStateful(
   *   (reading, highest: KeyState<number>) => {
   *     highest.set(Math.max(reading.celsius, highest.get() ?? reading.celsius));
   *     return { ...reading, highest: highest.get() };
   *   },
   *   { store: "highest", ttl: "24h" },
   * );
   * ```
   *
   * @throws {TopologyError} if the store's name is taken or not allowed by Kafka, and after a merge of topics.
   */
  applyStateful<S, R>(
    transform: (value: T, state: KeyState<S>, context: RecordContext) => R,
    options: IsJson<S> extends true ? StatefulOptions : never,
  ): StreamingDataFrame<Awaited<R>>;
  /**
   * Replaces each value with any number of values, in order, all with the record's key and event time. After a window,
   * all of them carry the result's id. Kafka Streams' `flatMapValues`, Quix' `apply(expand=True)`.
   */
  flatMap<R>(
    transform: (value: T, context: RecordContext) => Iterable<R> | Promise<Iterable<R>>,
    options?: StepOptions,
  ): StreamingDataFrame<R>;
  /** Passes on only values for which the function returns true. Quix' and Kafka Streams' `filter`. */
  filter<S extends T>(
    keep: (value: T, context: RecordContext) => value is S,
    options?: StepOptions,
  ): StreamingDataFrame<S>;
  filter(
    keep: (value: T, context: RecordContext) => boolean | Promise<boolean>,
    options?: StepOptions,
  ): StreamingDataFrame<T>;
  /**
   * Runs a side effect and passes the value on; the function must not change it. The effect may be repeated when a record
   * is retried, and after a crash. Quix' `update`, Kafka Streams' `peek`.
   */
  update(
    effect: (value: T, context: RecordContext) => void | Promise<void>,
    options?: StepOptions,
  ): StreamingDataFrame<T>;
  /**
   * Splits the stream: each value goes to the first branch whose function returns true, else to `otherwise`. Kafka
   * Streams' `split().branch(...).defaultBranch()`; in Quix, filter several times.
   *
   * @throws {TopologyError} if a branch is named "otherwise", or with an integer (whose order would be lost).
   */
  branch<P extends Readonly<Record<string, BranchPredicate<T>>>>(predicates: P): Branches<T, P>;
  /**
   * Merges two streams of the same app: all values of both, each in its order. A value that arrives on both appears
   * twice. Streams of different topics don't share partitions: put `groupBy` between them and a window. Kafka Streams'
   * `merge`, Quix' `concat`.
   */
  merge<U>(other: StreamingDataFrame<U>): StreamingDataFrame<T | U>;
  /**
   * Re-keys the values, so that what follows (a window) has all values of the new key in one partition. They pass through
   * a topic of the app's own, `<app>-<name>-repartition`, with their event time and headers; duplicates written after a
   * crash are recognised there and dropped. Kafka Streams' `groupBy` and `repartition`, Quix' `group_by`.
   *
   * Records of one key come from several partitions, in the order in which those are processed. The clock of windows
   * downstream waits for source partitions that are known to be behind, so their records are not late for that reason.
   * It doesn't wait for those of a process that has just died.
   *
   * @throws {TopologyError} if the name is taken, or not allowed by Kafka in a topic's name.
   */
  groupBy(
    key: (value: T, context: RecordContext) => string,
    options: IsJson<T> extends true ? GroupByOptions | GroupByCodecOptions<T> : GroupByCodecOptions<T>,
  ): StreamingDataFrame<T>;
  /**
   * Prints each value and passes it on. The app's option `print` decides where: log lines, or tables in a terminal. Quix'
   * `print` and `print_table`, Kafka Streams' `print`.
   */
  print(label?: string): StreamingDataFrame<T>;
  /**
   * Writes each value to the topic, or to the one that the function chooses, with the topic's own key and event time, and
   * passes it on. Missing topics are created: those in `topics` at startup, a chosen one when it is first written. Quix'
   * `to_topic`, Kafka Streams' `to` (and `TopicNameExtractor`, whose topics must exist).
   */
  toTopic(topic: TopicSink<T>): StreamingDataFrame<T>;
  toTopic(
    choose: (value: T, context: RecordContext) => TopicSink<T>,
    options?: ChosenTopicOptions<T>,
  ): StreamingDataFrame<T>;
  /**
   * The values of the last `size`, emitted every `every`, per key: `start <= event time < end`, where end is a multiple
   * of `every` since the epoch. A key that falls silent gets one empty result, then nothing until its next record. Kafka
   * Streams and Quix have no equivalent; the nearest are their hopping windows.
   *
   * @throws {TopologyError} if the size is not a multiple of `every`.
   * @throws {StreamsError} with code STREAMS_BAD_DURATION if text is not a {@link Duration}.
   */
  trailingWindow(size: Duration, options: TrailingWindowOptions): TrailingWindow<T>;
  /**
   * Adjacent windows of a fixed size: `start <= event time < start + size`, where start is a multiple of the
   * size since the epoch. Kafka Streams' `TimeWindows.ofSizeAndGrace`, Quix' `tumbling_window`.
   *
   * @throws {TopologyError} if the size is 0.
   */
  tumblingWindow(size: Duration, options: WindowOptions): ClosingWindow<T>;
  /**
   * Windows of a fixed size, with a new one starting every `every`, so that a record is in several. Kafka Streams'
   * `TimeWindows.ofSizeAndGrace(size, grace).advanceBy(every)`, Quix' `hopping_window(duration_ms, step_ms)`.
   *
   * @throws {TopologyError} if the size or `every` is 0, or `every` is more than the size.
   */
  hoppingWindow(size: Duration, options: HoppingWindowOptions): ClosingWindow<T>;
  /**
   * Windows aligned to the records: records of a key that are at most `difference` apart share one. One window ends at
   * each record, and another starts right after it. A window's `endMs` is one more than its last instant, so
   * `endMs - startMs` is the difference plus 1. Kafka Streams' `SlidingWindows.ofTimeDifferenceAndGrace`, Quix'
   * `sliding_window`. For a display, `trailingWindow` is usually the better choice.
   */
  slidingWindow(difference: Duration, options: WindowOptions): ClosingWindow<T>;
  /**
   * Sessions: records of a key with at most `gap` between one and the next. `startMs` is the first record's event time,
   * `endMs` one more than the last one's. Kafka Streams' `SessionWindows.ofInactivityGapAndGrace` (whose end is the
   * last record's time itself), Quix' `session_window`.
   *
   * @throws {TopologyError} if the gap is 0.
   */
  sessionWindow(gap: Duration, options: WindowOptions): SessionWindow<T>;
}

/** Options of `applyAsync`. */
export interface ApplyAsyncOptions extends StepOptions {
  /**
   * Maximum number of concurrent calls per partition. Large values put more load on the external system, and after a kill
   * up to that many calls are repeated.
   */
  readonly concurrency: number;
}

/** The store of `applyStateful`, and how long it keeps a value. */
export interface StatefulOptions extends StepOptions {
  /** Name of the store and its changelog, `<app>-<store>-changelog`. A new name starts with an empty store. */
  readonly store: string;
  /**
   * How long a value is kept after it was last set, in event time: later records find none. Without a `ttl`, keys that
   * never appear again are kept forever. @default forever
   */
  readonly ttl?: Duration;
}

/** Options for topics that a function chooses. */
export interface ChosenTopicOptions<T> extends StepOptions {
  /** Topics that it may choose, if known: created at startup, and shown in diagrams. @default none */
  readonly topics?: readonly TopicSink<T>[];
}
