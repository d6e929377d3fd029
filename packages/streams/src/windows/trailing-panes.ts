/**
 * The arithmetic of a trailing window, of all keys of one partition (streams.md 2). Pure: time comes in by `advance`.
 *
 * Size D, told every S, D a multiple of S. `V(k,T)` aggregates the records of key k with `T-D <= ts < T`, T a multiple of S
 * since the epoch. Records gather in panes of S, pane p holding `p <= ts < p+S`; V(k,T) merges the D/S panes before T.
 * Panes are kept by time first and key second, so that a key is forgotten with its last pane.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import type { TrailingWindowShape } from "../topology/nodes.ts";

/** V(k,T) with what tells it from an earlier telling. */
export interface Told {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly revision: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** V(k,T) that could not be computed: a user's function threw on merging. */
export interface Untold extends Omit<Told, "value"> {
  readonly error: unknown;
}

/** A record on its way into its pane: what `add` will put there. */
export interface Prepared {
  readonly key: string;
  readonly paneStartMs: number;
  readonly accumulators: Accumulators;
}

type Accumulators = Readonly<Record<string, unknown>>;

interface Pane {
  /** The least offset among its records: where a rebuild has to start reading. */
  offsetMin: number;
  readonly keys: Map<string, Accumulators>;
}

export class TrailingPanes {
  readonly #shape: TrailingWindowShape;
  readonly #aggregates: Aggregates<unknown>;
  readonly #names: readonly string[];
  readonly #panes = new Map<number, Pane>();
  #tickMs: number | undefined;

  constructor(shape: TrailingWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#aggregates = aggregates;
    this.#names = Object.keys(aggregates);
  }

  get tickMs(): number | undefined {
    return this.#tickMs;
  }

