/** Records gathered in panes of equal length, by pane first and key second: a key is forgotten with its last pane. */
import type { Accumulators, Several } from "../aggregates/several.ts";

interface Pane {
  /** The least offset among its records: where a rebuild has to start reading. */
  offsetMin: number;
  readonly keys: Map<string, Accumulators>;
}

export class PaneStore {
  readonly #widthMs: number;
  readonly #several: Several;
  readonly #panes = new Map<number, Pane>();

  constructor(widthMs: number, several: Several) {
    this.#widthMs = widthMs;
    this.#several = several;
  }

  get size(): number {
    let size = 0;
    for (const pane of this.#panes.values()) size += pane.keys.size;
    return size;
  }

  get isEmpty(): boolean {
    return this.#panes.size === 0;
  }

  get offsetMin(): number | undefined {
    let least: number | undefined;
    for (const { offsetMin } of this.#panes.values()) {
      if (least === undefined || offsetMin < least) least = offsetMin;
    }
    return least;
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
    const before = this.#panes.get(this.startOf(timestampMs))?.keys.get(key);
    return this.#several.add(before, values, timestampMs);
  }

  put(key: string, startMs: number, accumulators: Accumulators, offset: number): void {
    let pane = this.#panes.get(startMs);
    if (pane === undefined) {
      pane = { offsetMin: offset, keys: new Map() };
      this.#panes.set(startMs, pane);
    }
    pane.offsetMin = Math.min(pane.offsetMin, offset);
    pane.keys.set(key, accumulators);
  }

  /** Keys that have a record in `[fromMs, toMs)`, both of them starts of panes. */
  keysWithin(fromMs: number, toMs: number): Set<string> {
    const keys = new Set<string>();
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      for (const key of this.#panes.get(startMs)?.keys.keys() ?? []) keys.add(key);
    }
    return keys;
  }

  /** Whether the key has a record in `[fromMs, toMs)`. */
  has(key: string, fromMs: number, toMs: number): boolean {
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      if (this.#panes.get(startMs)?.keys.has(key)) return true;
    }
    return false;
  }

  /** The value of the key's records in `[fromMs, toMs)`. Throws what a user's function throws. */
  value(key: string, fromMs: number, toMs: number): Record<string, unknown> {
    let merged: Accumulators | undefined;
    for (let startMs = fromMs; startMs < toMs; startMs += this.#widthMs) {
      const accumulators = this.#panes.get(startMs)?.keys.get(key);
      if (accumulators !== undefined) merged = this.#several.merge(merged, accumulators);
    }
    return this.#several.result(merged);
  }

  forget(isNeeded: (startMs: number) => boolean): void {
    for (const startMs of this.#panes.keys()) if (!isNeeded(startMs)) this.#panes.delete(startMs);
  }
}
