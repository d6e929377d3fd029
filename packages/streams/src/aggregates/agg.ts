/** The built-in aggregates. */
import { StreamsError } from "../errors.ts";
import type { IsJson } from "../topology/repartition.ts";
import type { Aggregate } from "./aggregate.ts";
import { type Sketch, Sketching } from "./sketch.ts";

/** No argument, and one that nobody can give where the values kept would not come back from JSON, as a Date does not. */
type OnlyJson<T> = IsJson<T> extends true ? [] : [keptInChangelogAsJson: never];

interface Timed<T> {
  readonly atMs: number;
  readonly value: T;
}

/** Of numbers: how many, their mean, and the sum of squared distances from it. */
interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

/** Options of `quantile`. */
export interface QuantileOptions {
  /**
   * Maximum relative error: with 0.01, the result for a true 100 is 99 to 101. Small values keep more buckets per pane.
   * From 0.0001 to 0.5. @default 0.01
   */
  readonly accuracy?: number;
}

const ACCURACY = 0.01;

/**
 * What a window can compute. Each aggregate keeps a mergeable accumulator per key and pane, so its cost doesn't depend on
 * the number of records (except `collect`). Accumulators are JSON: values with dates, sets, maps or bytes in them are
 * compile errors in `first`, `last`, `collect` and `reduce`; use the selector or an `apply` before to reduce them to JSON.
 * The function you pass selects the part of a value that counts. If it throws, or doesn't return a finite number where
 * one is needed, the record goes to the dead-letter topic.
 */
