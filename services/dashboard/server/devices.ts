/** Every device that was heard: its readings, its newest value, how often it usually speaks. */
import type { LastReading } from "@kelvin/schema/live";
import { RecencyMap } from "./recency.ts";
import { ReadingBudget, ReadingRing, type RingLimits } from "./rings.ts";

/** How many steps the usual interval is the middle of. */
const INTERVAL_STEPS = 9;

/** Where a record lies in Kafka. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** A device is stale after `intervals` times its usual interval without a reading, but not before `atLeastMs`. */
export const STALE = { intervals: 3, atLeastMs: 3_000 } as const;

/** How far ahead of the server a device's clock may be before it is flagged. */
export const AHEAD_MS = 5_000;

export class Device {
  readonly id: string;
  readonly ring: ReadingRing;
  last: LastReading & Position;
  #interval: { at: number; ms: number | null } = { at: -1, ms: null };

  constructor(id: string, ring: ReadingRing, last: LastReading & Position) {
    this.id = id;
    this.ring = ring;
    this.last = last;
  }

  /** The usual time between two readings in milliseconds of event time; null until two were seen. */
  get intervalMs(): number | null {
    if (this.#interval.at !== this.ring.next) {
      // A ring that ran empty while the device was silent knows nothing; what was usual before still is.
      const ms = this.ring.usualInterval(INTERVAL_STEPS) ?? this.#interval.ms;
      this.#interval = { at: this.ring.next, ms };
    }
    return this.#interval.ms;
  }

  isStale(nowMs: number): boolean {
    const patienceMs = Math.max(STALE.atLeastMs, STALE.intervals * (this.intervalMs ?? 0));
    return nowMs - this.last.heardMs > patienceMs;
  }

  get isAhead(): boolean {
    return this.last.eventMs - this.last.heardMs > AHEAD_MS;
  }
}

export interface DeviceLimits extends RingLimits {
  /** More devices than these are not kept: the least recently heard one makes way. */
  readonly maxDevices: number;
  /** Readings of all devices together. */
  readonly maxReadingsInAll: number;
}

export class Devices {
  readonly #limits: DeviceLimits;
  readonly #budget: ReadingBudget;
  /** In the order of being heard: the least recent first. */
  readonly #byId = new RecencyMap<Device>();
  #heard = 0;
  #dropped = 0;

  constructor(limits: DeviceLimits) {
    this.#limits = limits;
    this.#budget = new ReadingBudget(limits.maxReadingsInAll);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** How many made way for others. */
  get dropped(): number {
    return this.#dropped;
  }

  get(id: string): Device | undefined {
    return this.#byId.get(id);
  }

  /** The least recently heard first. */
  all(): Iterable<Device> {
    return this.#byId.values();
  }

  /** Takes in a reading and tells whose. */
  hear(id: string, reading: Omit<LastReading, "change"> & Position): Device {
    const known = this.#byId.get(id);
    const change = known === undefined ? null : reading.celsius - known.last.celsius;
    const last = { ...reading, change };
    // A device that comes back after it was dropped must not use a position a second time.
    const device = known ?? new Device(id, new ReadingRing(this.#limits, this.#budget, this.#heard), last);
    device.ring.push(reading.eventMs, reading.celsius, reading.heardMs);
    device.last = last;
    this.#heard += 1;
    this.#byId.touch(id, device);
    if (this.#byId.size > this.#limits.maxDevices) this.#dropLeastRecent();
    return device;
  }

  #dropLeastRecent(): void {
    this.#byId.dropOldest()?.ring.release();
    this.#dropped += 1;
  }
}
