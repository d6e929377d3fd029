/** What a window computes: a commutative monoid, so that panes of it can be merged in any grouping. */

/**
 * One aggregate: `V` is the input value, `R` the result.
 *
 * `select` extracts the input from the value (if a user's function throws there, the record is at fault). `add` and
 * `merge` return a new accumulator and leave the old one unchanged. An accumulator is kept in the window's changelog and must
 * survive `JSON.stringify` and `JSON.parse`: numbers, text, lists and plain objects; no dates, no undefined, no infinity.
 */
export interface Aggregate<V, R, Input = unknown, Accumulator = unknown> {
  /** Used in the names of state, and in diagrams. */
  readonly name: string;
  select(value: V, timestampMs: number): Input;
  /** Adds an input; without an accumulator, it is the first one. */
  add(accumulator: Accumulator | undefined, input: Input): Accumulator;
  merge(left: Accumulator, right: Accumulator): Accumulator;
  /** The result; without an accumulator, that of no records at all. */
  result(accumulator: Accumulator | undefined): R;
}

/** Several aggregates computed in one pass, by result name. */
export type Aggregates<V> = Readonly<Record<string, Aggregate<V, unknown>>>;

/** The result of a set of aggregates: an object with the same names. */
export type ResultOf<A> = {
  readonly [Name in keyof A]: A[Name] extends Aggregate<never, infer R> ? R : never;
};
