/** The aggregates there are. */
import { StreamsError } from "../errors.ts";
import type { Aggregate } from "./aggregate.ts";

interface Timed<T> {
  readonly atMs: number;
  readonly value: T;
}

export const agg = {
  /** How many; 0 where there is none. */
  count(): Aggregate<unknown, number, 1, number> {
    return {
      name: "count",
      select: () => 1,
      add: (count = 0) => count + 1,
      merge: (left, right) => left + right,
      result: (count = 0) => count,
    };
  },

  /** The sum; 0 where there is none. */
  sum<V>(select: (value: V) => number): Aggregate<V, number, number, number> {
    return {
      name: "sum",
      select: (value) => finite(select(value), "sum"),
      add: (sum = 0, input) => sum + input,
      merge: (left, right) => left + right,
      result: (sum = 0) => sum,
    };
  },

  /** The arithmetic mean; null where there is none. Panes add in arrival order: compare with a tolerance of 1e-9. */
  mean<V>(select: (value: V) => number): Aggregate<V, number | null, number, { sum: number; count: number }> {
    return {
      name: "mean",
      select: (value) => finite(select(value), "mean"),
      add: (of = { sum: 0, count: 0 }, input) => ({ sum: of.sum + input, count: of.count + 1 }),
      merge: (left, right) => ({ sum: left.sum + right.sum, count: left.count + right.count }),
      result: (of) => (of === undefined ? null : of.sum / of.count),
    };
  },

  /** The least; null where there is none. */
  min<V>(select: (value: V) => number): Aggregate<V, number | null, number, number> {
    return {
      name: "min",
      select: (value) => finite(select(value), "min"),
      add: (least, input) => (least === undefined ? input : Math.min(least, input)),
      merge: (left, right) => Math.min(left, right),
      result: (least) => least ?? null,
    };
  },

  /** The greatest; null where there is none. */
  max<V>(select: (value: V) => number): Aggregate<V, number | null, number, number> {
    return {
      name: "max",
      select: (value) => finite(select(value), "max"),
      add: (greatest, input) => (greatest === undefined ? input : Math.max(greatest, input)),
      merge: (left, right) => Math.max(left, right),
      result: (greatest) => greatest ?? null,
    };
  },

  /** What was first in event time; of two at one instant, the one that arrived first. Null where there is none. */
  first<V, T>(select: (value: V) => T): Aggregate<V, T | null, Timed<T>, Timed<T>> {
    return {
      name: "first",
      select: (value, atMs) => ({ atMs, value: select(value) }),
      add: (first, input) => (first === undefined || input.atMs < first.atMs ? input : first),
      merge: (left, right) => (right.atMs < left.atMs ? right : left),
      result: (first) => (first === undefined ? null : first.value),
    };
  },

  /** What was last in event time; of two at one instant, the one that arrived last. Null where there is none. */
  last<V, T>(select: (value: V) => T): Aggregate<V, T | null, Timed<T>, Timed<T>> {
    return {
      name: "last",
      select: (value, atMs) => ({ atMs, value: select(value) }),
      add: (last, input) => (last === undefined || input.atMs >= last.atMs ? input : last),
      merge: (left, right) => (right.atMs >= left.atMs ? right : left),
      result: (last) => (last === undefined ? null : last.value),
    };
  },

  /**
   * Folds with a function of your own, which must be associative and commutative and must not change its arguments;
   * null where there is none.
   */
  reduce<V>(
    combine: (left: V, right: V) => V,
  ): Aggregate<V, NoInfer<V> | null, NoInfer<V>, { value: NoInfer<V> }> {
    return {
      name: "reduce",
      select: (value) => value,
      add: (of, input) => ({ value: of === undefined ? input : combine(of.value, input) }),
      merge: (left, right) => ({ value: combine(left.value, right.value) }),
      result: (of) => (of === undefined ? null : of.value),
    };
  },
};

/** One NaN would spoil every window it is in; it is its record's fault. */
function finite(input: number, aggregate: string): number {
  if (Number.isFinite(input)) return input;
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `The function given to agg.${aggregate} returned ${input}; it must return a finite number.`,
  );
}