export const agg = {
  /** The number of values; 0 if there are none. */
  count(): Aggregate<unknown, number, 1, number> {
    return {
      name: "count",
      select: () => 1,
      add: (count = 0) => count + 1,
      merge: (left, right) => left + right,
      result: (count = 0) => count,
    };
  },

  /** The sum; 0 if there are no values. */
  sum<V>(select: (value: V) => number): Aggregate<V, number, number, number> {
    return {
      name: "sum",
      select: (value) => finite(select(value), "sum"),
      add: (sum = 0, input) => sum + input,
      merge: (left, right) => left + right,
      result: (sum = 0) => sum,
    };
  },

  /** The arithmetic mean; null if there are no values. Panes add in arrival order: compare with a tolerance of 1e-9. */
  mean<V>(select: (value: V) => number): Aggregate<V, number | null, number, { sum: number; count: number }> {
    return {
      name: "mean",
      select: (value) => finite(select(value), "mean"),
      add: (of = { sum: 0, count: 0 }, input) => ({ sum: of.sum + input, count: of.count + 1 }),
      merge: (left, right) => ({ sum: left.sum + right.sum, count: left.count + right.count }),
      result: (of) => (of === undefined ? null : of.sum / of.count),
    };
  },

  /** The minimum; null if there are no values. */
  min<V>(select: (value: V) => number): Aggregate<V, number | null, number, number> {
    return {
      name: "min",
      select: (value) => finite(select(value), "min"),
      add: (least, input) => (least === undefined ? input : Math.min(least, input)),
      merge: (left, right) => Math.min(left, right),
      result: (least) => least ?? null,
    };
  },

  /** The maximum; null if there are no values. */
  max<V>(select: (value: V) => number): Aggregate<V, number | null, number, number> {
    return {
      name: "max",
      select: (value) => finite(select(value), "max"),
      add: (greatest, input) => (greatest === undefined ? input : Math.max(greatest, input)),
      merge: (left, right) => Math.max(left, right),
      result: (greatest) => greatest ?? null,
    };
  },

  /** The first value by event time; of two at the same instant, the one that arrived first. Null if there are none. */
  first<V, T>(select: (value: V) => T, ..._json: OnlyJson<T>): Aggregate<V, T | null, Timed<T>, Timed<T>> {
    return {
      name: "first",
      select: (value, atMs) => ({ atMs, value: select(value) }),
      add: (first, input) => (first === undefined || input.atMs < first.atMs ? input : first),
      merge: (left, right) => (right.atMs < left.atMs ? right : left),
      result: (first) => (first === undefined ? null : first.value),
    };
  },

  /** The last value by event time; of two at the same instant, the one that arrived last. Null if there are none. */
  last<V, T>(select: (value: V) => T, ..._json: OnlyJson<T>): Aggregate<V, T | null, Timed<T>, Timed<T>> {
    return {
      name: "last",
      select: (value, atMs) => ({ atMs, value: select(value) }),
      add: (last, input) => (last === undefined || input.atMs >= last.atMs ? input : last),
      merge: (left, right) => (right.atMs >= left.atMs ? right : left),
      result: (last) => (last === undefined ? null : last.value),
    };
  },

  /**
   * All values, by event time; of two at the same instant, the one that arrived first comes first. Empty if there are
   * none. Keeps every value in memory: use it for windows with few values. Quix' `Collect`.
   */
  collect<V, T>(
    select: (value: V) => T,
    ..._json: OnlyJson<T>
  ): Aggregate<V, readonly T[], Timed<T>, readonly Timed<T>[]> {
    return {
      name: "collect",
      select: (value, atMs) => ({ atMs, value: select(value) }),
      add: (list = [], input) => inOrder(list, [input]),
      merge: inOrder,
      result: (list = []) => list.map(({ value }) => value),
    };
  },

  /**
   * The sample standard deviation (divided by n - 1), like SQL's STDDEV; null if there are fewer than two values. Computed
   * with Welford's algorithm and merged as by Chan, Golub and LeVeque, so large values don't drown small differences.
   */
  stddev<V>(select: (value: V) => number): Aggregate<V, number | null, number, Moments> {
    return {
      name: "stddev",
      select: (value) => finite(select(value), "stddev"),
      add: (of = { count: 0, mean: 0, squares: 0 }, input) => {
        const count = of.count + 1;
        const mean = of.mean + (input - of.mean) / count;
        return { count, mean, squares: of.squares + (input - of.mean) * (input - mean) };
      },
      merge: (left, right) => {
        const count = left.count + right.count;
        const apart = right.mean - left.mean;
        return {
          count,
          mean: left.mean + (apart * right.count) / count,
          squares: left.squares + right.squares + (apart * apart * left.count * right.count) / count,
        };
      },
      result: (of) => (of === undefined || of.count < 2 ? null : Math.sqrt(of.squares / (of.count - 1))),
    };
  },

  /**
   * The quantile at `level`: 0.5 is the median, 0.99 the 99th percentile; null if there are no values. Accurate within
   * `accuracy` (1 %) of the true value, from a sketch of some hundred numbers, whatever the number of values.
   *
   * @throws {StreamsError} if the level is not from 0 to 1, or the accuracy is out of range.
   */
  quantile<V>(
    level: number,
    select: (value: V) => number,
    { accuracy = ACCURACY }: QuantileOptions = {},
  ): Aggregate<V, number | null, number, Sketch> {
    between(level, 0, 1, "The level of a quantile");
    between(accuracy, 0.0001, 0.5, "The accuracy of a quantile");
    const sketching = new Sketching(accuracy);
    return {
      name: ["quantile", level, ...(accuracy === ACCURACY ? [] : [accuracy])].join("-"),
      select: (value) => finite(select(value), "quantile"),
      add: (sketch, input) => sketching.add(sketch, input),
      merge: (left, right) => sketching.merge(left, right),
      result: (sketch) => (sketch === undefined ? null : sketching.quantile(sketch, level)),
    };
  },

  /**
   * Folds with your own function, which must be associative and commutative and must not change its arguments; null if
   * there are no values.
   */
  reduce<V>(
    combine: (left: V, right: V) => V,
    ..._json: OnlyJson<V>
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

/** One list of two that are in order of time; of equal times the left ones first. */
function inOrder<T>(left: readonly Timed<T>[], right: readonly Timed<T>[]): readonly Timed<T>[] {
  const [earliest] = right;
  const latest = left.at(-1);
  if (earliest === undefined) return left;
  // Mostly they follow one another.
  if (latest === undefined || latest.atMs <= earliest.atMs) return [...left, ...right];
  return [...left, ...right].sort((one, other) => one.atMs - other.atMs);
}

function between(value: number, least: number, most: number, what: string): void {
  if (value >= least && value <= most) return;
  throw new StreamsError("STREAMS_BAD_OPTION", `${what} is ${value}; it must be from ${least} to ${most}.`);
}

/** One NaN would spoil every window it is in; it is its record's fault. */
function finite(input: number, aggregate: string): number {
  if (Number.isFinite(input)) return input;
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `The function given to agg.${aggregate} returned ${input}; it must return a finite number.`,
  );
}
