/** The streaming data frame: how a pipeline is written. It only describes; nothing runs here. */
import type { Aggregates, ResultOf } from "../aggregates/aggregate.ts";
import type { TopicLike } from "../ports.ts";
import type { Duration } from "./duration.ts";
import type { KeyState, RecordContext } from "./nodes.ts";
import type { GroupByCodecOptions, GroupByOptions, IsJson } from "./repartition.ts";
import type { StepOptions } from "./step.ts";
import type { HoppingWindowOptions, TrailingWindowOptions, WindowOptions, WindowResult } from "./windows.ts";

/** What a topic must be able to take. Functions as properties, so that the payload's type is checked strictly. */
export interface TopicSink<T> {
  readonly name: string;
  readonly encode: (value: T) => Uint8Array;
  readonly key: (value: T) => string;
  readonly eventTimeMs: (value: T, recordTimestampMs: number) => number;
  readonly decode: (bytes: Uint8Array | null) => ReturnType<TopicLike<unknown>["decode"]>;
  readonly partitions: number;
  readonly configEntries: Readonly<Record<string, string>>;
}

/** A window without its aggregates yet. */
export interface TrailingWindow<T> {
  /** Computes every aggregate over the window in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): StreamingDataFrame<WindowResult<ResultOf<A>>>;
}

/** A window that is closed some time, without its aggregates yet. */
export interface ClosingWindow<T> {
  /** Computes every aggregate over the window in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): WindowAggregation<ResultOf<A>>;
}

/** A choice of when a window is told. Empty windows are never told. */
export interface WindowAggregation<A> {
  /**
   * Once, when it is closed: the clock has come to its end and grace, by records or, where none come, by time. Quix'
   * `final`, Kafka Streams' `suppress(untilWindowCloses)` and `EmitStrategy.onWindowClose`, which both wait for the next
   * record.
   */
  final(): StreamingDataFrame<WindowResult<A>>;
  /** With each record that changes it. Quix' `current`, Kafka Streams' `EmitStrategy.onWindowUpdate` without a cache. */
  current(): StreamingDataFrame<WindowResult<A>>;
}

/** Sessions without their aggregates yet. */
export interface SessionWindow<T> {
  /** Computes every aggregate over the session in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): SessionAggregation<ResultOf<A>>;
}

/** A choice of when a session is told. */
export interface SessionAggregation<A> {
  /** As {@link WindowAggregation.final}: once, when no record can belong to it any more. */
  final(): StreamingDataFrame<WindowResult<A>>;
  /**
   * With each record that changes it. A session that grows has other bounds from then on: what was told under the old
   * ones is taken back by a result with value null, as by Kafka Streams' tombstones.
   */
  current(): StreamingDataFrame<WindowResult<A | null>>;
}

/** Says of a value whether a branch takes it. */
export type BranchPredicate<T> = (value: T, context: RecordContext) => boolean;

/** What a branch's predicate leaves of the type: a type guard narrows it. */
type Taken<T, P> = P extends BranchGuard<T, infer S> ? S : T;
type BranchGuard<T, S extends T> = (value: T, context: RecordContext) => value is S;

/** A stream for each branch, and one for what none of them took. */
export type Branches<T, P> = {
  readonly [Name in keyof P]: StreamingDataFrame<Taken<T, P[Name]>>;
} & { readonly otherwise: StreamingDataFrame<T> };

/** A stream of values of one type. Every method returns a new stream; a stream may be used more than once. */
export interface StreamingDataFrame<T> {
  /**
   * Each value becomes what the function returns, or what its promise gives: the next record waits for it. Must not
   * depend on anything but its arguments. Quix' `apply`, Kafka Streams' `mapValues`.
   */
  apply<R>(
    transform: (value: T, context: RecordContext) => R,
    options?: StepOptions,
  ): StreamingDataFrame<Awaited<R>>;
  /**
   * As `apply`, with a function that asks the outside: for so many records of a partition at once, and everything that is
   * made of them is written in their order all the same. Steps without effects may be at work on later values already;
   * `update` and stateful steps behind it wait for their turn, stateful steps before it let no record begin early. Behind
   * a window one at a time. Faults are treated as in `apply`; a stop waits for what is under way. Kafka Streams and Quix
   * have none.
   *
   * @throws {TopologyError} where the concurrency is no whole number from 1 to 1,000.
   */
  applyAsync<R>(
    transform: (value: T, context: RecordContext) => Promise<R>,
    options: ApplyAsyncOptions,
  ): StreamingDataFrame<R>;
  /**
   * As `apply`, with the state that a store keeps for the value's key: what one record sets the next one of that key
   * gets, also after a crash or in another process. A record that fails has changed nothing. The state is JSON; say its
   * type at the function's parameter. Quix' `apply(stateful=True)`, Kafka Streams' `process` with a key-value store.
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
   * @throws {TopologyError} where the store's name is taken or none that Kafka allows, and behind a merge of topics.
   */
  applyStateful<S, R>(
    transform: (value: T, state: KeyState<S>, context: RecordContext) => R,
    options: IsJson<S> extends true ? StatefulOptions : never,
  ): StreamingDataFrame<Awaited<R>>;
  /**
   * Each value becomes any number of values, in their order, all with the record's key and event time. Behind a window
   * all of them carry the result's id. Kafka Streams' `flatMapValues`, Quix' `apply(expand=True)`.
   */
  flatMap<R>(
    transform: (value: T, context: RecordContext) => Iterable<R> | Promise<Iterable<R>>,
    options?: StepOptions,
  ): StreamingDataFrame<R>;
  /** Only values for which the function returns true go on. Quix' and Kafka Streams' `filter`. */
  filter<S extends T>(
    keep: (value: T, context: RecordContext) => value is S,
    options?: StepOptions,
  ): StreamingDataFrame<S>;
  filter(
    keep: (value: T, context: RecordContext) => boolean | Promise<boolean>,
    options?: StepOptions,
  ): StreamingDataFrame<T>;
  /**
   * A side effect; the value goes on as it is and must not be changed. May be repeated where a record is tried again, and
   * after a crash. Quix' `update`, Kafka Streams' `peek`.
   */
  update(
    effect: (value: T, context: RecordContext) => void | Promise<void>,
    options?: StepOptions,
  ): StreamingDataFrame<T>;
  /**
   * Several streams of one: each value goes on in the first branch whose function returns true, else in `otherwise`.
   * Kafka Streams' `split().branch(...).defaultBranch()`; with Quix one filters more than once.
   *
   * @throws {TopologyError} where a branch is named "otherwise", or by a whole number (whose order would be lost).
   */
  branch<P extends Readonly<Record<string, BranchPredicate<T>>>>(predicates: P): Branches<T, P>;
  /**
   * One stream of two, of the same app: all values of both, of each in its order. A value that comes by both ways comes
   * twice. Streams of different topics are not in one partition: put `groupBy` between them and a window. Kafka Streams'
   * `merge`, Quix' `concat`.
   */
  merge<U>(other: StreamingDataFrame<U>): StreamingDataFrame<T | U>;
  /**
   * The values under another key, so that what follows (a window) has all values of that key in one partition. They go by
   * a topic of the app's own, `<app>-<name>-repartition`, with event time and headers as they were; what is repeated
   * after a crash is recognised there and left out (results of a window excepted). Kafka Streams' `groupBy` and
   * `repartition`, Quix' `group_by`.
   *
   * Records of one key come from several partitions, in the order in which those are worked on. The clock of windows
   * behind is the newest of them: where one partition is worked on later than another by more than the allowed lateness
   * or grace, its records are late.
   *
   * @throws {TopologyError} where the name is taken, or none that Kafka allows in a topic's name.
   */
  groupBy(
    key: (value: T, context: RecordContext) => string,
    options: IsJson<T> extends true ? GroupByOptions | GroupByCodecOptions<T> : GroupByCodecOptions<T>,
  ): StreamingDataFrame<T>;
  /**
   * Shows each value; the value goes on. Where it is shown is the app's option `print`: lines of the log, or tables in a
   * terminal. Quix' `print` and `print_table`, Kafka Streams' `print`.
   */
  print(label?: string): StreamingDataFrame<T>;
  /**
   * Writes each value to the topic, or to the one that the function chooses for it, under the topic's own key and event
   * time; the value goes on. Topics that are missing are made: those of `topics` at the start, a chosen one when it is
   * first written. Quix' `to_topic`, Kafka Streams' `to` (and `TopicNameExtractor`, whose topics must be there).
   */
  toTopic(topic: TopicSink<T>): StreamingDataFrame<T>;
  toTopic(
    choose: (value: T, context: RecordContext) => TopicSink<T>,
    options?: ChosenTopicOptions<T>,
  ): StreamingDataFrame<T>;
  /**
   * The values of the last `size`, told `every` so often, per key: `start <= event time < end`, where end is a multiple
   * of `every` since the epoch. A key that falls silent gets one empty result, then nothing until it speaks again.
   */
  trailingWindow(size: Duration, options: TrailingWindowOptions): TrailingWindow<T>;
  /**
   * Windows of one size, one behind the other: `start <= event time < start + size`, where start is a multiple of the
   * size since the epoch. Kafka Streams' `TimeWindows.ofSizeAndGrace`, Quix' `tumbling_window`.
   */
  tumblingWindow(size: Duration, options: WindowOptions): ClosingWindow<T>;
  /**
   * Windows of one size, of which one begins every so often, so that a record is in several. Kafka Streams'
   * `TimeWindows.ofSizeAndGrace(size, grace).advanceBy(every)`, Quix' `hopping_window(duration_ms, step_ms)`.
   */
  hoppingWindow(size: Duration, options: HoppingWindowOptions): ClosingWindow<T>;
  /**
   * Windows that lie where the records are: records of a key that are at most `difference` apart share one. Each record
   * ends one window and begins another right behind itself. A window's `endMs` is one more than its last instant:
   * `endMs - startMs` is the difference and 1. Kafka Streams' `SlidingWindows.ofTimeDifferenceAndGrace`, Quix'
   * `sliding_window`. What a screen wants is mostly `trailingWindow`.
   */
  slidingWindow(difference: Duration, options: WindowOptions): ClosingWindow<T>;
  /**
   * Sessions: records of a key with never more than `gap` between one and the next. `startMs` is the first record's event
   * time, `endMs` one more than the last one's. Kafka Streams' `SessionWindows.ofInactivityGapAndGrace` (whose end is the
   * last record's time itself), Quix' `session_window`.
   */
  sessionWindow(gap: Duration, options: WindowOptions): SessionWindow<T>;
}

/** How `applyAsync` asks. */
export interface ApplyAsyncOptions extends StepOptions {
  /**
   * For how many records of one partition the function may be at work at once. Large values ask more of whoever is asked,
   * and after a kill so many questions are asked again.
   */
  readonly concurrency: number;
}

/** Which store `applyStateful` has, and for how long it keeps a value. */
export interface StatefulOptions extends StepOptions {
  /** Names the store and its changelog, `<app>-<store>-changelog`. Another name begins with nothing. */
  readonly store: string;
  /**
   * How long a value is kept after it was last set, in event time: a record that is later than that finds none. Without
   * one, keys that never come again are kept for ever. @default for ever
   */
  readonly ttl?: Duration;
}

/** What is known of the topics that a function chooses. */
export interface ChosenTopicOptions<T> extends StepOptions {
  /** Topics that it may choose, as far as they are known: made at the start, and drawn. @default none */
  readonly topics?: readonly TopicSink<T>[];
}
