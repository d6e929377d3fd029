/** Options and results of windows. */
import type { Duration } from "./duration.ts";

/** One result of a window. */
export interface WindowResult<A> {
  readonly key: string;
  /** Inclusive; milliseconds since the epoch, as event time. */
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /**
   * How far the input was read: the result includes the records of its partition up to this position. It never falls. Of
   * two results of one window and key, the higher revision replaces the other; of equal ones, the later.
   */
  readonly revision: number;
  readonly value: A;
}

interface ClockOptions {
  /** How long without records before the clock follows the wall clock. @default "2s" */
  readonly idleAfter?: Duration;
  /**
   * How far ahead of the wall clock a record's event time may be. Records beyond it go to the dead-letter topic with code
   * "future", because one wrong device clock must not close everybody's windows. @default "60s"
   */
  readonly maxFuture?: Duration;
  /**
   * Name of the window's state: its changelog is `<app>-<name>-changelog`. Kafka Streams' `Materialized.as`. Required only
   * if an app has two windows of the same shape on one topic. @default derived from the topic, the shape and the
   * aggregates; if any of them changes, so does the name, the window starts empty, and the old changelog is unused.
   */
  readonly name?: string;
}

/** Options of a trailing window. */
export interface TrailingWindowOptions extends ClockOptions {
  /** How often a result is emitted. The size must be a multiple of it. */
  readonly every: Duration;
  /**
   * How late a record may arrive and still count: its results are then emitted again with a higher revision. Later
   * records go to the dead-letter topic with code "late". Large values use more memory. @default "60s"
   */
  readonly allowedLateness?: Duration;
}

/** Options of windows that close. */
export interface WindowOptions extends ClockOptions {
  /**
   * How long after a window's end, by event time, its records still count. A record that is late for all of its windows
   * goes to the dead-letter topic with code "late". With `final`, results also wait this long: "0s" emits at once and
   * counts no records that are out of order across a window's end. Kafka Streams' grace period, Quix' `grace_ms`.
   */
  readonly grace: Duration;
}

/** Options of hopping windows. */
export interface HoppingWindowOptions extends WindowOptions {
  /** How often a window starts; at most the size. */
  readonly every: Duration;
}
