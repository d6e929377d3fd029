/**
 * Windows that lie where the records are: all records of a key that are at most `difference` apart share one.
 *
 * As Kafka Streams defines it (KIP-450): each record at x makes the window that ends with it, `[x - difference, x]`, and,
 * where it holds something, the one that begins behind it, `[x + 1, x + 1 + difference]`. Here too `endMs` is exclusive:
 * one more than the last instant that is inside. Closed and late are what window-state.ts says.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { type Accumulators, Several } from "../aggregates/several.ts";
import type { SlidingWindowShape } from "../topology/nodes.ts";
import { DueQueue } from "./due-queue.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

/** The records of one key and instant. */
interface Instant {
  readonly atMs: number;
  accumulators: Accumulators;
  offsetMin: number;
}

export class SlidingWindows implements WindowState {
  readonly #shape: SlidingWindowShape;
  readonly #several: Several;
  /** Of each key the instants that windows which are not closed may need, ascending. */
  readonly #instants = new Map<string, Instant[]>();
  /** The ends of windows: when they are told, and when their instants can be forgotten. */
  readonly #due = new DueQueue();
  readonly #forgetting = new Set<string>();
  #size = 0;
  #closedMs = Number.NEGATIVE_INFINITY;
  #progress = 0;

  constructor(shape: SlidingWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#several = new Several(aggregates);
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get offsetMin(): number | undefined {
    let least: number | undefined;
    for (const instants of this.#instants.values()) {
      for (const { offsetMin } of instants) if (least === undefined || offsetMin < least) least = offsetMin;
    }
    return least;
  }

  get progress(): number {
    return this.#progress;
  }

  restore(clockMs: number | undefined): void {
    if (clockMs !== undefined) this.#closedMs = clockMs - this.#shape.graceMs;
  }

  rebuild(key: string, timestampMs: number, values: readonly unknown[], offset: number): void {
    if (this.#behindEnd(timestampMs) > this.#closedMs) this.#added(key, timestampMs, values)(offset);
  }

  isLate(key: string, timestampMs: number): boolean {
    if (timestampMs + 1 > this.#closedMs) return false;
    return this.#startsAround(key, timestampMs).every((startMs) => this.#endOf(startMs) <= this.#closedMs);
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const add = this.#added(key, timestampMs, values);
    return {
      apply: (offset, revision) => {
        const isNew = add(offset);
        if (this.#shape.tells === "final") return [];
        const starts = this.#startsAround(key, timestampMs);
        // With a new instant there is a window behind it; an old one has it already, and it is not changed.
        const behindMs = timestampMs + 1;
        if (isNew && this.#has(key, behindMs)) starts.push(behindMs);
        return starts
          .filter((startMs) => this.#endOf(startMs) > this.#closedMs)
          .map((startMs) => this.#tell(key, startMs, revision));
      },
    };
  }

  /** Windows in the order of their ends. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    this.#closedMs = Math.max(this.#closedMs, clockMs - this.#shape.graceMs);
    const closing: (Told | Untold)[] = [];
    let lastMs = Number.NEGATIVE_INFINITY;
    const keys = new Set<string>();
    for (let due = this.#due.take(this.#closedMs); due !== undefined; due = this.#due.take(this.#closedMs)) {
      this.#progress++;
      const { atMs, key } = due;
      if (atMs > lastMs) keys.clear();
      lastMs = atMs;
      // Of two reasons for one window the first does.
      if (keys.has(key)) continue;
      keys.add(key);
      const startMs = atMs - this.#shape.differenceMs - 1;
      if (this.#shape.tells === "final" && this.#has(key, startMs))
        closing.push(this.#tell(key, startMs, revision));
      this.#forgetting.add(key);
    }
    return closing;
  }

  forget(): void {
    for (const key of this.#forgetting) this.#forgetOf(key);
    this.#forgetting.clear();
  }

  /** Computes what the instant would hold; then puts it there, and says whether the instant is new. */
  #added(key: string, timestampMs: number, values: readonly unknown[]): (offset: number) => boolean {
    const instants = this.#instants.get(key) ?? [];
    const at = firstFrom(instants, timestampMs);
    const found = instants[at];
    const known = found?.atMs === timestampMs ? found : undefined;
    const accumulators = this.#several.add(known?.accumulators, values, timestampMs);
    return (offset) => {
      if (known !== undefined) {
        known.accumulators = accumulators;
        known.offsetMin = Math.min(known.offsetMin, offset);
        return false;
      }
      instants.splice(at, 0, { atMs: timestampMs, accumulators, offsetMin: offset });
      this.#instants.set(key, instants);
      this.#size++;
      const endMs = timestampMs + 1;
      if (this.#shape.tells === "final" && endMs > this.#closedMs) this.#due.put(endMs, key);
      this.#due.put(this.#behindEnd(timestampMs), key);
      return true;
    };
  }

  /** The starts of all windows that hold the time, were there a record; ascending. */
  #startsAround(key: string, timestampMs: number): number[] {
    const { differenceMs } = this.#shape;
    const instants = this.#instants.get(key) ?? [];
    const starts = new Set<number>([timestampMs - differenceMs]);
    for (let i = firstFrom(instants, timestampMs - differenceMs - 1); i < instants.length; i++) {
      const atMs = instants[i]?.atMs ?? Number.POSITIVE_INFINITY;
      if (atMs > timestampMs + differenceMs) break;
      starts.add(atMs < timestampMs ? atMs + 1 : atMs - differenceMs);
      // The window that ends with an earlier record does not hold this one; the one that begins behind a later one neither.
    }
    return [...starts].sort((left, right) => left - right);
  }

  #has(key: string, startMs: number): boolean {
    const instants = this.#instants.get(key) ?? [];
    const first = instants[firstFrom(instants, startMs)];
    return first !== undefined && first.atMs < this.#endOf(startMs);
  }

  #tell(key: string, startMs: number, revision: number): Told | Untold {
    const endMs = this.#endOf(startMs);
    return told({ key, startMs, endMs, revision }, () => {
      const instants = this.#instants.get(key) ?? [];
      let merged: Accumulators | undefined;
      for (let i = firstFrom(instants, startMs); i < instants.length; i++) {
        const instant = instants[i];
        if (instant === undefined || instant.atMs >= endMs) break;
        merged = this.#several.merge(merged, instant.accumulators);
      }
      return this.#several.result(merged);
    });
  }

  #forgetOf(key: string): void {
    const instants = this.#instants.get(key);
    if (instants === undefined) return;
    let count = 0;
    while (count < instants.length && this.#behindEnd(instants[count]?.atMs ?? 0) <= this.#closedMs) count++;
    instants.splice(0, count);
    this.#size -= count;
    if (instants.length === 0) this.#instants.delete(key);
  }

  #endOf(startMs: number): number {
    return startMs + this.#shape.differenceMs + 1;
  }

  /** The end of the window behind an instant, the last one that depends on it. */
  #behindEnd(atMs: number): number {
    return this.#endOf(atMs + 1);
  }
}

/** Where the first instant is that is not before the time. */
function firstFrom(instants: readonly Instant[], fromMs: number): number {
  let low = 0;
  let high = instants.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((instants[middle]?.atMs ?? Number.POSITIVE_INFINITY) < fromMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
