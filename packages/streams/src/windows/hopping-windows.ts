/**
 * Windows of one size that begin every so often, aligned to the epoch: hopping, and tumbling where both are the same.
 *
 * Window w holds `w <= ts < w + size`. Closed and late are what window-state.ts says.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { Several } from "../aggregates/several.ts";
import type { HoppingWindowShape } from "../topology/nodes.ts";
import { shapeNameOf } from "../topology/window-shapes.ts";
import { PaneStore } from "./pane-store.ts";
import { type Change, type Told, told, type Untold, type WindowState } from "./window-state.ts";

export class HoppingWindows implements WindowState {
  readonly isMadeByRecords = false;
  readonly #shape: HoppingWindowShape;
  readonly #panes: PaneStore;
  /** Windows that end here or before are closed, and told where they are told at their end. */
  #closedMs = Number.NEGATIVE_INFINITY;
  #isForgetting = false;

  constructor(shape: HoppingWindowShape, aggregates: Aggregates<unknown>) {
    this.#shape = shape;
    // All windows begin and end where panes do.
    this.#panes = new PaneStore({
      widthMs: divisor(shape.sizeMs, shape.everyMs),
      several: new Several(aggregates),
      signature: shapeNameOf(shape, aggregates),
      isNeeded: (startMs) => this.#lastEnd(startMs) > this.#closedMs,
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
    return this.#panes.isEmpty ? undefined : this.#endAfter(this.#closedMs);
  }

  restore(clockMs: number | undefined): void {
    if (clockMs !== undefined) this.#closedMs = clockMs - this.#shape.graceMs;
  }

  isLate(_key: string, timestampMs: number): boolean {
    return this.#lastEnd(timestampMs) <= this.#closedMs;
  }

  prepare(key: string, timestampMs: number, values: readonly unknown[]): Change {
    const startMs = this.#panes.startOf(timestampMs);
    const accumulators = this.#panes.added(key, timestampMs, values);
    return {
      apply: (revision) => {
        this.#panes.put(key, startMs, accumulators);
        if (this.#shape.tells === "final") return [];
        const changed: (Told | Untold)[] = [];
        const lastMs = this.#lastEnd(timestampMs);
        // The first window that holds the record is the first one to end behind it.
        const firstMs = this.#endAfter(Math.max(timestampMs, this.#closedMs));
        for (let endMs = firstMs; endMs <= lastMs; endMs += this.#shape.everyMs) {
          changed.push(this.#tell(key, endMs, revision));
        }
        return changed;
      },
    };
  }

  isDue(clockMs: number): boolean {
    if (this.#shape.tells !== "final" || this.#panes.isEmpty) return false;
    const firstMs = this.#endAfter(Math.max(this.#closedMs, this.#panes.oldestMs));
    return firstMs <= clockMs - this.#shape.graceMs;
  }

  /** Windows in the order of their ends. */
  advance(clockMs: number, revision: number): (Told | Untold)[] {
    const { everyMs, sizeMs, graceMs, tells } = this.#shape;
    const beforeMs = this.#closedMs;
    const closedMs = clockMs - graceMs;
    if (closedMs <= beforeMs) return [];
    this.#closedMs = closedMs;
    if (this.#endAfter(beforeMs) > closedMs || this.#panes.isEmpty) return [];
    const due: (Told | Untold)[] = [];
    if (tells === "final") {
      // No window but those that hold a pane is there to tell, however far the clock has jumped.
      const firstMs = this.#endAfter(Math.max(beforeMs, this.#panes.oldestMs));
      const lastMs = Math.min(closedMs, this.#panes.newestMs + sizeMs);
      for (let endMs = firstMs; endMs <= lastMs; endMs += everyMs) {
        for (const key of this.#panes.keysWithin(endMs - sizeMs, endMs)) {
          due.push(this.#tell(key, endMs, revision));
        }
      }
    }
    this.#isForgetting = true;
    return due;
  }

  forget(): void {
    if (this.#isForgetting) this.#panes.forget();
    this.#isForgetting = false;
  }

  #tell(key: string, endMs: number, revision: number): Told | Untold {
    const startMs = endMs - this.#shape.sizeMs;
    return told({ key, startMs, endMs, revision }, () => this.#panes.value(key, startMs, endMs));
  }

  /** The end of the last window that holds the time. */
  #lastEnd(timestampMs: number): number {
    const { everyMs, sizeMs } = this.#shape;
    return Math.floor(timestampMs / everyMs) * everyMs + sizeMs;
  }

  /** The first end of a window behind the time. */
  #endAfter(timestampMs: number): number {
    const { everyMs, sizeMs } = this.#shape;
    return Math.floor((timestampMs - sizeMs) / everyMs) * everyMs + everyMs + sizeMs;
  }
}

/** The greatest common one. */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
