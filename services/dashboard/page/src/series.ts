/** One device's readings as two columns in the order of the topic, bounded by age and by count. */

/** Kept beyond the visible window, so that the line enters the chart from outside its left edge. */
const SPARE_MS = 5_000;
const FIRST_CAPACITY = 256;

/** Readings as columns: `timesMs[i]` (event time) and `celsius[i]` belong together. */
export interface Columns {
  readonly timesMs: Float64Array;
  readonly celsius: Float64Array;
}

export const NO_READINGS: Columns = { timesMs: new Float64Array(0), celsius: new Float64Array(0) };

/** A ring would wrap; this one slides through its buffer and moves to the front when it meets the end. */
export class Series {
  #times = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  #start = 0;
  #length = 0;
  readonly #keepMs: number;
  readonly #maxCount: number;
  /** Readings before this instant may be missing: they were too many. */
  wholeSinceMs = Number.NEGATIVE_INFINITY;

  /** `keepMs`: how old a reading may be; `maxCount`: how many are kept at most (the newest win). */
  constructor(keepMs: number, maxCount = 100_000) {
    this.#keepMs = keepMs + SPARE_MS;
    this.#maxCount = maxCount;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes the next reading of the topic. Its event time may lie before the one before it. */
  add(timeMs: number, celsius: number): void {
    if (this.#start + this.#length === this.#times.length) this.#makeRoom();
    this.#times[this.#start + this.#length] = timeMs;
    this.#values[this.#start + this.#length] = celsius;
    this.#length++;
    if (this.#length <= this.#maxCount) return;
    this.#dropOldest(1);
    this.wholeSinceMs = this.#times[this.#start] ?? timeMs;
  }

  /** Drops what has become too old at `nowMs`, from the oldest on. */
  expire(nowMs: number): void {
    const limit = nowMs - this.#keepMs;
    let count = 0;
    while (count < this.#length && (this.#times[this.#start + count] ?? 0) < limit) count++;
    this.#dropOldest(count);
  }

  /** A copy of the readings with `fromMs <= event time`, in the order of the topic. */
  since(fromMs: number): Columns {
    const from = this.#start;
    const to = from + this.#length;
    const timesMs = new Float64Array(this.#length);
    const celsius = new Float64Array(this.#length);
    let count = 0;
    for (let i = from; i < to; i++) {
      const timeMs = this.#times[i] ?? 0;
      if (timeMs < fromMs) continue;
      timesMs[count] = timeMs;
      celsius[count] = this.#values[i] ?? 0;
      count++;
    }
    return { timesMs: timesMs.subarray(0, count), celsius: celsius.subarray(0, count) };
  }

  #dropOldest(count: number): void {
    this.#start += count;
    this.#length -= count;
  }

  /** Half empty: move to the front. Otherwise: twice the room. Either way adding stays cheap on average. */
  #makeRoom(): void {
    const from = this.#start;
    const to = from + this.#length;
    if (this.#length <= this.#times.length / 2) {
      this.#times.copyWithin(0, from, to);
      this.#values.copyWithin(0, from, to);
    } else {
      this.#times = grown(this.#times, from, to);
      this.#values = grown(this.#values, from, to);
    }
    this.#start = 0;
  }
}

/** The same readings in the order of their event times; readings of one instant keep their order. */
export function inTimeOrder(readings: Columns): Columns {
  const { timesMs, celsius } = readings;
  if (isSorted(timesMs)) return readings;
  const order = [...timesMs.keys()].sort((a, b) => (timesMs[a] ?? 0) - (timesMs[b] ?? 0));
  return {
    timesMs: Float64Array.from(order, (i) => timesMs[i] ?? 0),
    celsius: Float64Array.from(order, (i) => celsius[i] ?? 0),
  };
}

function isSorted(timesMs: Float64Array): boolean {
  for (let i = 1; i < timesMs.length; i++) {
    if ((timesMs[i] ?? 0) < (timesMs[i - 1] ?? 0)) return false;
  }
  return true;
}

function grown(column: Float64Array<ArrayBuffer>, from: number, to: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column.subarray(from, to));
  return larger;
}
