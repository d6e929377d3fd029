/** Several aggregates as one: what a window keeps of its records, by the names of the results. */
import type { Aggregate, Aggregates } from "./aggregate.ts";

export type Accumulators = Readonly<Record<string, unknown>>;

export class Several {
  readonly #aggregates: readonly (readonly [string, Aggregate<unknown, unknown>])[];

  constructor(aggregates: Aggregates<unknown>) {
    this.#aggregates = Object.entries(aggregates);
  }

  /** With the values of one record more, of which there is at least one. Throws what a user's function throws. */
  add(before: Accumulators | undefined, values: readonly unknown[], timestampMs: number): Accumulators {
    const accumulators: Record<string, unknown> = {};
    for (const [name, aggregate] of this.#aggregates) {
      let accumulator = before?.[name];
      for (const value of values)
        accumulator = aggregate.add(accumulator, aggregate.select(value, timestampMs));
      accumulators[name] = accumulator;
    }
    return accumulators;
  }

  /** Of both; where there is only one, that one. Throws what a user's function throws. */
  merge(left: Accumulators | undefined, right: Accumulators): Accumulators {
    if (left === undefined) return right;
    const merged: Record<string, unknown> = {};
    for (const [name, aggregate] of this.#aggregates) {
      merged[name] = aggregate.merge(left[name], right[name]);
    }
    return merged;
  }

  result(accumulators: Accumulators | undefined): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (const [name, aggregate] of this.#aggregates) value[name] = aggregate.result(accumulators?.[name]);
    return value;
  }
}