  /** How many panes of single keys are kept. */
  get size(): number {
    let size = 0;
    for (const pane of this.#panes.values()) size += pane.keys.size;
    return size;
  }

  get isEmpty(): boolean {
    return this.#panes.size === 0;
  }

  /** The least offset among the records that results may still need; undefined where there are none. */
  get offsetMin(): number | undefined {
    let least: number | undefined;
    for (const { offsetMin } of this.#panes.values()) {
      if (least === undefined || offsetMin < least) least = offsetMin;
    }
    return least;
  }

  /** Goes on where event time had come to `clockMs`; the records follow by `rebuild`. */
  restore(clockMs: number | undefined): void {
    this.#tickMs = clockMs === undefined ? undefined : this.#paneStart(clockMs);
  }

  /** What a record would change; nothing is changed yet. Throws what a user's function throws. */
  prepare(key: string, timestampMs: number, value: unknown): Prepared {
    const paneStartMs = this.#paneStart(timestampMs);
    const before = this.#panes.get(paneStartMs)?.keys.get(key);
    const accumulators: Record<string, unknown> = {};
    for (const [name, aggregate] of Object.entries(this.#aggregates)) {
      accumulators[name] = aggregate.add(before?.[name], aggregate.select(value, timestampMs));
    }
    return { key, paneStartMs, accumulators };
  }

  /** Whether a record of this time has come too late to be counted: its first result was told too long ago. */
  isLate(timestampMs: number): boolean {
    if (this.#tickMs === undefined) return false;
    return this.#paneStart(timestampMs) + this.#shape.everyMs <= this.#tickMs - this.#shape.allowedLatenessMs;
  }

  /** Adds a record that is not late, and tells again, under the given revision, each result that it changes. */
  add(prepared: Prepared, offset: number, revision: number): (Told | Untold)[] {
    const { everyMs, sizeMs } = this.#shape;
    const { key, paneStartMs } = prepared;
    const firstMs = paneStartMs + everyMs;
    // The one behind the last that holds the record is told empty, unless it was told or is not empty.
    const behindMs = firstMs + sizeMs;
    const isBehindDue = !this.#isTold(key, behindMs);
    this.#store(prepared, offset);
    const told: (Told | Untold)[] = [];
    const lastMs = Math.min(this.#tickMs ?? Number.NEGATIVE_INFINITY, behindMs);
    for (let endMs = firstMs; endMs <= lastMs; endMs += everyMs) {
      if (endMs < behindMs || isBehindDue) told.push(this.#tell(key, endMs, revision));
    }
    return told;
  }

  /** Adds a record that was counted before the state was lost: nothing is told. What no result needs is left out. */
  rebuild(key: string, timestampMs: number, value: unknown, offset: number): void {
    if (this.#tickMs === undefined || this.#paneStart(timestampMs) < this.#oldestKept(this.#tickMs)) return;
    this.#store(this.prepare(key, timestampMs, value), offset);
  }

  /** Event time has come to `clockMs`: tells what is due, T ascending, under the given revision. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    const { everyMs, sizeMs } = this.#shape;
    const dueMs = Math.floor(clockMs / everyMs) * everyMs;
    if (this.#tickMs === undefined) {
      this.#tickMs = dueMs;
      return [];
    }
    if (dueMs <= this.#tickMs) return [];
    const told: (Told | Untold)[] = [];
    // Beyond this nothing is there to tell, however far the clock has jumped.
    const newestMs = Math.max(...this.#panes.keys()) + everyMs + sizeMs;
    for (let endMs = this.#tickMs + everyMs; endMs <= Math.min(dueMs, newestMs); endMs += everyMs) {
      for (const key of this.#keysWithin(endMs - sizeMs - everyMs, endMs))
        told.push(this.#tell(key, endMs, revision));
    }
    this.#tickMs = dueMs;
    this.#forget(dueMs);
    return told;
  }

  #paneStart(timestampMs: number): number {
    return Math.floor(timestampMs / this.#shape.everyMs) * this.#shape.everyMs;
  }

  #store({ key, paneStartMs, accumulators }: Prepared, offset: number): void {
    let pane = this.#panes.get(paneStartMs);
    if (pane === undefined) {
      pane = { offsetMin: offset, keys: new Map() };
      this.#panes.set(paneStartMs, pane);
    }
    pane.offsetMin = Math.min(pane.offsetMin, offset);
    pane.keys.set(key, accumulators);
  }

  /** Keys that have a record in `[fromMs, toMs)`: their result of T = toMs is due, be it the empty one. */
  #keysWithin(fromMs: number, toMs: number): Set<string> {
    const keys = new Set<string>();
    for (let startMs = fromMs; startMs < toMs; startMs += this.#shape.everyMs) {
      for (const key of this.#panes.get(startMs)?.keys.keys() ?? []) keys.add(key);
    }
    return keys;
  }

  /** Whether V(k,T), T <= tick, was told: it is not empty, or the one before was not. */
  #isTold(key: string, endMs: number): boolean {
    return this.#has(key, endMs) || this.#has(key, endMs - this.#shape.everyMs);
  }

  /** Whether one of the panes before T has something of the key. */
  #has(key: string, endMs: number): boolean {
    for (let startMs = endMs - this.#shape.sizeMs; startMs < endMs; startMs += this.#shape.everyMs) {
      if (this.#panes.get(startMs)?.keys.has(key)) return true;
    }
    return false;
  }

  #tell(key: string, endMs: number, revision: number): Told | Untold {
    const identity = { key, startMs: endMs - this.#shape.sizeMs, endMs, revision };
    try {
      return { ...identity, value: this.#value(key, endMs) };
    } catch (error) {
      return { ...identity, error };
    }
  }

  #value(key: string, endMs: number): Record<string, unknown> {
    const merged: Record<string, unknown> = {};
    let isFirst = true;
    for (let startMs = endMs - this.#shape.sizeMs; startMs < endMs; startMs += this.#shape.everyMs) {
      const accumulators = this.#panes.get(startMs)?.keys.get(key);
      if (accumulators === undefined) continue;
      for (const name of this.#names) {
        const aggregate = this.#aggregates[name];
        merged[name] = isFirst ? accumulators[name] : aggregate?.merge(merged[name], accumulators[name]);
      }
      isFirst = false;
    }
    const value: Record<string, unknown> = {};
    for (const [name, aggregate] of Object.entries(this.#aggregates))
      value[name] = aggregate.result(merged[name]);
    return value;
  }

  /** The start of the oldest pane that a result may still need: a late record's result reaches D back, its "told" D+S. */
  #oldestKept(tickMs: number): number {
    const { sizeMs, everyMs, allowedLatenessMs } = this.#shape;
    return tickMs - 2 * sizeMs - everyMs - allowedLatenessMs;
  }

  #forget(tickMs: number): void {
    const oldestMs = this.#oldestKept(tickMs);
    for (const startMs of this.#panes.keys()) if (startMs < oldestMs) this.#panes.delete(startMs);
  }
}
