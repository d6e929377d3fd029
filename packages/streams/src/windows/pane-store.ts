/** Records gathered in panes of equal length, by pane first and key second: a key is forgotten with its last pane. */
import type { Accumulators, Several } from "../aggregates/several.ts";
import { type Block, BlockLog, type Item, type Logged, NOWHERE } from "../state/block-log.ts";

/** What one key has in one pane. */
interface Kept extends Item {
  readonly key: string;
  readonly startMs: number;
  accumulators: Accumulators;
  block: Block;
}

export interface PaneStoreOptions {
  readonly widthMs: number;
  readonly several: Several;
  /** See {@link Logged}. */
  readonly signature: string;
  /** Whether a result may still need the pane that starts then. */
  readonly isNeeded: (startMs: number) => boolean;
}

export class PaneStore implements Logged<Kept> {
  readonly signature: string;
  readonly log: BlockLog<Kept> = new BlockLog(this);
  readonly #widthMs: number;
  readonly #several: Several;
  readonly #isNeeded: (startMs: number) => boolean;
  readonly #panes = new Map<number, Map<string, Kept>>();

  constructor({ widthMs, several, signature, isNeeded }: PaneStoreOptions) {
    this.signature = signature;
    this.#widthMs = widthMs;
    this.#several = several;
    this.#isNeeded = isNeeded;
  }

  get size(): number {
    let size = 0;
    for (const pane of this.#panes.values()) size += pane.size;
    return size;
  }

  get isEmpty(): boolean {
    return this.#panes.size === 0;
  }

  /** The starts of the oldest and the newest pane; infinite where there is none. */
  get oldestMs(): number {
    return Math.min(...this.#panes.keys());
  }

  get newestMs(): number {
    return Math.max(...this.#panes.keys());
  }

  startOf(timestampMs: number): number {
    return Math.floor(timestampMs / this.#widthMs) * this.#widthMs;
  }

  /** What the record's pane would hold with it. Throws what a user's function throws. */
  added(key: string, timestampMs: number, values: readonly unknown[]): Accumulators {
    const before = this.#panes.get(this.startOf(timestampMs))?.get(key)?.accumulators;
    return this.#several.add(before, values, timestampMs);
  }

  put(key: string, startMs: number, accumulators: Accumulators): void {
    this.log.changed(this.#set(key, startMs, accumulators));
  }

  /** Keys that have a record in `[fromMs, toMs)`, both of them starts of panes. */
  keysWithin(fromMs: number, toMs: number): Set<string> {
    const keys = new Set<string>();
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      for (const key of this.#panes.get(startMs)?.keys() ?? []) keys.add(key);
    }
    return keys;
  }

  /** Whether the key has a record in `[fromMs, toMs)`. */
  has(key: string, fromMs: number, toMs: number): boolean {
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      if (this.#panes.get(startMs)?.has(key)) return true;
    }
    return false;
  }

  /** The value of the key's records in `[fromMs, toMs)`. Throws what a user's function throws. */
  value(key: string, fromMs: number, toMs: number): Record<string, unknown> {
    let merged: Accumulators | undefined;
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      const accumulators = this.#panes.get(startMs)?.get(key)?.accumulators;
      if (accumulators !== undefined) merged = this.#several.merge(merged, accumulators);
    }
    return this.#several.result(merged);
  }

  /** Lets go of the panes that no result needs any more. */
  forget(): void {
    for (const [startMs, pane] of this.#panes) {
      if (this.#isNeeded(startMs)) continue;
      for (const kept of pane.values()) this.log.gone(kept);
      this.#panes.delete(startMs);
    }
  }

  entryOf({ key, startMs, accumulators }: Kept): string {
    return `[${JSON.stringify(key)},${startMs},${this.#several.encode(accumulators)}]`;
  }

  load(entry: unknown): Kept | undefined {
    if (!Array.isArray(entry)) return undefined;
    const [key, startMs, list]: unknown[] = entry;
    const accumulators = this.#several.decode(list);
    if (typeof key !== "string" || typeof startMs !== "number" || accumulators === undefined)
      return undefined;
    return this.#isNeeded(startMs) ? this.#set(key, startMs, accumulators) : undefined;
  }

  #set(key: string, startMs: number, accumulators: Accumulators): Kept {
    let pane = this.#panes.get(startMs);
    if (pane === undefined) {
      pane = new Map();
      this.#panes.set(startMs, pane);
    }
    const known = pane.get(key);
    if (known !== undefined) {
      known.accumulators = accumulators;
      return known;
    }
    const kept = { key, startMs, accumulators, block: NOWHERE };
    pane.set(key, kept);
    return kept;
  }
}
