/** The streaming data frame: how a pipeline is written. It only describes; nothing runs here. */
import type { Aggregates, ResultOf } from "../aggregates/aggregate.ts";
import { TopologyError } from "../errors.ts";
import type { TopicLike } from "../ports.ts";
import type { Duration } from "./duration.ts";
import type { Node, RecordContext, SourceNode, WindowShape, WindowTells } from "./nodes.ts";
import { hoppingShape, sessionShape, slidingShape, stateNameOf, trailingShape } from "./window-shapes.ts";
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

/** A stream of values of one type. Every method returns a new stream; a stream may be used more than once. */
export interface StreamingDataFrame<T> {
  /** Each value becomes what the function returns. Must not depend on anything but its arguments. */
  apply<R>(transform: (value: T, context: RecordContext) => R): StreamingDataFrame<Awaited<R>>;
  /** Only values for which the function returns true go on. */
  filter<S extends T>(keep: (value: T, context: RecordContext) => value is S): StreamingDataFrame<S>;
  filter(keep: (value: T, context: RecordContext) => boolean | Promise<boolean>): StreamingDataFrame<T>;
  /**
   * A side effect; the value goes on as it is and must not be changed. May be repeated where a record is tried again,
   * and is left out where a window's state is rebuilt from records that were worked on before.
   */
  update(effect: (value: T, context: RecordContext) => void | Promise<void>): StreamingDataFrame<T>;
  /**
   * Shows each value; the value goes on. Where it is shown is the app's option `print`: lines of the log, or tables in a
   * terminal. Quix' `print` and `print_table`, Kafka Streams' `print`.
   */
  print(label?: string): StreamingDataFrame<T>;
  /** Writes each value to the topic, under the topic's own key and event time; the value goes on. */
  toTopic(topic: TopicSink<T>): StreamingDataFrame<T>;
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

/** Where a data frame stands in the topology. */
interface Place {
  readonly source: SourceNode;
  readonly next: Node[];
  readonly isWindowed: boolean;
  /** Keeps the names of state unique in the app. */
  readonly stateNames: Set<string>;
}

/** The data frame of a source. */
export function dataFrameOf<T>(source: SourceNode, stateNames: Set<string>): StreamingDataFrame<T> {
  return frame<T>({ source, next: source.next, isWindowed: false, stateNames });
}

function frame<T>(place: Place): StreamingDataFrame<T> {
  const add = <R>(node: Node, isWindowed = place.isWindowed): StreamingDataFrame<R> => {
    place.next.push(node);
    return frame<R>({ ...place, next: node.next, isWindowed });
  };
  function addWindow<R>(
    shape: WindowShape,
    aggregates: Aggregates<unknown>,
    name = stateNameOf(place.source.topic.name, shape, aggregates),
  ): StreamingDataFrame<R> {
    if (place.isWindowed) {
      throw new TopologyError(
        `Window "${name}" stands behind another window; write the first one's results to a topic.`,
      );
    }
    if (place.stateNames.has(name)) {
      throw new TopologyError(`Two windows are named "${name}"; give one of them the option name.`);
    }
    place.stateNames.add(name);
    return add({ kind: "window", name, shape, aggregates, next: [] }, true);
  }
  function closing(shape: (tells: WindowTells) => WindowShape, { name }: WindowOptions): ClosingWindow<T> {
    return {
      aggregate: (aggregates) => ({
        final: () => addWindow(shape("final"), aggregates, name),
        current: () => addWindow(shape("current"), aggregates, name),
      }),
    };
  }
  function filter<S extends T>(keep: (value: T, context: RecordContext) => value is S): StreamingDataFrame<S>;
  function filter(
    keep: (value: T, context: RecordContext) => boolean | Promise<boolean>,
  ): StreamingDataFrame<T>;
  function filter(keep: (value: T, context: RecordContext) => unknown): StreamingDataFrame<T> {
    return add({ kind: "filter", name: keep.name, run: keep, next: [] });
  }
  return {
    filter,
    apply: (transform) => add({ kind: "apply", name: transform.name, run: transform, next: [] }),
    update: (effect) => add({ kind: "update", name: effect.name, run: effect, next: [] }),
    print: (label = place.source.topic.name) => add({ kind: "print", label, next: [] }),
    toTopic: (topic) => add({ kind: "toTopic", topic: erased(topic), next: [] }),
    trailingWindow: (size, options) => ({
      aggregate: (aggregates) => addWindow(trailingShape(size, options), aggregates, options.name),
    }),
    tumblingWindow: (size, options) => closing((tells) => hoppingShape(size, size, tells, options), options),
    hoppingWindow: (size, options) =>
      closing((tells) => hoppingShape(size, options.every, tells, options), options),
    slidingWindow: (difference, options) =>
      closing((tells) => slidingShape(difference, tells, options), options),
    sessionWindow: (gap, options) => ({
      aggregate(aggregates) {
        const told = <R>(tells: WindowTells) =>
          addWindow<R>(sessionShape(gap, tells, options), aggregates, options.name);
        return { final: () => told("final"), current: () => told("current") };
      },
    }),
  };
}

/** The topic with its payload's type forgotten. */
function erased<T>(topic: TopicSink<T>): TopicLike<unknown> {
  const loose: { [Key in keyof TopicSink<T>]: TopicSink<T>[Key] } & Loosened<T> = topic;
  return loose;
}

/** Methods are compared loosely, which is what forgetting a type needs. */
interface Loosened<T> {
  encode(value: T): Uint8Array;
  key(value: T): string;
  eventTimeMs(value: T, recordTimestampMs: number): number;
}
