/** The readings of one device of the last while, as columns: bounded by age and by number. */
import type { Readings } from "@kelvin/schema/live";

const FIRST_CAPACITY = 64;
/** Kept beyond what a chart shows, so that a reading is there until it has left the chart for sure. */
const SPARE_MS = 10_000;

/** How long readings are kept for a chart of this length. */
export function keptMs(spanMs: number): number {
  return spanMs + SPARE_MS;
}

/** Memory that all rings together may take, counted in readings. */
export class ReadingBudget {
  readonly #max: number;
  #used = 0;

  constructor(maxReadings: number) {
    this.#max = maxReadings;
  }

  /** True where there was room, which is then taken. */
  take(readings: number): boolean {
    if (this.#used + readings > this.#max) return false;
    this.#used += readings;
    return true;
  }

  give(readings: number): void {
    this.#used -= readings;
  }
}

export interface RingLimits {
  /** Readings that came in longer ago are dropped. */
  readonly maxAgeMs: number;
  /** More than these are never kept of one device. */
  readonly maxReadings: number;
}

/**
 * A ring buffer with positions: the n-th reading ever pushed has position `start + n`, for ever.
 *
 * It grows by doubling, up to `maxReadings` and as far as the budget goes (the first 64 are always granted); a full
 * one overwrites its oldest. Age is counted from when a reading came in, so that a device with a wrong clock can
 * neither empty its ring nor keep it for ever.
 */
export class ReadingRing {
  readonly #limits: RingLimits;
  readonly #budget: ReadingBudget;
  #eventMs: Float64Array;
  #celsius: Float64Array;
  #heardMs: Float64Array;
  #first: number;
  #next: number;
  /** When the newest reading that had to make way before its time came in. */
  #lostMs = Number.NEGATIVE_INFINITY;

  constructor(limits: RingLimits, budget: ReadingBudget, start = 0) {
    this.#limits = limits;
    this.#budget = budget;
    this.#first = start;
    this.#next = start;
    // One piece of memory: to allocate it is most of what a new device costs.
    const columns = new Float64Array(3 * FIRST_CAPACITY);
    const column = (i: number) => columns.subarray(i * FIRST_CAPACITY, (i + 1) * FIRST_CAPACITY);
    [this.#eventMs, this.#celsius, this.#heardMs] = [column(0), column(1), column(2)];
  }

  /** Position of the oldest reading that is there. */
  get first(): number {
    return this.#first;
  }

  /** Position of the next reading to come. */
  get next(): number {
    return this.#next;
  }

  push(eventMs: number, celsius: number, heardMs: number): void {
    this.dropOld(heardMs);
    if (this.#next - this.#first === this.#eventMs.length && !this.#grow()) {
      this.#lostMs = this.#heardMs[this.#slot(this.#first)] ?? this.#lostMs;
      this.#first += 1;
    }
    const slot = this.#slot(this.#next);
    this.#eventMs[slot] = eventMs;
    this.#celsius[slot] = celsius;
    this.#heardMs[slot] = heardMs;
    this.#next += 1;
  }

  /** Drops what is older than the limit. */
  dropOld(nowMs: number): void {
    const oldestMs = nowMs - this.#limits.maxAgeMs;
    while (this.#first < this.#next && (this.#heardMs[this.#slot(this.#first)] ?? 0) < oldestMs) {
      this.#first += 1;
    }
  }

  /** True when a reading of the last `ageMs` milliseconds had to make way before its time. */
  isTruncated(nowMs: number, ageMs = this.#limits.maxAgeMs): boolean {
    return this.#lostMs >= nowMs - ageMs;
  }

  /** The position of the oldest reading that came in at this instant or later. */
  firstSince(heardMs: number): number {
    return this.#firstWhere((heard) => heard >= heardMs);
  }

  /** The readings from a position on; those before `first` are gone. */
  from(position: number): Readings {
    const start = Math.max(position, this.#first);
    const readings: Readings = { t0: 0, dt: [], celsius: [] };
    let previousMs = this.#eventMs[this.#slot(start)] ?? 0;
    if (start < this.#next) readings.t0 = previousMs;
    for (let at = start; at < this.#next; at++) {
      const slot = this.#slot(at);
      const eventMs = this.#eventMs[slot] ?? 0;
      readings.dt.push(eventMs - previousMs);
      readings.celsius.push(this.#celsius[slot] ?? 0);
      previousMs = eventMs;
    }
    return readings;
  }

  /** The event time of the earliest reading with `fromMs <= event time < toMs`; undefined where there is none. */
  earliestBetween(fromMs: number, toMs: number): number | undefined {
    let earliest: number | undefined;
    for (let at = this.#first; at < this.#next; at++) {
      const eventMs = this.#eventMs[this.#slot(at)] ?? 0;
      if (eventMs >= fromMs && eventMs < toMs && (earliest === undefined || eventMs < earliest))
        earliest = eventMs;
    }
    return earliest;
  }

  /** The temperature of the newest reading that came in after `afterMs` and not after `untilMs`. */
  newestHeardBetween(afterMs: number, untilMs: number): number | undefined {
    const after = this.#firstWhere((heardMs) => heardMs > untilMs);
    const slot = this.#slot(after - 1);
    if (after === this.#first || (this.#heardMs[slot] ?? 0) <= afterMs) return undefined;
    return this.#celsius[slot];
  }

  /** The middle one of the last `count` steps forward in event time: the usual interval; undefined without one. */
  usualInterval(count: number): number | undefined {
    const steps: number[] = [];
    for (let at = this.#next - 1; at > this.#first && steps.length < count; at--) {
      const step = (this.#eventMs[this.#slot(at)] ?? 0) - (this.#eventMs[this.#slot(at - 1)] ?? 0);
      if (step > 0) steps.push(step);
    }
    return steps.sort((a, b) => a - b)[steps.length >> 1];
  }

  /** Gives its memory back to the budget; the ring is not used afterwards. */
  release(): void {
    this.#budget.give(this.#eventMs.length - FIRST_CAPACITY);
  }

  /** The first position of which it holds; it must hold of all after that, too. */
  #firstWhere(holds: (heardMs: number) => boolean): number {
    let [low, high] = [this.#first, this.#next];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (holds(this.#heardMs[this.#slot(middle)] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #slot(position: number): number {
    return position % this.#eventMs.length;
  }

  #grow(): boolean {
    const capacity = this.#eventMs.length;
    const more = Math.min(capacity, this.#limits.maxReadings - capacity);
    if (more <= 0 || !this.#budget.take(more)) return false;
    const wider = capacity + more;
    const copy = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const wide = new Float64Array(wider);
      for (let at = this.#first; at < this.#next; at++) wide[at % wider] = column[at % capacity] ?? 0;
      return wide;
    };
    [this.#eventMs, this.#celsius, this.#heardMs] = [
      copy(this.#eventMs),
      copy(this.#celsius),
      copy(this.#heardMs),
    ];
    return true;
  }
}
