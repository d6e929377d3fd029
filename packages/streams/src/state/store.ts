/** The values of one store that belong to one partition. */
import { StreamsError } from "../errors.ts";
import type { StoreDefinition } from "../topology/nodes.ts";
import { type Block, BlockLog, type Item, type Logged, NOWHERE } from "./block-log.ts";

/** As it is kept: the value as JSON, so that nobody's later change to an object changes it. */
export interface StoredValue {
  readonly json: string;
  /** Event time of the record that set it, milliseconds since the epoch. */
  readonly setMs: number;
}

interface KeptValue extends Item {
  readonly key: string;
  /** Undefined: it was deleted, which has to be known as long as an older value of it can be read. */
  stored: StoredValue | undefined;
  block: Block;
}

export class Store implements Logged<KeptValue> {
  readonly definition: StoreDefinition;
  readonly signature = "store";
  readonly log: BlockLog<KeptValue> = new BlockLog(this);
  /** About in the order of setting: what is set again goes to the end. */
  readonly #values = new Map<string, KeptValue>();
  #size = 0;

  constructor(definition: StoreDefinition) {
    this.definition = definition;
  }

  get size(): number {
    return this.#size;
  }

  /** Undefined where there is none, or where its time to live was over at that event time. */
  get(key: string, atMs: number): StoredValue | undefined {
    const stored = this.#values.get(key)?.stored;
    return stored === undefined || this.#isOver(stored, atMs) ? undefined : stored;
  }

  /** Deletes it where `stored` is undefined. */
  put(key: string, stored: StoredValue | undefined): void {
    const known = this.#values.get(key);
    if (known === undefined && stored === undefined) return;
    this.log.changed(this.#set(key, stored));
  }

  /** Deletes values whose time to live was over at that event time; some of them later, never too early. */
  expire(atMs: number): void {
    if (this.definition.ttlMs === undefined) return;
    for (const [key, { stored }] of this.#values) {
      if (stored === undefined) continue;
      if (!this.#isOver(stored, atMs)) return;
      this.put(key, undefined);
    }
  }

  *entries(): Generator<[string, StoredValue]> {
    for (const [key, { stored }] of this.#values) if (stored !== undefined) yield [key, stored];
  }

  entryOf({ key, stored }: KeptValue): string {
    const name = JSON.stringify(key);
    return stored === undefined ? `[${name}]` : `[${name},${stored.setMs},${stored.json}]`;
  }

  load(entry: unknown): KeptValue | undefined {
    if (!Array.isArray(entry)) return undefined;
    const [key, setMs, value]: unknown[] = entry;
    if (typeof key !== "string") return undefined;
    return this.#set(key, typeof setMs === "number" ? { json: JSON.stringify(value), setMs } : undefined);
  }

  isDeleted({ stored }: KeptValue): boolean {
    return stored === undefined;
  }

  drop({ key }: KeptValue): void {
    this.#values.delete(key);
  }

  #set(key: string, stored: StoredValue | undefined): KeptValue {
    const known = this.#values.get(key);
    const kept = known ?? { key, stored: undefined, block: NOWHERE };
    this.#size += Number(stored !== undefined) - Number(kept.stored !== undefined);
    kept.stored = stored;
    if (known !== undefined) this.#values.delete(key);
    this.#values.set(key, kept);
    return kept;
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
    `Store "${store}" was given a value that can't be written as JSON (${typeof value}); call delete() to remove a value.`,
  );
}
