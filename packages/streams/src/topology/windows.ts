/** How windows are asked for, and what they give. */
import type { Duration } from "./duration.ts";

/** One value of a window. */
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

interface ClockOptions {
  /** How long no record must come before the clock goes on without one. @default "2s" */
  readonly idleAfter?: Duration;
  /**
   * How far ahead of the wall clock a record's event time may be; what is beyond goes to the dead letters with code
   * "future", because one wrong device clock must not close everybody's windows. @default "60s"
   */
  readonly maxFuture?: Duration;
  /**
   * Names the window's state: its changelog is `<app>-<name>-changelog`. Kafka Streams' `Materialized.as`. Needed only where
   * an app has two windows of the same shape on one topic. @default made of the topic, the shape and the aggregates, and
   * so another one where any of them is changed: the window then starts empty, and the old changelog is of no use.
   */
  readonly name?: string;
}

/** Of a window that trails behind the clock. */
export interface TrailingWindowOptions extends ClockOptions {
  /** How often a result is told. The size must be a multiple of it. */
  readonly every: Duration;
  /**
   * How late a record may come and still be counted: its results are then told again with a higher revision. Later
   * records go to the dead letters with code "late". Large values keep more in memory. @default "60s"
   */
  readonly allowedLateness?: Duration;
}

/** Of windows that are closed some time. */
export interface WindowOptions extends ClockOptions {
  /**
   * How long after a window's end, by event time, its records still count. A record that is late for all of its windows
   * goes to the dead letters with code "late". With `final` it is also how long a result waits: "0s" tells at once and
   * counts nothing that is out of order across a window's end. Kafka Streams' grace period, Quix' `grace_ms`.
   */
  readonly grace: Duration;
}

/** Of windows of one size that begin every so often. */
export interface HoppingWindowOptions extends WindowOptions {
  /** How often a window begins; not more than the size. */
  readonly every: Duration;
}
