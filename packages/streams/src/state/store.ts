/** The values of one store that belong to one partition, and what became of them since they were last written down. */
import { StreamsError } from "../errors.ts";
import type { StoreDefinition } from "../topology/nodes.ts";

/** As it is kept: the value as JSON, so that nobody's later change to an object changes it. */
export interface StoredValue {
  readonly json: string;
  /** Event time of the record that set it, milliseconds since the epoch. */
  readonly setMs: number;
}

export class Store {
  readonly definition: StoreDefinition;
  /** About in the order of setting: what is set again goes to the end. */
  readonly #values = new Map<string, StoredValue>();
  readonly #changed = new Set<string>();

  constructor(definition: StoreDefinition) {
    this.definition = definition;
  }

  get size(): number {
    return this.#values.size;
  }

  /** Undefined where there is none, or where its time to live was over at that event time. */
  get(key: string, atMs: number): StoredValue | undefined {
    const stored = this.#values.get(key);
    return stored === undefined || this.#isOver(stored, atMs) ? undefined : stored;
  }

  /** Deletes it where `stored` is undefined. */
  put(key: string, stored: StoredValue | undefined): void {
    this.restore(key, stored);
    this.#changed.add(key);
  }

  /** As `put`, of what is written down already. */
  restore(key: string, stored: StoredValue | undefined): void {
    this.#values.delete(key);
    if (stored !== undefined) this.#values.set(key, stored);
  }

  /** What is written down of the key is not what is here. */
  differs(key: string): void {
    this.#changed.add(key);
  }

  /** Deletes values whose time to live was over at that event time; some of them later, never too early. */
  expire(atMs: number): void {
    if (this.definition.ttlMs === undefined) return;
    for (const [key, stored] of this.#values) {
      if (!this.#isOver(stored, atMs)) return;
      this.put(key, undefined);
    }
  }

  /** What has changed since it was last asked: values by key, undefined where there is none any more. */
  takeChanges(): [key: string, stored: StoredValue | undefined][] {
    const changes = [...this.#changed].map((key): [string, StoredValue | undefined] => [
      key,
      this.#values.get(key),
    ]);
    this.#changed.clear();
    return changes;
  }

  entries(): Iterable<[string, StoredValue]> {
    return this.#values;
  }

  #isOver({ setMs }: StoredValue, atMs: number): boolean {
    const { ttlMs } = this.definition;
    return ttlMs !== undefined && setMs + ttlMs < atMs;
  }
}

/** @throws {StreamsError} for what has no JSON: undefined, a function, a circle. */
export function storedOf(store: string, value: unknown, setMs: number): StoredValue {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    json = undefined;
  }
  if (json !== undefined) return { json, setMs };
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `Store "${store}" was given a value that has no JSON (${typeof value}); call delete() to keep nothing.`,
  );
}
