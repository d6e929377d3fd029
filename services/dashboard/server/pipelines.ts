/** Are the stream-processor's pipelines up to date? Told from what they committed, against the ends of their topics. */
import type { PipelineHealth, PipelineName } from "@kelvin/schema/live";
import type { Position } from "./devices.ts";

/** What a pipeline may need for a record before it counts as behind. */
export const GRACE_MS = 3_000;

/** One look at a pipeline. */
export interface Look {
  /** True when somebody runs it: its consumer group has members. */
  readonly isRun: boolean;
  /** The offset it works at next, by partition; missing where it has told none. Read before `ends`. */
  readonly positions: ReadonlyMap<number, number>;
  /** The end of its source topic, by partition. */
  readonly ends: ReadonlyMap<number, number>;
}

interface Ends {
  readonly atMs: number;
  readonly ends: ReadonlyMap<number, number>;
}

/**
 * One pipeline's state over time. Up to date: it has passed everything that was in its topic `GRACE_MS` ago (records
 * always keep coming, so being at the very end is no measure).
 */
export class Pipeline {
  readonly name: PipelineName;
  /** Ends as they were, the oldest first; one of them is at least `GRACE_MS` old once there was time. */
  #past: Ends[] = [];
  /** Where a partition without a position is taken to be: at its end when it was first seen so. */
  readonly #assumed = new Map<number, number>();
  /** Positions of the look before the last one. */
  #judged: ReadonlyMap<number, number> = new Map();
  #positions: ReadonlyMap<number, number> = new Map();
  /** Since when it has not been up to date, whether behind or gone; undefined while it is, or nothing is known. */
  #lackingMs: number | undefined;
  #health: PipelineHealth;

  constructor(name: PipelineName, nowMs: number) {
    this.name = name;
    this.#health = { name, state: "unknown", behind: null, sinceMs: nowMs };
  }

  get health(): PipelineHealth {
    return this.#health;
  }

  /**
   * True when the pipeline has done this record of its source topic, and what it made of it has had the time from one
   * look to the next to come here.
   */
  hasPassed({ partition, offset }: Position): boolean {
    return (this.#judged.get(partition) ?? -1) > offset;
  }

  /** Takes in a look and tells whether the state is another one now. */
  observe(nowMs: number, look: Look): boolean {
    const positions = this.#placed(look);
    this.#judged = this.#positions;
    this.#positions = positions;
    this.#past.push({ atMs: nowMs, ends: look.ends });
    const oldEnough = this.#past.findLastIndex(({ atMs }) => atMs <= nowMs - GRACE_MS);
    if (oldEnough > 0) this.#past = this.#past.slice(oldEnough);

    const behind = recordsBetween(positions, look.ends);
    if (!look.isRun) return this.#become("gone", behind, nowMs);
    const missed = this.#past.find(({ ends }) => recordsBetween(positions, ends) > 0);
    // What was there at the oldest look we keep is done. That look is `GRACE_MS` old, or, soon after the start, younger.
    if (missed !== this.#past[0]) return this.#become("up-to-date", behind, nowMs);
    if (missed === undefined || missed.atMs > nowMs - GRACE_MS) {
      return this.#become(this.#health.state === "gone" ? "unknown" : this.#health.state, behind, nowMs);
    }
    return this.#become("behind", behind, missed.atMs);
  }

  /** Kafka can't be asked. */
  lose(nowMs: number): boolean {
    this.#past = [];
    return this.#become("unknown", null, nowMs);
  }

  #become(state: PipelineHealth["state"], behind: number | null, sinceMs: number): boolean {
    const before = this.#health;
    const changed = before.state !== state;
    if (state === "up-to-date") this.#lackingMs = undefined;
    const isLacking = state === "behind" || state === "gone";
    if (isLacking) this.#lackingMs = Math.min(this.#lackingMs ?? sinceMs, sinceMs);
    const newMs = isLacking ? (this.#lackingMs ?? sinceMs) : sinceMs;
    this.#health = { name: this.name, state, behind, sinceMs: changed ? newMs : before.sinceMs };
    return changed;
  }

  /** A position for every partition. One beyond the end is of a topic that was deleted and recreated: no position. */
  #placed(look: Look): ReadonlyMap<number, number> {
    const placed = new Map<number, number>();
    for (const [partition, end] of look.ends) {
      const position = look.positions.get(partition);
      if (position !== undefined && position >= 0 && position <= end) {
        this.#assumed.delete(partition);
        placed.set(partition, position);
        continue;
      }
      const assumed = this.#assumed.get(partition);
      const at = assumed === undefined || assumed > end ? end : assumed;
      this.#assumed.set(partition, at);
      placed.set(partition, at);
    }
    return placed;
  }
}

function recordsBetween(positions: ReadonlyMap<number, number>, ends: ReadonlyMap<number, number>): number {
  let records = 0;
  for (const [partition, end] of ends) {
    const position = positions.get(partition) ?? end;
    if (end > position) records += end - position;
  }
  return records;
}
