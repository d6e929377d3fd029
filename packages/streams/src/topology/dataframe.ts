/** The streaming data frame: how a pipeline is written. It only describes; nothing runs here. */
import type { Aggregate, Aggregates, ResultOf } from "../aggregates/aggregate.ts";
import { TopologyError } from "../errors.ts";
import type { TopicLike } from "../ports.ts";
import { type Duration, durationText, milliseconds } from "./duration.ts";
import type { Node, RecordContext, SourceNode, TrailingWindowShape } from "./nodes.ts";

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

/** One value of a trailing window. */
export interface WindowResult<A> {
  readonly key: string;
  /** Inclusive; milliseconds since the epoch, as event time. */
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /**
   * How far the input was read: the result holds the records of its partition up to this position. It only grows; of two
   * results of one window and key the one with the higher revision replaces the other, of equal ones the later.
   */
  readonly revision: number;
  readonly value: A;
}

export interface TrailingWindowOptions {
  /** How often a result is told. The size must be a multiple of it. */
  readonly every: Duration;
  /** How long no record must come before the clock goes on without one. @default "2s" */
  readonly idleAfter?: Duration;
  /**
   * How late a record may come and still be counted: its results are then told again with a higher revision. Later
   * records go to the dead letters with code "late". Large values keep more in memory. @default "60s"
   */
  readonly allowedLateness?: Duration;
  /**
   * How far ahead of the wall clock a record's event time may be; what is beyond goes to the dead letters with code
   * "future", because one wrong device clock must not close everybody's windows. @default "60s"
   */
  readonly maxFuture?: Duration;
  /** Names the window's state. Needed only where an app has two windows of the same shape on one topic. */
  readonly name?: string;
}

/** A window without its aggregates yet. */
export interface TrailingWindow<T> {
  /** Computes every aggregate over the window in one pass. */
  aggregate<A extends Aggregates<T>>(aggregates: A): StreamingDataFrame<WindowResult<ResultOf<A>>>;
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
      aggregate(aggregates) {
        const shape = shapeOf(size, options);
        const name = options.name ?? stateNameOf(place.source.topic.name, shape, aggregates);
        if (place.isWindowed) {
          throw new TopologyError(
            `Window "${name}" stands behind another window; write the first one's results to a topic.`,
          );
        }
        if (place.stateNames.has(name)) {
          throw new TopologyError(`Two windows are named "${name}"; give one of them the option name.`);
        }
        place.stateNames.add(name);
        return add({ kind: "trailingWindow", name, shape, aggregates, next: [] }, true);
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

function shapeOf(size: Duration, options: TrailingWindowOptions): TrailingWindowShape {
  const { every, idleAfter = "2s", allowedLateness = "60s", maxFuture = "60s" } = options;
  const sizeMs = milliseconds(size);
  const everyMs = milliseconds(every);
  if (sizeMs === 0 || everyMs === 0 || sizeMs % everyMs !== 0) {
    throw new TopologyError(
      `A window of ${size} can't be told every ${every}: its size must be a multiple of that.`,
    );
  }
  return {
    sizeMs,
    everyMs,
    idleAfterMs: milliseconds(idleAfter),
    allowedLatenessMs: milliseconds(allowedLateness),
    maxFutureMs: milliseconds(maxFuture),
  };
}

function stateNameOf<T>(
  topic: string,
  shape: TrailingWindowShape,
  aggregates: Record<string, Aggregate<T, unknown>>,
) {
  const names = Object.entries(aggregates).map(([name, { name: kind }]) =>
    name === kind ? name : `${name}-${kind}`,
  );
  return [topic, "trailing", durationText(shape.sizeMs), durationText(shape.everyMs), ...names.sort()].join(
    "-",
  );
}
