/** Several aggregates as one: what a window keeps of its records, by the names of the results. */
import type { Aggregate, Aggregates } from "./aggregate.ts";

export type Accumulators = Readonly<Record<string, unknown>>;

export class Several {
  readonly #aggregates: readonly (readonly [string, Aggregate<unknown, unknown>])[];
  /** In an order that does not depend on where the author wrote them. */
  readonly #names: readonly string[];

  constructor(aggregates: Aggregates<unknown>) {
    this.#aggregates = Object.entries(aggregates);
    this.#names = Object.keys(aggregates).sort();
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

  /** As JSON, for the changelog: the accumulators alone, as their names are the same in all. */
  encode(accumulators: Accumulators): string {
    return JSON.stringify(this.#names.map((name) => accumulators[name]));
  }

  /** What `encode` made, read as JSON; undefined for anything else. */
  decode(list: unknown): Accumulators | undefined {
    if (!Array.isArray(list) || list.length !== this.#names.length) return undefined;
    return Object.fromEntries(this.#names.map((name, i): [string, unknown] => [name, list[i]]));
  }
}
