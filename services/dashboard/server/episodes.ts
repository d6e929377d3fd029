/** Alerts gathered into episodes: one line for a device that was too hot for a while, not one for each reading. */
import type { Episode } from "@kelvin/schema/live";
import { AHEAD_MS, type Position } from "./devices.ts";
import { RecencyMap } from "./recency.ts";

/** An episode is over with the first reading this long after its last alert, in event time. */
export const QUIET_MS = 5_000;

export interface EpisodeLimits {
  /** Ended episodes that are kept. */
  readonly maxEnded: number;
  /** Active ones; the one with the oldest alert makes way. */
  readonly maxActive: number;
}

export interface AlertSeen {
  readonly device: string;
  readonly eventMs: number;
  readonly celsius: number;
}

/** A reading that may show an episode over, once the alert pipeline has judged it. */
type Evidence = Position & { readonly eventMs: number };

/** What is known of the device's readings when an alert comes. */
export interface DeviceReadings {
  /** Event time of the earliest reading with `fromMs <= event time < toMs`. */
  earliestBetween(fromMs: number, toMs: number): number | undefined;
  /** The newest. */
  readonly last: Evidence | undefined;
}

export const NO_READINGS: DeviceReadings = { earliestBetween: () => undefined, last: undefined };

interface Active {
  episode: Episode;
  evidence: Evidence | undefined;
}

/**
 * Alerts of a device join its active episode, until a reading shows it over: one that is `QUIET_MS` or more after the
 * last alert and raised none, which is known only when the alert pipeline has passed it. So neither a silent device
 * nor a dead pipeline ends an episode.
 */
export class Episodes {
  readonly #limits: EpisodeLimits;
  /** By device, in the order of their newest alert. */
  readonly #active = new RecencyMap<Active>();
  /** The oldest first. */
  readonly #ended: Episode[] = [];
  readonly #changed = new Set<Episode>();
  #made = 0;

  constructor(limits: EpisodeLimits) {
    this.#limits = limits;
  }

  /** The device's active episode. */
  active(device: string): Episode | undefined {
    return this.#active.get(device)?.episode;
  }

  get activeCount(): number {
    return this.#active.size;
  }

  alert(alert: AlertSeen, readings: DeviceReadings): void {
    const active = this.#active.get(alert.device);
    if (active === undefined) {
      this.#begin(alert, readings);
      return;
    }
    const { episode } = active;
    // Told again (a pipeline that was restarted repeats its last ones), or too late to matter.
    if (alert.eventMs <= episode.lastMs) return;
    const overMs = readings.earliestBetween(episode.lastMs + QUIET_MS, alert.eventMs);
    if (overMs !== undefined) {
      this.#end(active, overMs);
      this.#begin(alert, readings);
      return;
    }
    episode.lastMs = alert.eventMs;
    episode.readings += 1;
    episode.lastCelsius = alert.celsius;
    episode.peakCelsius = Math.max(episode.peakCelsius, alert.celsius);
    active.evidence = evidenceIn(readings, alert.eventMs);
    this.#changed.add(episode);
    this.#active.touch(alert.device, active);
  }

  /** Notes a reading; an active episode takes the first one that is late enough as evidence. */
  reading(device: string, reading: Evidence, nowMs: number): void {
    const active = this.#active.get(device);
    if (active === undefined) return;
    if (active.episode.lastMs > nowMs + AHEAD_MS && reading.eventMs <= nowMs + AHEAD_MS) {
      // The alert came from a clock that was wrong, and no longer is: nothing would ever be later than the alert.
      this.#setBack(active, reading.eventMs);
    }
    if (active.evidence !== undefined) return;
    active.evidence = evidenceOf(reading, active.episode.lastMs);
  }

  /** Ends the episodes whose evidence the alert pipeline has passed. */
  settle(isJudged: (position: Position) => boolean): void {
    for (const active of [...this.#active.values()]) {
      if (active.evidence !== undefined && isJudged(active.evidence))
        this.#end(active, active.evidence.eventMs);
    }
  }

  /** All: the newest alert first. */
  all(): Episode[] {
    const active = [...this.#active.values()].map(({ episode }) => episode);
    return [...active, ...this.#ended].map(copy).sort((a, b) => b.lastMs - a.lastMs);
  }

  hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  /** Those that are new or changed since the last call. */
  takeChanges(): Episode[] {
    const changes = [...this.#changed].map(copy);
    this.#changed.clear();
    return changes;
  }

  #setBack(active: Active, toMs: number): void {
    const { episode } = active;
    episode.lastMs = toMs;
    episode.sinceMs = Math.min(episode.sinceMs, toMs);
    active.evidence = undefined;
    this.#changed.add(episode);
  }

  #begin(alert: AlertSeen, readings: DeviceReadings): void {
    // An alert from within an episode, told again after its end. One from before it may be new: a clock was set back.
    const isKnown = this.#ended.some(
      ({ device, sinceMs, lastMs }) =>
        device === alert.device && alert.eventMs >= sinceMs && alert.eventMs <= lastMs,
    );
    if (isKnown) return;
    this.#made += 1;
    const episode: Episode = {
      id: String(this.#made),
      device: alert.device,
      sinceMs: alert.eventMs,
      lastMs: alert.eventMs,
      readings: 1,
      peakCelsius: alert.celsius,
      lastCelsius: alert.celsius,
      endedMs: null,
    };
    this.#active.touch(alert.device, { episode, evidence: evidenceIn(readings, alert.eventMs) });
    this.#changed.add(episode);
    if (this.#active.size > this.#limits.maxActive) this.#active.dropOldest();
  }

  #end({ episode }: Active, endedMs: number): void {
    episode.endedMs = endedMs;
    this.#active.delete(episode.device);
    this.#ended.push(episode);
    this.#changed.add(episode);
    if (this.#ended.length > this.#limits.maxEnded) this.#ended.shift();
  }
}

function evidenceOf(reading: Evidence | undefined, lastAlertMs: number): Evidence | undefined {
  return reading !== undefined && reading.eventMs >= lastAlertMs + QUIET_MS ? reading : undefined;
}

/** The newest reading stands for those before it: what has judged it has judged them. */
function evidenceIn({ last, earliestBetween }: DeviceReadings, lastAlertMs: number): Evidence | undefined {
  const evidence = evidenceOf(last, lastAlertMs);
  if (evidence === undefined) return undefined;
  const eventMs = earliestBetween(lastAlertMs + QUIET_MS, evidence.eventMs) ?? evidence.eventMs;
  return { ...evidence, eventMs };
}

function copy(episode: Episode): Episode {
  return { ...episode };
}
