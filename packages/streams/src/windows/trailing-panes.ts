/**
 * The arithmetic of a trailing window (streams.md 2).
 *
 * Size D, told every S, D a multiple of S. `V(k,T)` aggregates the records of key k with `T-D <= ts < T`, T a multiple of S
 * since the epoch. Records gather in panes of S, pane p holding `p <= ts < p+S`; V(k,T) merges the D/S panes before T.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { Several } from "../aggregates/several.ts";
import type { TrailingWindowShape } from "../topology/nodes.ts";
import { shapeNameOf } from "../topology/window-shapes.ts";
import { PaneStore } from "./pane-store.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

export class TrailingPanes implements WindowState {
  readonly isMadeByRecords = false;
  readonly #shape: TrailingWindowShape;
  readonly #panes: PaneStore;
  /** The last T that was told; undefined where there was no record yet. */
  #tickMs: number | undefined;
  #forgottenMs: number | undefined;

  constructor(shape: TrailingWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    this.#panes = new PaneStore({
      widthMs: shape.everyMs,
      several: new Several(aggregates),
      signature: shapeNameOf({ kind: "trailing", ...shape }, aggregates),
      isNeeded: (startMs) => this.#tickMs === undefined || startMs >= this.#oldestKept(this.#tickMs),
    });
  }

  get size(): number {
    return this.#panes.size;
  }

  get isEmpty(): boolean {
    return this.#panes.isEmpty;
  }

  get log() {
    return this.#panes.log;
  }

  get progress(): number | undefined {
    // Where nothing is kept nothing is told, and the clock alone is no news.
    return this.#panes.isEmpty ? undefined : this.#tickMs;
  }

  restore(clockMs: number | undefined): void {
    this.#tickMs = clockMs === undefined ? undefined : this.#panes.startOf(clockMs);
  }

  /** Its first result was told too long ago. */
  isLate(_key: string, timestampMs: number): boolean {
    if (this.#tickMs === undefined) return false;
    const { everyMs, allowedLatenessMs } = this.#shape;
    return this.#panes.startOf(timestampMs) + everyMs <= this.#tickMs - allowedLatenessMs;
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const startMs = this.#panes.startOf(timestampMs);
    const accumulators = this.#panes.added(key, timestampMs, values);
    return {
      apply: (revision) => {
        const { everyMs, sizeMs } = this.#shape;
        // The one behind the last that holds the record is told empty, unless it was told or is not empty.
        const behindMs = startMs + everyMs + sizeMs;
        const isBehindDue = !this.#isTold(key, behindMs);
        this.#panes.put(key, startMs, accumulators);
        const again: (Told | Untold)[] = [];
        const lastMs = Math.min(this.#tickMs ?? Number.NEGATIVE_INFINITY, behindMs);
        for (let endMs = startMs + everyMs; endMs <= lastMs; endMs += everyMs) {
          if (endMs < behindMs || isBehindDue) again.push(this.#tell(key, endMs, revision));
        }
        return again;
      },
    };
  }

  isDue(clockMs: number): boolean {
    if (this.#tickMs === undefined || this.#panes.isEmpty) return false;
    return this.#panes.startOf(clockMs) > this.#tickMs;
  }

  /** T ascending. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    const { everyMs, sizeMs } = this.#shape;
    const dueMs = this.#panes.startOf(clockMs);
    // Records may have come before their time was known to have.
    this.#tickMs ??= Math.min(dueMs, this.#panes.oldestMs);
    if (dueMs <= this.#tickMs) return [];
    const due: (Told | Untold)[] = [];
    // Beyond this nothing is there to tell, however far the clock has jumped.
    const newestMs = this.#panes.newestMs + everyMs + sizeMs;
    for (let endMs = this.#tickMs + everyMs; endMs <= Math.min(dueMs, newestMs); endMs += everyMs) {
      // Also of keys that had something one tick before: they are told empty.
      for (const key of this.#panes.keysWithin(endMs - sizeMs - everyMs, endMs)) {
        due.push(this.#tell(key, endMs, revision));
      }
    }
    this.#tickMs = dueMs;
    return due;
  }

  forget(): void {
    if (this.#tickMs === undefined || this.#tickMs === this.#forgottenMs) return;
    this.#forgottenMs = this.#tickMs;
    this.#panes.forget();
  }

  /** Whether V(k,T), T <= tick, was told: it is not empty, or the one before was not. */
  #isTold(key: string, endMs: number): boolean {
    return this.#panes.has(key, endMs - this.#shape.sizeMs - this.#shape.everyMs, endMs);
  }

  #tell(key: string, endMs: number, revision: number): Told | Untold {
    const startMs = endMs - this.#shape.sizeMs;
    return told({ key, startMs, endMs, revision }, () => this.#panes.value(key, startMs, endMs));
  }

  /** The start of the oldest pane that a result may still need: a late record's result reaches D back, its "told" D+S. */
  #oldestKept(tickMs: number): number {
    const { sizeMs, everyMs, allowedLatenessMs } = this.#shape;
    return tickMs - 2 * sizeMs - everyMs - allowedLatenessMs;
  }
}
