/**
 * Windows that lie where the records are: all records of a key that are at most `difference` apart share one.
 *
 * As Kafka Streams defines it (KIP-450): each record at x makes the window that ends with it, `[x - difference, x]`, and,
 * where it holds something, the one that begins behind it, `[x + 1, x + 1 + difference]`. Here too `endMs` is exclusive:
 * one more than the last instant that is inside. Closed and late are what window-state.ts says.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { type Accumulators, Several } from "../aggregates/several.ts";
import { type Block, BlockLog, type Item, type Logged, NOWHERE } from "../state/block-log.ts";
import type { SlidingWindowShape } from "../topology/nodes.ts";
import { shapeNameOf } from "../topology/window-shapes.ts";
import { ClosingLine } from "./closing-line.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

/** The records of one key and instant. */
interface Instant extends Item {
  readonly key: string;
  readonly atMs: number;
  accumulators: Accumulators;
  block: Block;
}

export class SlidingWindows implements WindowState, Logged<Instant> {
  readonly isMadeByRecords = false;
  readonly signature: string;
  readonly log: BlockLog<Instant> = new BlockLog(this);
  readonly #shape: SlidingWindowShape;
  readonly #several: Several;
  /** Of each key the instants that windows which are not closed may need, ascending. */
  readonly #instants = new Map<string, Instant[]>();
  /** The ends of windows: when they are told, and when their instants can be forgotten. */
  readonly #line: ClosingLine;
  readonly #forgetting = new Set<string>();
  #size = 0;

  constructor(shape: SlidingWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#line = new ClosingLine(shape.graceMs);
    this.#several = new Several(aggregates);
    this.signature = shapeNameOf(shape, aggregates);
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get progress(): number {
    return this.#line.progress;
  }

  restore(clockMs: number | undefined): void {
    this.#line.restore(clockMs);
  }

  isLate(key: string, timestampMs: number): boolean {
    if (timestampMs + 1 > this.#line.closedMs) return false;
    return this.#startsAround(key, timestampMs).every(
      (startMs) => this.#endOf(startMs) <= this.#line.closedMs,
    );
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const add = this.#added(key, timestampMs, values);
    return {
      apply: (revision) => {
        const isNew = add();
        if (this.#shape.tells === "final") return [];
        const starts = this.#startsAround(key, timestampMs);
        // With a new instant there is a window behind it; an old one has it already, and it is not changed.
        const behindMs = timestampMs + 1;
        if (isNew && this.#has(key, behindMs)) starts.push(behindMs);
        return starts
          .filter((startMs) => this.#endOf(startMs) > this.#line.closedMs)
          .map((startMs) => this.#tell(key, startMs, revision));
      },
    };
  }

  isDue(clockMs: number): boolean {
    return this.#shape.tells === "final" && this.#line.isDue(clockMs);
  }

  /** Windows in the order of their ends. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    const closing: (Told | Untold)[] = [];
    let lastMs = Number.NEGATIVE_INFINITY;
    const keys = new Set<string>();
    for (const { atMs, key } of this.#line.advance(clockMs)) {
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

  entryOf({ key, atMs, accumulators }: Instant): string {
    return `[${JSON.stringify(key)},${atMs},${this.#several.encode(accumulators)}]`;
  }

  load(entry: unknown): Instant | undefined {
    if (!Array.isArray(entry)) return undefined;
    const [key, atMs, list]: unknown[] = entry;
    const accumulators = this.#several.decode(list);
    if (typeof key !== "string" || typeof atMs !== "number" || accumulators === undefined) return undefined;
    return this.#behindEnd(atMs) > this.#line.closedMs ? this.#put(key, atMs, accumulators) : undefined;
  }

  /** Computes what the instant would hold; then puts it there, and says whether the instant is new. */
  #added(key: string, timestampMs: number, values: readonly unknown[]): () => boolean {
    const known = this.#instantAt(key, timestampMs);
    const accumulators = this.#several.add(known?.accumulators, values, timestampMs);
    return () => {
      this.log.changed(this.#put(key, timestampMs, accumulators));
      return known === undefined;
    };
  }

  #instantAt(key: string, atMs: number): Instant | undefined {
    const instants = this.#instants.get(key) ?? [];
    const found = instants[firstFrom(instants, atMs)];
    return found?.atMs === atMs ? found : undefined;
  }

  #put(key: string, atMs: number, accumulators: Accumulators): Instant {
    const known = this.#instantAt(key, atMs);
    if (known !== undefined) {
      known.accumulators = accumulators;
      return known;
    }
    const instant = { key, atMs, accumulators, block: NOWHERE };
    const instants = this.#instants.get(key) ?? [];
    instants.splice(firstFrom(instants, atMs), 0, instant);
    this.#instants.set(key, instants);
    this.#size++;
    const endMs = atMs + 1;
    if (this.#shape.tells === "final" && endMs > this.#line.closedMs) this.#line.expect(endMs, key);
    this.#line.expect(this.#behindEnd(atMs), key);
    return instant;
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
    while (count < instants.length && this.#behindEnd(instants[count]?.atMs ?? 0) <= this.#line.closedMs)
      count++;
    for (const instant of instants.splice(0, count)) this.log.gone(instant);
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
