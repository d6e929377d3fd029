/** What a window computes: a commutative monoid, so that panes of it can be merged in any grouping. */

/**
 * One aggregate: `V` is the value that comes in, `R` what comes out.
 *
 * `select` takes from the value what counts (a user's function may throw there: the record's fault), `add` and `merge`
 * return a new accumulator and leave the old one as it was. An accumulator is kept in the window's changelog and must
 * survive `JSON.stringify` and `JSON.parse`: numbers, text, lists and plain objects; no dates, no undefined, no infinity.
 */
export interface Aggregate<V, R, Input = unknown, Accumulator = unknown> {
  /** For names of state and diagrams. */
  readonly name: string;
  select(value: V, timestampMs: number): Input;
  /** Of the first input when there is no accumulator yet. */
  add(accumulator: Accumulator | undefined, input: Input): Accumulator;
  merge(left: Accumulator, right: Accumulator): Accumulator;
  /** Of no record at all when there is no accumulator. */
  result(accumulator: Accumulator | undefined): R;
}

/** Several aggregates in one pass, by the names of their results. */
export type Aggregates<V> = Readonly<Record<string, Aggregate<V, unknown>>>;

/** What a set of aggregates gives: an object with the same names. */
export type ResultOf<A> = {
  readonly [Name in keyof A]: A[Name] extends Aggregate<never, infer R> ? R : never;
};
